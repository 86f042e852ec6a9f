#include "calor/learn/rows/ipn.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tanh.h>

#include <fmt/format.h>

#include <cmath>

namespace calor::learn {
namespace {

// The index of a weight's random stream is fixed by layer and role, not by what comes before it.
constexpr std::uint64_t streams_a_layer = 64, first_layer_stream = 64;

WeightSpec linear_spec(std::string name, std::vector<std::int64_t> shape, std::int64_t fan_in, std::uint64_t stream) {
  return {std::move(name), std::move(shape), 1.0 / std::sqrt(static_cast<double>(fan_in)), 0, stream};
}

std::vector<WeightSpec> layer_specs(const IpnShape& s, std::int64_t layer) {
  const std::uint64_t first = first_layer_stream + static_cast<std::uint64_t>(layer) * streams_a_layer;
  std::vector<WeightSpec> specs{linear_spec(fmt::format("layers.{}.value", layer), {s.width, s.width}, s.width, first)};
  for (ParameterSpec& spec : score_kind(s.score).parameters(s.width))
    specs.push_back(linear_spec(fmt::format("layers.{}.score.{}", layer, spec.name), std::move(spec.shape), spec.fan_in, first + specs.size()));
  return specs;
}

bool trains_factors(const IpnShape& s) { return s.temperature == Temperature::learn && score_kind(s.score).tempered; }

double fixed_factor(const IpnShape& s) { return score_kind(s.score).fixed_factor(s.width) / s.bandwidth; }

// Encoding and decoding, the layers, and the logarithms of factors that are trained.
std::vector<WeightSpec> specs_of(const IpnShape& s) {
  std::vector<WeightSpec> specs{linear_spec("encode.weight", {s.width, s.columns}, s.columns, 0), linear_spec("encode.bias", {s.width}, s.columns, 1),
                                linear_spec("decode.weight", {s.classes, s.width}, s.width, 2), linear_spec("decode.bias", {s.classes}, s.width, 3)};
  for (std::int64_t l = 0; l < s.layers; ++l)
    for (WeightSpec& spec : layer_specs(s, l)) specs.push_back(std::move(spec));
  if (trains_factors(s))
    for (std::int64_t l = 0; l < s.layers; ++l) specs.push_back({fmt::format("layers.{}.log_factor", l), {1, 1}, 0, std::log(fixed_factor(s))});
  return specs;
}

}  // namespace

std::int64_t parameter_count(const IpnShape& shape) {
  std::int64_t count = 0;
  for (const WeightSpec& spec : specs_of(shape)) count += spec.size();
  return count;
}

Ipn::Ipn(const IpnShape& shape, std::uint64_t seed, at::ScalarType dtype)
    : shape_(shape), attention_{&score_kind(shape.score), shape.normalise}, weights_(specs_of(shape), seed, dtype) {
  const std::vector<WeightSpec> specs = specs_of(shape);
  for (std::size_t w = 0; w < specs.size(); ++w) state_.push_back({specs[w].name, weights_[w]});
  encode_weight_ = weights_[0], encode_bias_ = weights_[1], decode_weight_ = weights_[2], decode_bias_ = weights_[3];
  std::size_t next = 4;
  layers_.resize(static_cast<std::size_t>(shape.layers));
  for (Layer& layer : layers_) {
    layer.value = weights_[next++];
    for (std::size_t p = attention_.score->parameters(shape.width).size(); p > 0; --p) layer.score.push_back(weights_[next++]);
  }
  for (std::size_t w = 0; w < next; ++w) decayed_ += specs[w].size();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (trains_factors(shape)) {
      layers_[l].log_factor = weights_[next++];
    } else {
      layers_[l].factor = at::full({1, 1}, fixed_factor(shape), dtype);
      state_.push_back({fmt::format("layers.{}.factor", l), layers_[l].factor});
    }
  }
}

void Ipn::start_factors(const at::Tensor& tokens) {
  if (shape_.temperature == Temperature::fixed || !attention_.score->tempered) return;
  const at::NoGradGuard no_gradient;
  at::Tensor hidden = encode(tokens);
  for (std::int64_t l = 0; l < shape_.layers; ++l) {
    const LayerInput input = prepare(l, hidden);
    const double start = factor_of_spread(attention_.score->pairing, input.features);
    Layer& layer = layers_[static_cast<std::size_t>(l)];
    if (layer.log_factor.defined()) {
      layer.log_factor.detach().fill_(std::log(start));
    } else {
      layer.factor.fill_(start);
    }
    hidden = propagate(hidden, attend(attention_, input, factor(l)).out);
  }
}

void Ipn::set_factors(const std::vector<float>& factors) {
  const at::NoGradGuard no_gradient;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (layers_[l].factor.defined()) layers_[l].factor.fill_(factors.at(l));
  }
}

at::Tensor Ipn::encode(const at::Tensor& points) const {
  return at::tanh(at::linear(points, encode_weight_, encode_bias_));
}

LayerInput Ipn::prepare(std::int64_t layer, const at::Tensor& hidden) const {
  const Layer& weights = layers_[static_cast<std::size_t>(layer)];
  return {attention_.score->features(weights.score, hidden), at::linear(hidden, weights.value)};
}

at::Tensor Ipn::propagate(const at::Tensor& hidden, const at::Tensor& received) const {
  return at::tanh(shape_.residual ? hidden + received : received);
}

at::Tensor Ipn::decode(const at::Tensor& hidden) const { return at::linear(hidden, decode_weight_, decode_bias_); }

at::Tensor Ipn::forward(const at::Tensor& points) const {
  at::Tensor hidden = encode(points);
  for (std::int64_t l = 0; l < shape_.layers; ++l) {
    hidden = propagate(hidden, attend(attention_, prepare(l, hidden), factor(l)).out);
  }
  return decode(hidden);
}

at::Tensor Ipn::factor(std::int64_t layer) const {
  const Layer& weights = layers_[static_cast<std::size_t>(layer)];
  return weights.log_factor.defined() ? weights.log_factor.exp() : weights.factor;
}

std::vector<double> Ipn::factors() const {
  std::vector<double> all;
  for (std::int64_t l = 0; l < shape_.layers; ++l) all.push_back(factor(l).item<double>());
  return all;
}

}  // namespace calor::learn
