// Attention on one thread: torch's scaled_dot_product_attention against the streamed operator, forward and
// forward + backward, interleaved in one run, after checking every answer against the definition in double.
//
//   calor_bench_attention [--quick] [--json FILE]
//
// Scores: products, squared distances, and squared distances of a learned map phi(x) = x + W2 tanh(W1 x); products of bfloat16 too.
// Floating-point operations are counted as 4 N^2 d H forward and 14 N^2 d H for both, phi's as 8 N d^2 H and 24 N d^2 H.  The bound is the time that their
// multiply-adds and N^2 H exponentials (twice for both; a hyperbolic tangent counts as one) take at the rates that calor/measure/limits.h measures in the same run.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros_like.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/api/include/torch/version.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "calor/measure/interleave.h"
#include "calor/measure/limits.h"
#include "bench/program.h"
#include "bindings/torch/attention.h"
#include "calor/core/error.h"

namespace {

using at::Tensor;
using calor::measure::Contestant;
using calor::torch_ops::AttentionOptions;
using calor::torch_ops::Score;

struct Shape {
  std::int64_t rows, heads, dim;
};

struct Inputs {
  Tensor q, k, v, first, second;  // the last two: phi's matrices, d x d
  Inputs to(at::ScalarType type) const { return {q.to(type), k.to(type), v.to(type), first.to(type), second.to(type)}; }
  std::vector<Tensor> list(bool mapped) const { return mapped ? std::vector<Tensor>{q, k, v, first, second} : std::vector<Tensor>{q, k, v}; }
};

using Attend = Tensor (*)(const Inputs&);

Tensor scale_of(const Inputs& in) {
  const auto number = in.q.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  return at::ones({}, in.q.options().dtype(number)).div_(std::sqrt(double(in.q.size(3))));
}

Tensor torch_dot(const Inputs& in) { return at::scaled_dot_product_attention(in.q, in.k, in.v); }

// -s |q - k|^2 = 2 s (q, 1, 1) . (k, -|k|^2 / 2 rounded, its rest) up to a row constant: torch's kernel on two more channels (an even
// number keeps its fast path; of floats the rest is 0), values padded alike, points centred by the caller.
Tensor torch_widened(const Inputs& in) {
  const auto number = in.q.scalar_type();
  const auto norm = in.k.to(at::kFloat).square().sum(3, true).mul(-0.5), rounded = norm.to(number), rest = norm.sub(rounded).to(number);
  const auto one = at::ones_like(in.q.narrow(3, 0, 1)), none = at::zeros_like(rounded);
  const auto queries = at::cat({in.q, one, one}, 3);
  const auto keys = at::cat({in.k, rounded, rest}, 3), values = at::cat({in.v, none, none}, 3);
  const double scale = 2 / std::sqrt(double(in.q.size(3)));
  return at::scaled_dot_product_attention(queries, keys, values, {}, 0.0, false, scale).narrow(3, 0, in.v.size(3));
}

Tensor phi(const Tensor& x, const Inputs& in) { return x + at::linear(at::linear(x, in.first).tanh(), in.second); }

template <Tensor attend(const Inputs&)>
Tensor mapped(const Inputs& in) {
  return attend({phi(in.q, in), phi(in.k, in), in.v, in.first, in.second});
}

AttentionOptions options_of(Score score) {
  AttentionOptions options;
  options.score = score;
  return options;
}

template <Score score>
Tensor calor_attention(const Inputs& in) {
  return std::get<0>(calor::torch_ops::attention(in.q, in.k, in.v, scale_of(in), options_of(score)));
}

template <Score score>
Tensor definition(const Inputs& in) {
  return std::get<0>(calor::torch_ops::attention_composed(in.q, in.k, in.v, scale_of(in), options_of(score)));
}

// A sum of up to 8192 products, through a softmax and back: some hundred roundings at the worst element.  Of bfloat16: the weights and their
// gradients rounded to 2^-9, and the gradients' sums of a few hundred of them.
constexpr double largest_error = 300 * 1.2e-7, largest_error_of_bfloat16 = 0.05;

struct Entry {
  const char *name, *library, *score;
  Attend attend, definition;
  at::ScalarType numbers = at::kFloat;
  bool is_mapped() const { return std::string(score) == "metric"; }
  double tolerance() const { return numbers == at::kFloat ? largest_error : largest_error_of_bfloat16; }
};

// In pairs: the peer, and ours.
const Entry entries[] = {
    {"torch dot", "torch", "dot", torch_dot, definition<Score::dot>},
    {"calor dot", "calor", "dot", calor_attention<Score::dot>, definition<Score::dot>},
    {"torch L2, widened", "torch", "squared_distance", torch_widened, definition<Score::squared_distance>},
    {"calor L2", "calor", "squared_distance", calor_attention<Score::squared_distance>, definition<Score::squared_distance>},
    {"torch metric", "torch", "metric", mapped<torch_widened>, mapped<definition<Score::squared_distance>>},
    {"calor metric", "calor", "metric", mapped<calor_attention<Score::squared_distance>>, mapped<definition<Score::squared_distance>>},
    {"torch dot, bf16", "torch", "dot", torch_dot, definition<Score::dot>, at::kBFloat16},
    {"calor dot, bf16", "calor", "dot", calor_attention<Score::dot>, definition<Score::dot>, at::kBFloat16},
    {"torch L2, widened, bf16", "torch", "squared_distance", torch_widened, definition<Score::squared_distance>, at::kBFloat16},
    {"calor L2, bf16", "calor", "squared_distance", calor_attention<Score::squared_distance>, definition<Score::squared_distance>, at::kBFloat16},
};

Inputs leaves(const Inputs& in, at::ScalarType type) {
  auto out = in.to(type);
  for (auto* tensor : {&out.q, &out.k, &out.v, &out.first, &out.second}) *tensor = tensor->detach().clone().set_requires_grad(true);
  return out;
}

// The largest error of output and gradients relative to each one's largest value, on all keys and the first 128 queries
// of one head.
double error_of(const Entry& entry, const Inputs& all) {
  const auto rows = std::min<std::int64_t>(128, all.q.size(2));
  const Inputs part = {all.q.narrow(1, 0, 1).narrow(2, 0, rows), all.k.narrow(1, 0, 1), all.v.narrow(1, 0, 1), all.first, all.second};
  const auto single = leaves(part, entry.numbers), exact = leaves(single, at::kDouble);
  const bool mapped = entry.is_mapped();
  const auto found = entry.attend(single), expected = entry.definition(exact);
  const auto d_out = at::randn(expected.sizes(), expected.options()).to(entry.numbers);
  auto found_all = torch::autograd::grad({found}, single.list(mapped), {d_out});
  auto expected_all = torch::autograd::grad({expected}, exact.list(mapped), {d_out.to(at::kDouble)});
  found_all.push_back(found), expected_all.push_back(expected);
  double worst = 0;
  for (std::size_t i = 0; i < found_all.size(); ++i) {
    const auto difference = (found_all[i].to(at::kDouble) - expected_all[i]).abs().max().item<double>();
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference / expected_all[i].abs().max().item<double>());
  }
  return worst;
}

nlohmann::json measure(const Shape& shape, bool backward, const calor::measure::Limits& limits, bool quick) {
  const Inputs data = {at::randn({1, shape.heads, shape.rows, shape.dim}), at::randn({1, shape.heads, shape.rows, shape.dim}),
                       at::randn({1, shape.heads, shape.rows, shape.dim}), at::randn({shape.dim, shape.dim}).div_(std::sqrt(double(shape.dim))),
                       at::randn({shape.dim, shape.dim}).div_(std::sqrt(double(shape.dim)))};
  const auto in_float = leaves(data, at::kFloat), in_bfloat16 = leaves(data, at::kBFloat16);
  const auto d_out = at::randn(data.v.sizes());
  std::vector<Contestant> contestants;
  for (const auto& entry : entries) {
    const auto& inputs = entry.numbers == at::kFloat ? in_float : in_bfloat16;
    contestants.push_back({entry.name, [&, received = d_out.to(entry.numbers)] {
                             if (backward) {
                               torch::autograd::grad({entry.attend(inputs)}, inputs.list(entry.is_mapped()), {received});
                             } else {
                               at::NoGradGuard guard;
                               entry.attend(inputs);
                             }
                           }});
  }
  const double pairs = double(shape.rows) * double(shape.rows) * double(shape.heads);
  const double rows = double(shape.rows) * double(shape.heads), dim = double(shape.dim);
  calor::measure::interleave(contestants, quick ? 0.1 : 1, 1, quick ? 3 : 41);
  nlohmann::json results = nlohmann::json::array();
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const auto& found = contestants[i];
    const double error = error_of(entries[i], data), peer = contestants[i / 2 * 2].seconds;
    const bool mapped = entries[i].is_mapped();
    const double operations = (backward ? 14 : 4) * pairs * dim + (mapped ? (backward ? 24 : 8) * rows * dim * dim : 0);
    const double exponentials = (backward ? 2 : 1) * pairs + (mapped ? 2 * rows * dim : 0);
    const double bound = operations / limits.flops + exponentials * limits.exp_seconds;
    results.push_back({{"rows", shape.rows}, {"heads", shape.heads}, {"dim", shape.dim}, {"backward", backward},
                       {"name", found.name}, {"library", entries[i].library}, {"score", entries[i].score},
                       {"numbers", entries[i].numbers == at::kFloat ? "float" : "bfloat16"}, {"seconds", found.seconds}, {"flops", operations / found.seconds},
                       {"ratio_to_peer", peer / found.seconds}, {"share_of_bound", bound / found.seconds},
                       {"error", error}});
    fmt::print("{:>5} {:>2} {:>4}  {:8}  {:18} {:10.3f} {:9.1f} {:8.2f} {:7.0f} % {:9.1e}\n", shape.rows, shape.heads,
               shape.dim, backward ? "both" : "forward", found.name, found.seconds * 1e3,
               operations / found.seconds * 1e-9, peer / found.seconds, 100 * bound / found.seconds, error);
    calor::require(error < entries[i].tolerance(), calor::Fault::check,
                   "[calor_bench_attention] expected an error below {:.1e}, found {:.1e} ({}, N = {}, d = {})",
                   entries[i].tolerance(), error, found.name, shape.rows, shape.dim);
  }
  return results;
}

// The two figures that matter, each at its worst over the shapes with several heads.
void print_verdict(const nlohmann::json& results) {
  double slowest = INFINITY, dearest = 0, dot_seconds = 0;
  for (const auto& result : results) {
    if (result["rows"] < 512 || result["heads"] == 1) continue;
    const double seconds = result["seconds"];
    if (result["name"] == "calor dot") {
      dot_seconds = seconds;
      slowest = std::min(slowest, result["ratio_to_peer"].get<double>());
    } else if (result["name"] == "calor L2") {
      dearest = std::max(dearest, seconds / dot_seconds);
    }
  }
  fmt::print("\nAt d = 64 and from N = 512, worst of all sizes and passes: calor dot runs at {:.2f} times the speed of torch's, calor L2 takes "
             "{:.2f} times as long as calor dot.\n", slowest, dearest);
}

int run(const calor::bench::Options& options) {
  at::set_num_threads(1);
  at::manual_seed(1);
  const auto limits = calor::measure::measure_limits();
  fmt::print("One thread, float; calor uses {}; bound from {}: {:.1f} GFLOP/s multiply-add, {:.3f} ns an exponential.\n"
             "ratio: peer's time over this time, the peer being torch's operator for the same score (above 1 is faster).\n\n"
             "    N  H    d  pass      operator                   ms   GFLOP/s    ratio    bound     error\n",
             calor::kernels::isa_name(), limits.target, limits.flops * 1e-9, limits.exp_seconds * 1e9);
  std::vector<Shape> shapes = {{500, 1, 10}, {1000, 1, 100}, {512, 8, 64}};
  if (!options.quick) shapes.insert(shapes.end(), {{32, 8, 64}, {128, 8, 64}, {1024, 8, 64}, {2048, 8, 64}, {4096, 8, 64}, {8192, 8, 64}});
  nlohmann::json results = nlohmann::json::array();
  for (const auto& shape : shapes) {
    for (const bool backward : {false, true}) {
      for (auto& result : measure(shape, backward, limits, options.quick)) results.push_back(std::move(result));
    }
  }
  print_verdict(results);
  calor::bench::write_json(options, {{"schema", 1}, {"kind", "bench_attention"}, {"isa", calor::kernels::isa_name()},
                                     {"torch", TORCH_VERSION}, {"limits", {{"target", limits.target}, {"flops", limits.flops},
                                                 {"exp_seconds", limits.exp_seconds}}},
                                     {"results", results}});
  return 0;
}

}  // namespace

int main(int count, char** arguments) { return calor::bench::program("calor_bench_attention", count, arguments, run); }
