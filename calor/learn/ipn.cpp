#include "calor/learn/ipn.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include <fmt/format.h>

#include <cmath>

#include "calor/core/random.h"

namespace calor::learn {
namespace {

// A parameter with its place: the index of its random stream is fixed by layer and role, not by what comes before it.
struct Placed {
  ParameterSpec spec;
  std::uint64_t stream;
};
constexpr std::uint64_t streams_a_layer = 64, first_layer_stream = 64;

std::vector<Placed> outer_parameters(const IpnShape& s) {
  return {{{"encode.weight", {s.width, s.columns}, s.columns}, 0},
          {{"encode.bias", {s.width}, s.columns}, 1},
          {{"decode.weight", {s.classes, s.width}, s.width}, 2},
          {{"decode.bias", {s.classes}, s.width}, 3}};
}

std::vector<Placed> layer_parameters(const IpnShape& s, std::int64_t layer) {
  const std::uint64_t first = first_layer_stream + static_cast<std::uint64_t>(layer) * streams_a_layer;
  std::vector<Placed> placed{{{"value", {s.width, s.width}, s.width}, first}};
  for (ParameterSpec& spec : score_kind(s.score).parameters(s.width)) {
    spec.name = "score." + spec.name;
    placed.push_back({std::move(spec), first + placed.size()});
  }
  for (Placed& p : placed) p.spec.name = fmt::format("layers.{}.{}", layer, p.spec.name);
  return placed;
}

std::int64_t size_of(const ParameterSpec& spec) {
  std::int64_t size = 1;
  for (const std::int64_t extent : spec.shape) size *= extent;
  return size;
}

bool trains_factors(const IpnShape& s) { return s.temperature == Temperature::learn && score_kind(s.score).tempered; }

}  // namespace

std::int64_t parameter_count(const IpnShape& shape) {
  std::int64_t count = trains_factors(shape) ? shape.layers : 0;
  for (const Placed& p : outer_parameters(shape)) count += size_of(p.spec);
  for (std::int64_t l = 0; l < shape.layers; ++l) {
    for (const Placed& p : layer_parameters(shape, l)) count += size_of(p.spec);
  }
  return count;
}

Ipn::Ipn(const IpnShape& shape, std::uint64_t seed, at::ScalarType dtype)
    : shape_(shape), attention_{&score_kind(shape.score), shape.normalise} {
  const at::NoGradGuard no_gradient;
  const std::int64_t total = parameter_count(shape);
  values_ = at::zeros({total}, dtype);
  gradients_ = at::zeros({total}, dtype);
  std::int64_t begin = 0;
  const auto take = [&](const std::string& name, const std::vector<std::int64_t>& extents, std::int64_t size) {
    at::Tensor parameter = values_.narrow(0, begin, size).view(extents).detach();
    parameter.requires_grad_();
    parameter.mutable_grad() = gradients_.narrow(0, begin, size).view(extents).detach();
    begin += size;
    state_.push_back({name, parameter});
    return parameter;
  };
  const auto create = [&](const Placed& placed) {
    const at::Tensor parameter = take(placed.spec.name, placed.spec.shape, size_of(placed.spec));
    Random random(seed, Purpose::weights, placed.stream);
    const double bound = 1.0 / std::sqrt(static_cast<double>(placed.spec.fan_in));
    std::vector<double> drawn(static_cast<std::size_t>(parameter.numel()));
    for (double& number : drawn) number = random.uniform(-bound, bound);
    parameter.detach().copy_(at::from_blob(drawn.data(), parameter.sizes(), at::kDouble));
    return parameter;
  };
  const auto outer = outer_parameters(shape);
  encode_weight_ = create(outer[0]);
  encode_bias_ = create(outer[1]);
  decode_weight_ = create(outer[2]);
  decode_bias_ = create(outer[3]);
  layers_.resize(static_cast<std::size_t>(shape.layers));
  for (std::int64_t l = 0; l < shape.layers; ++l) {
    Layer& layer = layers_[static_cast<std::size_t>(l)];
    const auto placed = layer_parameters(shape, l);
    layer.value = create(placed.front());
    for (std::size_t i = 1; i < placed.size(); ++i) layer.score.push_back(create(placed[i]));
  }
  decayed_ = begin;
  const double fixed = attention_.score->fixed_factor(shape.width) / shape.bandwidth;
  for (std::int64_t l = 0; l < shape.layers; ++l) {
    Layer& layer = layers_[static_cast<std::size_t>(l)];
    if (trains_factors(shape)) {
      layer.log_factor = take(fmt::format("layers.{}.log_factor", l), {1, 1}, 1);
      layer.log_factor.detach().fill_(std::log(fixed));
    } else {
      layer.factor = at::full({1, 1}, fixed, dtype);
      state_.push_back({fmt::format("layers.{}.factor", l), layer.factor});
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
