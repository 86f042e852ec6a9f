#include "calor/measure/work.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/text.h"
#include "calor/core/threads.h"
#include "calor/engine/neighbours.h"
#include "calor/kernels/attention.h"
#include "calor/kernels/edges.h"
#include "calor/measure/interleave.h"

namespace calor::measure {
namespace {

using kernels::Score;

std::vector<float> normals(std::int64_t count, std::uint64_t seed) {
  Random random(seed, Purpose::data);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

struct Shape {
  std::int64_t batch, heads, rows, dim;
  bool causal = false;
};

// Attention and its gradients on numbers of one kind.
template <class T>
class Attention {
 public:
  Attention(const Shape& shape, Score score, int threads) : shape_(shape) {
    const std::int64_t rows = shape.batch * shape.heads * shape.rows, size = rows * shape.dim;
    std::uint64_t seed = 1;
    for (std::vector<T>* values : {&q_, &k_, &v_, &d_out_}) {
      const auto drawn = normals(size, seed++);
      values->assign(drawn.begin(), drawn.end());
    }
    for (std::vector<T>* values : {&out_, &d_q_, &d_k_, &d_v_}) values->resize(static_cast<std::size_t>(size));
    lse_.resize(static_cast<std::size_t>(rows));
    const kernels::Strides strides{shape.heads * shape.rows * shape.dim, shape.rows * shape.dim, shape.dim};
    params_.score = score;
    params_.batch = shape.batch, params_.heads = shape.heads;
    params_.queries = params_.keys = shape.rows;
    params_.dim = params_.value_dim = shape.dim;
    params_.q = q_.data(), params_.k = k_.data(), params_.v = v_.data();
    params_.q_strides = params_.k_strides = params_.v_strides = strides;
    params_.scale = &scale_;
    params_.causal = shape.causal;
    params_.threads = threads;
    scale_ = static_cast<T>(1 / std::sqrt(static_cast<double>(shape.dim)));
    result_.out = out_.data(), result_.out_strides = strides, result_.lse = lse_.data();
    gradients_.out = out_.data(), gradients_.out_strides = strides, gradients_.lse = lse_.data();
    gradients_.d_out = d_out_.data(), gradients_.d_out_strides = strides;
    gradients_.d_q = d_q_.data(), gradients_.d_k = d_k_.data(), gradients_.d_v = d_v_.data();
    gradients_.d_q_strides = gradients_.d_k_strides = gradients_.d_v_strides = strides;
  }
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  void run(bool backward) {
    kernels::attention_forward(params_, result_);
    if (backward) kernels::attention_backward(params_, gradients_);
  }
  std::vector<const std::vector<T>*> results(bool backward) const { return backward ? std::vector<const std::vector<T>*>{&out_, &d_q_, &d_k_, &d_v_} : std::vector<const std::vector<T>*>{&out_}; }

 private:
  Shape shape_;
  std::vector<T> q_, k_, v_, d_out_, out_, lse_, d_q_, d_k_, d_v_;
  T scale_ = 1;
  kernels::AttentionParams<T> params_;
  kernels::AttentionForward<T> result_;
  kernels::AttentionBackward<T> gradients_;
};

double error_between(const std::vector<float>& found, const std::vector<double>& truth) {
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(found[i]) - truth[i]));
    largest = std::max(largest, std::abs(truth[i]));
  }
  return largest > 0 ? worst / largest : worst;
}

// Against the scalar definition in double, of fewer rows where there are many.
double attention_error(Shape shape, Score score, bool backward) {
  shape.batch = 1, shape.heads = std::min<std::int64_t>(shape.heads, 2), shape.rows = std::min<std::int64_t>(shape.rows, 300);
  Attention<float> found(shape, score, 1);
  Attention<double> truth(shape, score, 1);
  found.run(backward), truth.run(backward);
  double worst = 0;
  for (std::size_t r = 0; r < found.results(backward).size(); ++r) worst = std::max(worst, error_between(*found.results(backward)[r], *truth.results(backward)[r]));
  return worst;
}

double median_seconds(const std::function<void()>& run, bool quick) {
  std::vector<Contestant> alone{{"", run}};
  interleave(alone, quick ? 0.02 : 0.6, quick ? 1 : 5, quick ? 3 : 61);
  return alone.front().seconds;
}

// A sum of thousands of products, through a softmax and back.
constexpr double attention_tolerance = 4e-5;

std::string size_of(const Shape& shape) {
  return fmt::format("{}{} x {}{}", shape.batch > 1 ? fmt::format("{} x ", shape.batch) : "", grouped_digits(shape.rows), shape.dim, shape.heads > 1 ? fmt::format(", {} heads", shape.heads) : "");
}

Work attention_work(const Shape& shape, Score score, bool backward, const Limits& limits, bool quick) {
  Work work;
  const double pairs = static_cast<double>(shape.batch * shape.heads) * static_cast<double>(shape.rows) * static_cast<double>(shape.rows) / (shape.causal ? 2 : 1);
  work.name = fmt::format("attention, {}{}{}", score == Score::dot ? "products" : "distances", shape.causal ? ", causal" : "", backward ? ", with gradients" : "");
  work.size = size_of(shape);
  work.operations = (backward ? 14 : 4) * pairs * static_cast<double>(shape.dim);
  work.bound = work.operations / limits.flops + (backward ? 2 : 1) * pairs * limits.exp_seconds;
  work.tolerance = attention_tolerance;
  work.error = attention_error(shape, score, backward);
  Attention<float> attention(shape, score, 1);
  work.seconds = median_seconds([&] { attention.run(backward); }, quick);
  return work;
}

// k nearest others of random points: float products of half of all pairs.
Work neighbours_work(const Limits& limits, bool quick) {
  const std::int64_t rows = quick ? 1000 : 10'000, dim = 64, k = 15, judged = 20;
  engine::Matrix points(rows, dim);
  Random random(1, Purpose::data);
  for (Eigen::Index i = 0; i < points.size(); ++i) points.data()[i] = random.normal();
  Context context;
  context.threads = 1;
  engine::NeighbourOptions options;
  options.k = k;
  const auto find = [&] { return engine::nearest(points, points, options, context); };
  const engine::Csr found = find();
  Work work;
  work.name = "15 nearest neighbours, exact";
  work.size = fmt::format("{} x {}", grouped_digits(rows), dim);
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < judged; ++i) {
    std::vector<std::pair<double, std::int32_t>> all;
    for (std::int64_t j = 0; j < rows; ++j)
      if (j != i) all.emplace_back((points.row(i) - points.row(j)).squaredNorm(), static_cast<std::int32_t>(j));
    std::partial_sort(all.begin(), all.begin() + k, all.end());
    std::vector<std::int32_t> truth;
    for (std::int64_t n = 0; n < k; ++n) truth.push_back(all[static_cast<std::size_t>(n)].second);
    std::sort(truth.begin(), truth.end());
    std::vector<std::int32_t> own(found.column.begin() + found.begin[i], found.column.begin() + found.begin[i + 1]);
    std::sort(own.begin(), own.end());
    wrong += own != truth;
  }
  work.error = static_cast<double>(wrong) / judged;
  work.operations = static_cast<double>(rows) * static_cast<double>(rows) * static_cast<double>(dim);
  work.bound = work.operations / limits.flops;
  work.seconds = median_seconds([&] { find(); }, quick);
  return work;
}

}  // namespace

std::vector<Work> measure_work(const Limits& limits, bool quick, const Context& context) {
  std::vector<std::function<Work()>> all;
  const std::int64_t large = quick ? 256 : 2048;
  const Shape shapes[] = {{64, 8, 32, 64}, {1, 1, 500, 10}, {1, 1, 1000, 100}, {1, 4, large, 64}, {1, 4, large, 64, true}};
  for (const Shape& shape : shapes)
    for (const bool backward : {false, true})
      for (const Score score : {Score::dot, Score::squared_distance}) all.emplace_back([=, &limits] { return attention_work(shape, score, backward, limits, quick); });
  all.emplace_back([&] { return neighbours_work(limits, quick); });
  std::vector<Work> done;
  for (const auto& work : all) {
    context.check_stop("bench");
    done.push_back(work());
    context.advance(static_cast<double>(done.size()), static_cast<double>(all.size()), done.back().name);
    require(done.back().error <= done.back().tolerance, Fault::check, "[bench] expected an error of at most {:.1e} of {} ({}), found {:.1e}: please report it with the instruction set that is in use",
            done.back().tolerance, done.back().name, done.back().size, done.back().error);
  }
  return done;
}

Threads measure_threads(int threads, bool quick) {
  Threads result;
  result.threads = threads > 0 ? threads : available_threads();
  const Shape shape{1, 4, quick ? 256 : 2048, 64};
  result.size = size_of(shape);
  Attention<float> one(shape, Score::dot, 1), all(shape, Score::dot, result.threads);
  const auto wall = [](Attention<float>& attention) {
    const auto begin = std::chrono::steady_clock::now();
    attention.run(true);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  std::vector<double> alone, together;
  for (int round = 0; round < (quick ? 2 : 9); ++round) {
    alone.push_back(wall(one));
    together.push_back(wall(all));
  }
  result.speed_up = median(std::move(alone)) / median(std::move(together));
  for (std::size_t r = 0; r < one.results(true).size(); ++r)
    result.same_bits &= std::memcmp(one.results(true)[r]->data(), all.results(true)[r]->data(), one.results(true)[r]->size() * sizeof(float)) == 0;
  return result;
}

}  // namespace calor::measure
