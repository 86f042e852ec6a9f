// Attention under random sizes, layouts, masks and contents, on every instruction set that runs here, in float, in double and on rows of bfloat16, forward and backward:
//
//   attention_fuzz [--seconds S] [--seed N] [--case K]
//
// Cases 0, 1, 2, ... of the seed until S seconds (2) are over, or case K alone.  Truth: reference.h, in long double over contiguous matrices, and a multiple of
// its rounding bounds; what is masked holds NaN, infinity or huge numbers in the tensors that the library gets, and so do the gaps between their rows.  In one case of
// eight what is visible is not finite: then the scalar definition is the truth.  Tensors are as large as their last element asks, so that the address sanitizer
// (`make fuzz`) sees what is read or written beyond.  Exit 1, with the case and the command that repeats it, for a wrong answer; 2 for a wrong call.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "calor/core/error.h"
#include "tests/kernels/fuzz_tensors.h"
#include "tests/kernels/problem.h"
#include "tests/kernels/reference.h"

namespace calor::kernels::test {
namespace {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Worst {
  double share = 0;
  std::string where;
};

// Numbers of T, in the tensors as rows of Row: T itself, or bfloat16 numbers, which are floats for the truth.
template <class T, class Row = T>
class Case {
  static constexpr bool halved = !std::is_same_v<T, Row>;
  // How many of the reference's bounds (3 standard errors) an error may reach.  They take roundings as independent, which those of a sum of equal values are not: where a
  // stride of 0 makes all values one, 5.1 was met, and otherwise 3.4.  What a wrong edge does is thousands; with bfloat16's spacing dozens.
  static constexpr double slack = halved ? 6 : 20;
  static constexpr double spacing = halved ? 0x1p-7 : static_cast<double>(std::numeric_limits<T>::epsilon());

 public:
  // `other`: of the same case in the other precision, whose contents and so whose truth are the same; or null.
  Case(std::uint64_t seed, std::uint64_t number, const Reference* other) : dice_(seed, number), shape_(any_shape(dice_)), problem_(shape_, any_options(dice_, shape_, seed * 1'000'003 + number)) {
    const Shape& s = shape_;
    draw_contents();
    const auto input = [&](std::int64_t rows, std::int64_t dim, std::vector<T>& numbers) {
      const Layout layout = any_layout(dice_, s.batch, s.heads, rows, dim, true);
      repeat(layout, numbers);
      return layout;
    };
    const Layout q = input(s.queries, s.dim, problem_.q), k = input(s.keys, s.dim, problem_.k), v = input(s.keys, s.value_dim, problem_.v);
    d_out_contents_ = random_like(std::vector<T>(static_cast<std::size_t>(s.batch * s.heads * s.queries * s.value_dim)), problem_.options.seed + 1);
    round_rows(d_out_contents_);
    const Layout d_out = input(s.queries, s.value_dim, d_out_contents_);
    if (dice_.one_in(2)) d_lse_ = random_like(std::vector<T>(static_cast<std::size_t>(s.batch * s.heads * s.queries)), problem_.options.seed + 2);
    // Of one row each, as long as what it is about.
    Layout bias = input_row(s.heads, s.keys, problem_.bias), scale = input_row(s.heads, 1, problem_.scale), key_mask = input_row(1, s.keys, problem_.key_mask), mask{};
    if (!problem_.mask.empty()) {
      mask = any_layout(dice_, s.batch, s.heads, s.queries, s.keys, true);
      repeat(mask, problem_.mask);
    }
    truth_ = other ? *other : reference(problem_, d_out_contents_, d_lse_, 1);
    bounds_ = truth_.bounds;  // in units of the spacing of numbers
    for (double* bound : {&bounds_.out, &bounds_.lse, &bounds_.q, &bounds_.k, &bounds_.v, &bounds_.bias, &bounds_.scale}) *bound *= spacing;
    add_rest_of_differences();

    constexpr T nan = std::numeric_limits<T>::quiet_NaN();
    q_ = {q, problem_.q, nan}, k_ = {k, problem_.k, nan}, v_ = {v, problem_.v, nan}, d_out_ = {d_out, d_out_contents_, nan}, scale_ = {scale, problem_.scale, nan};
    if (!problem_.bias.empty()) bias_ = {bias, problem_.bias, nan};
    if (!problem_.key_mask.empty()) key_mask_ = {key_mask, problem_.key_mask, 1};
    if (!problem_.mask.empty()) mask_ = {mask, problem_.mask, 1};
    out_layout_ = any_layout(dice_, s.batch, s.heads, s.queries, s.value_dim, false);
    d_q_layout_ = any_layout(dice_, s.batch, s.heads, s.queries, s.dim, false);
    d_k_layout_ = any_layout(dice_, s.batch, s.heads, s.keys, s.dim, false);
    d_v_layout_ = any_layout(dice_, s.batch, s.heads, s.keys, s.value_dim, false);
    with_d_bias_ = !dice_.one_in(4), with_d_scale_ = !dice_.one_in(4);
    threads_ = dice_.one_in(6) ? static_cast<int>(dice_.below(4)) : 1;  // waking a team takes longer than most cases
    spoil_what_is_hidden();
    if (dice_.one_in(8)) make_something_visible_wild();
  }

  void check(Worst& worst) {
    Output<T> scalar_output;
    std::optional<Results> defined;
    for (const std::string& isa : isa_names()) {
      const WithIsa forced(isa);
      where_ = isa;
      const Output<T> output = forward(threads_);
      if (wild_) {
        if (isa == "scalar") scalar_output = output;
        const Results found{output, backward(scalar_output, threads_)};
        if (!defined) defined = found;
        else expect_the_definition(found, *defined);
      } else {
        expect_right({output, backward(output, threads_)}, worst);
      }
      if (dice_.one_in(20)) expect_same_bits(output, threads_ == 1 ? 3 : 1);
    }
  }

  const Reference& truth() const { return truth_; }

  std::string described() const {
    const auto strides = [](const char* name, const Layout& l) { return fmt::format("  {} ({}, {}, {}) + {}", name, l.strides.batch, l.strides.head, l.strides.row, l.first); };
    return fmt::format("{} {}{}{} threads {}{}{}{}{}", halved ? "bfloat16" : std::is_same_v<T, float> ? "float" : "double", describe(shape_, problem_.options, where_), d_lse_.empty() ? "" : " d_lse", wild_ ? " wild" : "", threads_,
                       strides("q", q_.layout()), strides("k", k_.layout()), strides("v", v_.layout()), strides("out", out_layout_));
  }

 private:
  struct Results {
    Output<T> output;
    Gradients<T> gradients;
  };

  // Of numbers that lie [batch, heads, count].
  template <class U>
  Layout input_row(std::int64_t heads, std::int64_t count, std::vector<U>& numbers) {
    if (numbers.empty()) return {};
    Layout layout = any_layout(dice_, shape_.batch, heads, 1, count, true);
    repeat(layout, numbers);
    return layout;
  }

  static void round_rows(std::vector<T>& numbers) {
    if constexpr (halved)
      for (T& x : numbers) x = static_cast<T>(static_cast<float>(Row(static_cast<float>(x))));
  }

  void draw_contents() {
    const double size = dice_.among({0.1, 1.0, 1.0, 4.0}), offset = problem_.options.score == Score::squared_distance && dice_.one_in(3) ? 100 : 0;
    for (std::vector<T>* points : {&problem_.q, &problem_.k})
      for (T& x : *points) x = static_cast<T>(static_cast<float>(x * size + offset));
    for (std::vector<T>* rows : {&problem_.q, &problem_.k, &problem_.v}) round_rows(*rows);
    for (T& scale : problem_.scale) scale = static_cast<T>(static_cast<float>(scale * dice_.among({1.0, 1.0, dice_.uniform(0, 2), 0.0, -0.5})));
    for (T& bias : problem_.bias)
      if (dice_.one_in(5)) bias = -std::numeric_limits<T>::infinity();
    for (auto* mask : {&problem_.key_mask, &problem_.mask})
      for (auto& byte : *mask)
        if (byte && dice_.one_in(4)) byte = static_cast<std::uint8_t>(1 + dice_.below(255));  // any that is not zero
  }

  // A row's gradients of distances add up to zero but for the rounding of out, 2 u |d_out||out|.  The definition multiplies them by differences q - k, where the
  // reference's bound has centred keys, which are nothing where all keys are one; so do those of the scale, by their squares.
  void add_rest_of_differences() {
    if (problem_.options.score != Score::squared_distance || problem_.k.empty()) return;
    const auto largest_norm = [&](const auto& numbers) {
      double most = 0;
      for (std::size_t n = 0; n < numbers.size(); n += static_cast<std::size_t>(shape_.value_dim)) {
        double sum = 0;
        for (std::int64_t c = 0; c < shape_.value_dim; ++c) sum += static_cast<double>(numbers[n + c]) * static_cast<double>(numbers[n + c]);
        most = std::max(most, sum);
      }
      return std::sqrt(most);
    };
    double difference = 0, scale = 0;
    for (const std::vector<T>* points : {&problem_.q, &problem_.k})
      for (std::size_t n = 0; n < points->size(); ++n) difference = std::max(difference, static_cast<double>(std::abs((*points)[n] - problem_.k[n % shape_.dim])));
    for (const T x : problem_.scale) scale = std::max(scale, static_cast<double>(std::abs(x)));
    const double rest = spacing * largest_norm(d_out_contents_) * largest_norm(truth_.output.out) * 2;
    bounds_.q += rest * scale * difference;
    bounds_.scale += rest * static_cast<double>(shape_.queries * shape_.dim) * difference * difference;
  }

  T wild_number() {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    return dice_.among({std::numeric_limits<T>::quiet_NaN(), infinity, -infinity, std::numeric_limits<T>::max(), static_cast<T>(1e10)});
  }

  void spoil_what_is_hidden() {
    const Shape& s = shape_;
    const std::int64_t heads = s.batch * s.heads;
    seen_keys_.assign(static_cast<std::size_t>(heads * s.keys), 0);
    seeing_rows_.assign(static_cast<std::size_t>(heads * s.queries), 0);
    for (std::int64_t head = 0; head < heads; ++head)
      for (std::int64_t i = 0; i < s.queries; ++i)
        for (std::int64_t j = 0; j < s.keys; ++j)
          if (problem_.visible(head / s.heads, head % s.heads, i, j)) seen_keys_[static_cast<std::size_t>(head * s.keys + j)] = seeing_rows_[static_cast<std::size_t>(head * s.queries + i)] = 1;
    const auto wild = [&] { return wild_number(); };
    k_.spoil(seen_keys_, false, wild);
    v_.spoil(seen_keys_, false, wild);
    q_.spoil(seeing_rows_, false, wild);
    d_out_.spoil(seeing_rows_, false, wild);
    for (std::size_t i = 0; i < d_lse_.size(); ++i)
      if (!seeing_rows_[i]) d_lse_[i] = wild();
    if (problem_.bias.empty()) return;
    std::vector<char> used = seen_keys_;
    for (std::size_t j = 0; j < used.size(); ++j) used[j] |= std::isinf(problem_.bias[j]);  // what hides is read
    bias_.spoil(used, true, wild);
  }

  // In a row of queries, keys, values or d_out that has a part in a result.
  void make_something_visible_wild() {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    Tensor<T>* const tensors[] = {&q_, &k_, &v_, &d_out_};
    const auto which = dice_.below(4);
    Tensor<T>& tensor = *tensors[which];
    const Layout& l = tensor.layout();
    if (l.batch * l.heads * l.rows == 0) return;
    wild_ = true;
    const std::int64_t at = l.at(dice_.below(l.batch), dice_.below(l.heads), dice_.below(l.rows)) - l.first + dice_.below(l.dim);
    // Large numbers too where all of a head is then computed by the definition, which in float values are.
    tensor.data()[at] = std::is_same_v<T, float> && which == 2 && dice_.one_in(4) ? static_cast<T>(1e30) : dice_.among({std::numeric_limits<T>::quiet_NaN(), infinity, -infinity});
  }

  // The inputs' buffers as the library gets them.
  struct Inputs {
    std::vector<Row> q, k, v;
  };
  Inputs inputs() const { return {q_.template rows<Row>(), k_.template rows<Row>(), v_.template rows<Row>()}; }

  AttentionParams<Row> params(const Inputs& inputs, int threads) const {
    const Shape& s = shape_;
    AttentionParams<Row> p;
    p.score = problem_.options.score;
    p.batch = s.batch, p.heads = s.heads, p.queries = s.queries, p.keys = s.keys, p.dim = s.dim, p.value_dim = s.value_dim;
    p.q = inputs.q.data() + q_.layout().first, p.k = inputs.k.data() + k_.layout().first, p.v = inputs.v.data() + v_.layout().first, p.scale = scale_.data();
    p.q_strides = q_.strides(), p.k_strides = k_.strides(), p.v_strides = v_.strides();
    p.scale_batch_stride = scale_.strides().batch, p.scale_head_stride = scale_.strides().head;
    if (!problem_.bias.empty()) p.bias = bias_.data(), p.bias_batch_stride = bias_.strides().batch, p.bias_head_stride = bias_.strides().head;
    if (!problem_.key_mask.empty()) p.key_mask = key_mask_.data(), p.key_mask_batch_stride = key_mask_.strides().batch;
    if (!problem_.mask.empty()) p.mask = mask_.data(), p.mask_strides = mask_.strides();
    p.causal = problem_.options.causal;
    p.own_key = problem_.options.own_key;
    p.threads = threads;
    return p;
  }

  std::vector<T> unwritten_rows() const { return unwritten<T>(shape_.batch * shape_.heads * shape_.queries); }

  Output<T> forward(int threads) const {
    Tensor<T> out(out_layout_);
    Output<T> found{{}, unwritten_rows()};
    const Inputs from = inputs();
    std::vector<Row> written = out.template rows<Row>();
    attention_forward(params(from, threads), AttentionForward<Row>{written.data() + out_layout_.first, out.strides(), found.lse.data()});
    out.set(written);
    found.out = out.contiguous();
    expect(out.gaps_are_whole(), "forward wrote between the rows of out");
    return found;
  }

  Gradients<T> backward(const Output<T>& output, int threads) const {
    const std::int64_t heads = shape_.batch * shape_.heads;
    const Tensor<T> out(out_layout_, output.out, std::numeric_limits<T>::quiet_NaN());
    Tensor<T> d_q(d_q_layout_), d_k(d_k_layout_), d_v(d_v_layout_);
    Gradients<T> found{{}, {}, {}, unwritten<T>(heads * shape_.keys), unwritten<T>(heads)};
    const Inputs from = inputs();
    const std::vector<Row> out_rows = out.template rows<Row>(), d_out_rows = d_out_.template rows<Row>();
    std::vector<Row> to_q = d_q.template rows<Row>(), to_k = d_k.template rows<Row>(), to_v = d_v.template rows<Row>();
    AttentionBackward<Row> b;
    b.out = out_rows.data() + out_layout_.first, b.out_strides = out.strides(), b.lse = output.lse.data();
    b.d_out = d_out_rows.data() + d_out_.layout().first, b.d_out_strides = d_out_.strides();
    b.d_lse = d_lse_.empty() ? nullptr : d_lse_.data();
    b.d_q = to_q.data() + d_q_layout_.first, b.d_q_strides = d_q.strides();
    b.d_k = to_k.data() + d_k_layout_.first, b.d_k_strides = d_k.strides();
    b.d_v = to_v.data() + d_v_layout_.first, b.d_v_strides = d_v.strides();
    b.d_bias = with_d_bias_ ? found.bias.data() : nullptr;
    b.d_scale = with_d_scale_ ? found.scale.data() : nullptr;
    attention_backward(params(from, threads), b);
    d_q.set(to_q), d_k.set(to_k), d_v.set(to_v);
    found.q = d_q.contiguous(), found.k = d_k.contiguous(), found.v = d_v.contiguous();
    expect(d_q.gaps_are_whole() && d_k.gaps_are_whole() && d_v.gaps_are_whole(), "backward wrote between the rows of a gradient");
    return found;
  }

  void expect(bool right, const std::string& otherwise) const {
    if (!right) throw Failure(otherwise);
  }

  void expect_within(const char* name, const std::vector<T>& found, const std::vector<Real>& expected, double bound, Worst& worst) const {
    const double error = largest_error(found, expected), share = error == 0 ? 0 : error / (bound + 1e-35);
    expect(share <= slack, fmt::format("{} errs by {:.3g}, {:.3g} times the bound of {:.3g}", name, error, share, bound));
    if (share > worst.share) worst = {share, fmt::format("{}, {}", name, described())};
  }

  void expect_right(const Results& found, Worst& worst) const {
    expect_within("out", found.output.out, truth_.output.out, bounds_.out, worst);
    expect_within("lse", found.output.lse, truth_.output.lse, bounds_.lse, worst);
    expect_within("d_q", found.gradients.q, truth_.gradients.q, bounds_.q, worst);
    expect_within("d_k", found.gradients.k, truth_.gradients.k, bounds_.k, worst);
    expect_within("d_v", found.gradients.v, truth_.gradients.v, bounds_.v, worst);
    if (with_d_bias_) expect_within("d_bias", found.gradients.bias, truth_.gradients.bias, bounds_.bias, worst);
    if (with_d_scale_) expect_within("d_scale", found.gradients.scale, truth_.gradients.scale, bounds_.scale, worst);
  }

  // Of what sees something wild the definition's very numbers, NaN among them; of the rest numbers within the bounds.
  void expect_as_defined(const char* name, const std::vector<T>& found, const std::vector<T>& defined, double bound) const {
    for (std::size_t n = 0; n < found.size(); ++n) {
      const bool same = found[n] == defined[n] || (std::isnan(found[n]) && std::isnan(defined[n])) || std::abs(static_cast<double>(found[n]) - static_cast<double>(defined[n])) <= slack * bound;
      expect(same, fmt::format("{}[{}] is {}, where the definition has {} (bound {:.3g})", name, n, found[n], defined[n], bound));
    }
  }

  void expect_the_definition(const Results& found, const Results& defined) const {
    expect_as_defined("out", found.output.out, defined.output.out, bounds_.out);
    expect_as_defined("lse", found.output.lse, defined.output.lse, bounds_.lse);
    expect_as_defined("d_q", found.gradients.q, defined.gradients.q, bounds_.q);
    expect_as_defined("d_k", found.gradients.k, defined.gradients.k, bounds_.k);
    expect_as_defined("d_v", found.gradients.v, defined.gradients.v, bounds_.v);
    if (with_d_bias_) expect_as_defined("d_bias", found.gradients.bias, defined.gradients.bias, bounds_.bias);
    if (with_d_scale_) expect_as_defined("d_scale", found.gradients.scale, defined.gradients.scale, bounds_.scale);
  }

  void expect_same_bits(const Output<T>& output, int threads) const {
    const Output<T> again = forward(threads);
    const auto same = [](const std::vector<T>& a, const std::vector<T>& b) { return a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0; };
    expect(same(output.out, again.out) && same(output.lse, again.lse), fmt::format("{} threads give other bits", threads));
    const Gradients<T> one = backward(output, threads_), other = backward(output, threads);
    expect(same(one.q, other.q) && same(one.k, other.k) && same(one.v, other.v) && same(one.bias, other.bias) && same(one.scale, other.scale), fmt::format("{} threads give gradients of other bits", threads));
  }

  Dice dice_;
  Shape shape_;
  Problem<T> problem_;
  std::vector<T> d_out_contents_, d_lse_;
  Reference truth_;
  Bounds bounds_;
  Tensor<T> q_, k_, v_, d_out_, scale_, bias_;
  Tensor<std::uint8_t> key_mask_, mask_;
  Layout out_layout_{}, d_q_layout_{}, d_k_layout_{}, d_v_layout_{};
  std::vector<char> seen_keys_, seeing_rows_;
  bool with_d_bias_ = true, with_d_scale_ = true, wild_ = false;
  int threads_ = 1;
  std::string where_;
};

// Throws what is wrong, with the case.
template <class T, class Row>
void check(Case<T, Row>& one, Worst& worst) {
  try {
    one.check(worst);
  } catch (const std::exception& error) {
    throw Failure(fmt::format("{}\n  {}", error.what(), one.described()));
  }
}

void check_case(std::uint64_t seed, std::uint64_t number, Worst& worst) {
  Case<float> in_float(seed, number, nullptr);
  check(in_float, worst);
  Case<double> in_double(seed, number, &in_float.truth());
  check(in_double, worst);
  Case<float, Bf16> in_bfloat16(seed, number, nullptr);  // whose contents are rounded
  check(in_bfloat16, worst);
}

struct Call {
  double seconds = 2;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> number;
};

Call parse(int count, char** arguments) {
  Call call;
  for (int i = 1; i < count; i += 2) {
    const std::string name = arguments[i], value = i + 1 < count ? arguments[i + 1] : "";
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    require(!value.empty() && *end == '\0' && number >= 0 && (name == "--seconds" || name == "--seed" || name == "--case"), Fault::usage,
            "[attention_fuzz] expected [--seconds S] [--seed N] [--case K], found {} {}", name, value);
    if (name == "--seconds") call.seconds = number;
    else if (name == "--seed") call.seed = static_cast<std::uint64_t>(number);
    else call.number = static_cast<std::uint64_t>(number);
  }
  return call;
}

int fuzz(const Call& call) {
  const auto begin = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); };
  Worst worst;
  std::uint64_t number = call.number.value_or(0), done = 0;
  do {
    try {
      check_case(call.seed, number, worst);
    } catch (const std::exception& error) {
      fmt::print(stderr, "[attention_fuzz] {}\n  again: attention_fuzz --seed {} --case {}\n", error.what(), call.seed, number);
      return 1;
    }
    ++done, ++number;
  } while (!call.number && seconds() < call.seconds);
  fmt::print("{} cases of seed {} in {:.1f} s, each in float, double and bfloat16 on {}: all right; the largest error is {:.2f} of its bound ({})\n", done, call.seed, seconds(), fmt::join(isa_names(), ", "), worst.share,
             worst.where);
  return 0;
}

}  // namespace
}  // namespace calor::kernels::test

int main(int count, char** arguments) {
  using namespace calor::kernels::test;
  try {
    return fuzz(parse(count, arguments));
  } catch (const calor::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return static_cast<int>(error.fault());
  }
}
