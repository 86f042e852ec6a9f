#include "calor/learn/network/score_kind.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "bindings/torch/dense.h"
#include "calor/core/error.h"

namespace calor::learn {
namespace {

at::Tensor plain_map(const at::Tensor& tokens, const at::Tensor& weight) { return torch_ops::dense_layer(tokens, weight, {}, torch_ops::Activation::none); }

double one(std::int64_t) { return 1.0; }
double inverse_root(std::int64_t width) { return 1.0 / std::sqrt(static_cast<double>(width)); }

// score(qk): (Q x).(K y), scaled by 1/sqrt(width).  Vaswani et al. 2017.
std::vector<ParameterSpec> qk_parameters(std::int64_t width) {
  return {{"query", {width, width}, width}, {"key", {width, width}, width}};
}
Features qk_features(std::span<const at::Tensor> p, const at::Tensor& tokens) {
  return {plain_map(tokens, p[0]), plain_map(tokens, p[1])};
}

// score(l2): -|W x - W y|^2.  Kim, Papamakarios, Mnih 2021 (query and key tied).
std::vector<ParameterSpec> l2_parameters(std::int64_t width) { return {{"projection", {width, width}, width}}; }
Features l2_features(std::span<const at::Tensor> p, const at::Tensor& tokens) {
  const at::Tensor projected = plain_map(tokens, p[0]);
  return {projected, projected};
}

// score(metric): -|phi(x) - phi(y)|^2, phi(z) = z + W2 tanh(W1 z + b1) + b2.  Ruan and Zhang 2024.
std::vector<ParameterSpec> metric_parameters(std::int64_t width) {
  return {{"hidden.weight", {width, width}, width},
          {"hidden.bias", {width}, width},
          {"out.weight", {width, width}, width},
          {"out.bias", {width}, width}};
}
Features metric_features(std::span<const at::Tensor> p, const at::Tensor& tokens) {
  const at::Tensor phi = torch_ops::learned_map(tokens, p[0], p[1], p[2], p[3]);
  return {phi, phi};
}

// score(additive): LeakyReLU(a . W x + b . W y), a number for each side.  Velickovic et al. 2018.
std::vector<ParameterSpec> additive_parameters(std::int64_t width) {
  return {{"projection", {width, width}, width}, {"query", {1, width}, width}, {"key", {1, width}, width}};
}
Features additive_features(std::span<const at::Tensor> p, const at::Tensor& tokens) {
  const at::Tensor projected = plain_map(tokens, p[0]);
  return {plain_map(projected, p[1]), plain_map(projected, p[2])};
}

// score(uniform): every key weighs the same: the control.  Features of no numbers, whose products are 0.
std::vector<ParameterSpec> no_parameters(std::int64_t) { return {}; }
Features uniform_features(std::span<const at::Tensor>, const at::Tensor& tokens) {
  const at::Tensor nothing = at::zeros({tokens.size(0), 0}, tokens.options());
  return {nothing, nothing};
}

const std::vector<ScoreKind>& kinds() {
  static const std::vector<ScoreKind> table{
      {"qk", Pairing::dot, false, qk_parameters, qk_features, inverse_root, true},
      {"additive", Pairing::additive, false, additive_parameters, additive_features, one, true},
      {"l2", Pairing::squared_distance, true, l2_parameters, l2_features, one, true},
      {"metric", Pairing::squared_distance, true, metric_parameters, metric_features, one, true},
      {"uniform", Pairing::dot, true, no_parameters, uniform_features, one, false},
  };
  return table;
}

}  // namespace

const ScoreKind& score_kind(const std::string& name) {
  for (const ScoreKind& kind : kinds())
    if (kind.name == name || (kind.name == "qk" && name == "dot")) return kind;
  fail(Fault::usage, "[score] expected a score of all pairs (additive, dot, l2, metric, uniform), found {}", name);
}

}  // namespace calor::learn
