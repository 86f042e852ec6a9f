// One training step (forward, cross-entropy, backward, AdamW) of a two-layer metric IPN: the same model composed of torch
// operators against the one that uses the fused ones.  Interleaved medians on one thread, after checking that all
// variants follow the same losses.
//
//   calor_bench_ipn_step [--quick] [--json FILE]
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "calor/measure/interleave.h"
#include "bench/program.h"
#include "bindings/torch/attention.h"
#include "bindings/torch/dense.h"
#include "calor/core/error.h"

namespace {

using at::Tensor;
using calor::measure::Contestant;
using calor::torch_ops::Activation;
constexpr int layers = 2;

struct Layer {
  Tensor w1, b1, w2, b2, value;
};

struct Model {
  Tensor in_weight, in_bias, out_weight, out_bias;
  std::vector<Layer> layers;
  std::vector<Tensor> parameters, first_moments, second_moments, steps;

  explicit Model(std::int64_t features, std::int64_t width, std::int64_t classes) {
    at::manual_seed(7);
    const auto weight = [&](std::int64_t out, std::int64_t in) {
      return keep(at::rand({out, in}).mul_(2).sub_(1).div_(std::sqrt(double(in))));
    };
    const auto bias = [&](std::int64_t out, std::int64_t in) {
      return keep(at::rand({out}).mul_(2).sub_(1).div_(std::sqrt(double(in))));
    };
    in_weight = weight(width, features), in_bias = bias(width, features);
    for (int i = 0; i < ::layers; ++i) {
      layers.push_back({weight(width, width), bias(width, width), weight(width, width), bias(width, width),
                        weight(width, width)});
    }
    out_weight = weight(classes, width), out_bias = bias(classes, width);
  }

  Tensor keep(Tensor parameter) {
    parameter.set_requires_grad(true);
    parameters.push_back(parameter);
    first_moments.push_back(at::zeros_like(parameter)), second_moments.push_back(at::zeros_like(parameter));
    steps.push_back(at::zeros({}));
    return parameter;
  }
};

Tensor phi_composed(const Tensor& h, const Layer& layer) {
  return h + at::linear(at::linear(h, layer.w1, layer.b1).tanh(), layer.w2, layer.b2);
}

// What a step is made of: W x + b, tanh of it, and a layer's result.
struct Operators {
  std::function<Tensor(const Tensor&, const Tensor&, const Tensor&)> map, tangent;
  std::function<Tensor(const Tensor&, const Layer&)> layer;
};

double step(Model& model, const Operators& by, const Tensor& points, const Tensor& labels) {
  auto h = by.tangent(points, model.in_weight, model.in_bias);
  for (const auto& layer : model.layers) h = by.layer(h, layer);
  const auto loss = at::cross_entropy_loss(by.map(h, model.out_weight, model.out_bias), labels);
  loss.backward();
  std::vector<Tensor> gradients;
  for (auto& parameter : model.parameters) gradients.push_back(parameter.grad());
  at::NoGradGuard guard;
  at::_foreach_add_(model.steps, 1);
  at::_fused_adamw_(model.parameters, gradients, model.first_moments, model.second_moments, {}, model.steps, 1e-3, 0.9,
                    0.999, 1e-4, 1e-8, false, false);
  for (auto& parameter : model.parameters) parameter.mutable_grad().reset();
  return loss.item<double>();
}

Tensor by_cdist(const Tensor& h, const Layer& layer) {
  const auto u = phi_composed(h, layer);
  return at::cdist(u, u).square().neg().softmax(1).matmul(at::linear(h, layer.value));
}

// The row constant |u_i|^2 is left out: the softmax does not see it.
Tensor by_expansion(const Tensor& h, const Layer& layer) {
  const auto u = phi_composed(h, layer);
  const auto scores = at::addmm(u.square().sum(1).neg().unsqueeze(0), u, u.t(), 1, 2);
  return scores.softmax(1).matmul(at::linear(h, layer.value));
}

Tensor fused_layer(const Tensor& h, const Layer& layer) {
  static const Tensor scale = at::ones({});
  const std::array<std::int64_t, 4> head{1, 1, h.size(0), h.size(1)};
  const auto u = calor::torch_ops::learned_map(h, layer.w1, layer.b1, layer.w2, layer.b2).view(head);
  const auto v = calor::torch_ops::dense_layer(h, layer.value, {}, Activation::none).view(head);
  calor::torch_ops::AttentionOptions options;
  options.score = calor::kernels::Score::squared_distance;
  return calor::torch_ops::tanh_of_sum(h, std::get<0>(calor::torch_ops::attention(u, u, v, scale, options)).view(h.sizes()));
}

Operators composed(Tensor (*block)(const Tensor&, const Layer&)) {
  const auto map = [](const Tensor& x, const Tensor& weight, const Tensor& bias) { return at::linear(x, weight, bias); };
  return {map, [=](const Tensor& x, const Tensor& weight, const Tensor& bias) { return map(x, weight, bias).tanh(); },
          [=](const Tensor& h, const Layer& layer) { return (h + block(h, layer)).tanh(); }};
}

Operators fused() {
  const auto as = [](Activation activation) {
    return [=](const Tensor& x, const Tensor& weight, const Tensor& bias) { return calor::torch_ops::dense_layer(x, weight, bias, activation); };
  };
  return {as(Activation::none), as(Activation::tanh), fused_layer};
}

struct Variant {
  const char* name;
  Operators by;
};

const Variant variants[] = {{"torch, cdist", composed(by_cdist)}, {"torch, expanded", composed(by_expansion)}, {"calor", fused()}};

struct Size {
  std::int64_t points, width;
};

// Steps until every variant has been seen to follow the first one's losses; afterwards the models are as good as new for
// timing.  Adam divides by the gradient's size, so that roundings of 1e-6 may move a weight by some 1e-5 a step.
constexpr int checked_steps = 20;
constexpr double largest_difference = 1e-3;

nlohmann::json measure(const Size& size, bool quick) {
  at::manual_seed(1);
  const auto points = at::randn({size.points, 2});
  const auto labels = points.select(1, 0).mul(points.select(1, 1)).gt(0).to(at::kLong);
  std::vector<Model> models;
  for (std::size_t i = 0; i < std::size(variants); ++i) models.emplace_back(2, size.width, 2);
  std::vector<double> worst(std::size(variants));
  for (int n = 0; n < checked_steps; ++n) {
    double first = 0;
    for (std::size_t i = 0; i < std::size(variants); ++i) {
      const double loss = step(models[i], variants[i].by, points, labels);
      if (i == 0) first = loss;
      worst[i] = std::max(worst[i], std::abs(loss - first));
      calor::require(worst[i] < largest_difference, calor::Fault::check,
                     "[calor_bench_ipn_step] expected the loss {:.6f} of \"{}\" in step {}, found {:.6f} ({})", first,
                     variants[0].name, n, loss, variants[i].name);
    }
  }
  std::vector<Contestant> contestants;
  for (std::size_t i = 0; i < std::size(variants); ++i) {
    contestants.push_back({variants[i].name, [&, i] { step(models[i], variants[i].by, points, labels); }});
  }
  calor::measure::interleave(contestants, quick ? 0.1 : 3, quick ? 1 : 7, quick ? 3 : 201);
  const double peer = std::min(contestants[0].seconds, contestants[1].seconds);
  nlohmann::json results = nlohmann::json::array();
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    const auto& found = contestants[i];
    fmt::print("{:>6} {:>5}  {:16} {:9.3f} {:7.2f} {:9.1e}\n", size.points, size.width, found.name, found.seconds * 1e3,
               peer / found.seconds, worst[i]);
    results.push_back({{"points", size.points}, {"width", size.width}, {"name", found.name},
                       {"seconds", found.seconds}, {"ratio_to_peer", peer / found.seconds},
                       {"loss_difference", worst[i]}});
  }
  return results;
}

int run(const calor::bench::Options& options) {
  at::set_num_threads(1);
  fmt::print("A training step of a 2-layer metric IPN, one thread, float; calor uses {}.\n"
             "ratio: time of the faster composition over this time (above 1 is faster); loss: largest difference in {} steps.\n\n"
             "points width  model                   ms   ratio      loss\n",
             calor::kernels::isa_name(), checked_steps);
  nlohmann::json results = nlohmann::json::array();
  std::vector<Size> sizes = {{400, 10}};
  if (!options.quick) sizes.insert(sizes.end(), {{8, 10}, {1000, 100}});
  for (const auto& size : sizes) {
    for (auto& result : measure(size, options.quick)) results.push_back(std::move(result));
  }
  calor::bench::write_json(options, {{"schema", 1}, {"kind", "bench_ipn_step"}, {"isa", calor::kernels::isa_name()},
                                     {"results", results}});
  return 0;
}

}  // namespace

int main(int count, char** arguments) { return calor::bench::program("calor_bench_ipn_step", count, arguments, run); }
