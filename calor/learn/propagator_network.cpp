#include "calor/learn/propagator_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "bindings/torch/attention.h"
#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::learn {
namespace {

// The points as each other's keys: log sums over all others of exp(-temperature |point - key|^2 + bias of the key), and the values
// weighed by them.
std::tuple<at::Tensor, at::Tensor> among(const at::Tensor& points, const at::Tensor& temperature, const at::Tensor& bias, const at::Tensor& values) {
  torch_ops::AttentionOptions options;
  options.score = kernels::Score::squared_distance;
  options.own_key = 0;
  if (bias.defined()) options.bias = bias.unsqueeze(0).unsqueeze(0);
  const at::Tensor head = points.unsqueeze(0).unsqueeze(0);
  const auto [out, sums] = torch_ops::attention(head, head, values.unsqueeze(0).unsqueeze(0), temperature, options);
  return {out.squeeze(0).squeeze(0), sums.squeeze(0).squeeze(0)};
}

at::Tensor log_sums(const at::Tensor& points, const at::Tensor& temperature, const at::Tensor& bias) {
  return std::get<1>(among(points, temperature, bias, at::zeros({points.size(0), 1}, points.options())));
}

engine::Matrix matrix_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kDouble).contiguous();
  return Eigen::Map<const engine::Matrix>(values.data_ptr<double>(), values.size(0), values.size(1));
}

}  // namespace

PropagatorNetwork::PropagatorNetwork(std::int64_t width, std::int64_t hidden, double temperature, double alpha, std::uint64_t seed,
                                     at::ScalarType dtype)
    : width_(width), hidden_(hidden), values_(at::zeros({width * width + 2 * hidden * width + hidden + 2}, dtype)) {
  const at::NoGradGuard no_gradient;
  residual().copy_(at::eye(width));
  std::vector<double> drawn(static_cast<std::size_t>(hidden * width + hidden));
  Random random(seed, Purpose::weights);
  const double bound = 1 / std::sqrt(static_cast<double>(width));
  for (double& number : drawn) number = random.uniform(-bound, bound);
  const auto count = static_cast<std::int64_t>(drawn.size());
  values_.narrow(0, width * width, count).copy_(at::from_blob(drawn.data(), {count}, at::kDouble));
  values_.narrow(0, decayed(), 1).fill_(std::log(temperature));
  values_.narrow(0, decayed() + 1, 1).fill_(alpha);
  values_.requires_grad_();
}

at::Tensor PropagatorNetwork::part(std::int64_t begin, std::int64_t rows, std::int64_t columns) const {
  return values_.narrow(0, begin, rows * columns).view({rows, columns});
}

at::Tensor PropagatorNetwork::embed(const at::Tensor& points) const {
  const at::Tensor hidden = at::relu(points.matmul(first().t()) + first_bias());
  return points.matmul(residual().t()) + hidden.matmul(second().t());
}

at::Tensor PropagatorNetwork::temperature() const { return values_.narrow(0, decayed(), 1).exp().view({1, 1}); }

at::Tensor PropagatorNetwork::key_bias(const at::Tensor& embedded) const {
  return -values_.narrow(0, decayed() + 1, 1) * log_sums(embedded, temperature(), {});
}

at::Tensor PropagatorNetwork::loss(const at::Tensor& points, const at::Tensor& labels) const {
  const at::Tensor order = at::argsort(labels, /*stable=*/true, 0);
  const at::Tensor grouped = labels.index_select(0, order);
  const std::int64_t* label = grouped.data_ptr<std::int64_t>();
  std::vector<std::array<std::int64_t, 2>> classes;  // begin and size of those with two points
  for (std::int64_t begin = 0, end = 0; begin < grouped.numel(); begin = end) {
    while (end < grouped.numel() && label[end] == label[begin]) ++end;
    if (end - begin > 1) classes.push_back({begin, end - begin});
  }
  if (classes.empty()) return {};
  const at::Tensor embedded = embed(points.index_select(0, order)), bias = key_bias(embedded), all = log_sums(embedded, temperature(), bias);
  std::vector<at::Tensor> differences;
  for (const auto& [begin, size] : classes)
    differences.push_back(all.narrow(0, begin, size) - log_sums(embedded.narrow(0, begin, size), temperature(), bias.narrow(0, begin, size)));
  return at::cat(differences).mean();
}

at::Tensor PropagatorNetwork::squared_error(const at::Tensor& points, const at::Tensor& targets) const {
  if (points.size(0) < 2) return {};
  const at::Tensor embedded = embed(points);
  const at::Tensor values = std::get<0>(among(embedded, temperature(), key_bias(embedded), targets.unsqueeze(1)));
  return (values.squeeze(1) - targets).square().mean();
}

bool PropagatorNetwork::finite() const {
  const at::NoGradGuard no_gradient;
  constexpr double most = 1e15;  // squares of what such numbers make of points stay floats
  return values_.abs().max().item<double>() < most && temperature().item<double>() < most;  // false for NaN
}

std::vector<float> PropagatorNetwork::state() const {
  const float* begin = values_.data_ptr<float>();
  return {begin, begin + values_.numel()};
}

void PropagatorNetwork::restore(const std::vector<float>& state) {
  require(static_cast<std::int64_t>(state.size()) == values_.numel(), Fault::internal, "[propagator] expected {} numbers, found {}", values_.numel(),
          state.size());
  std::copy(state.begin(), state.end(), values_.data_ptr<float>());
}

void PropagatorNetwork::write(Propagator& model) const {
  const at::NoGradGuard no_gradient;
  model.residual = matrix_of(residual());
  model.first = matrix_of(first());
  model.first_bias = matrix_of(first_bias());
  model.second = matrix_of(second());
  model.temperature = std::exp(values_.narrow(0, decayed(), 1).item<double>());
  model.alpha = values_.narrow(0, decayed() + 1, 1).item<double>();
}

}  // namespace calor::learn
