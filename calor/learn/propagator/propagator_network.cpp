#include "calor/learn/propagator/propagator_network.h"

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
#include <limits>
#include <numeric>

#include "bindings/torch/attention.h"
#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/kernels/metric_map.h"
#include "calor/kernels/mutual.h"
#include "calor/kernels/workspace.h"

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

// The points in the order given, mapped, and `loss` of them: nothing where it is nothing.
template <class Loss>
std::optional<double> PropagatorNetwork::by_kernels(const at::Tensor& points, const std::vector<std::int64_t>& order, std::span<float> gradient,
                                                    const Loss& loss) const {
  const auto count = static_cast<std::int64_t>(order.size()), stride = kernels::batch_stride(count);
  if (values_.scalar_type() != at::kFloat || count < 2 || count > kernels::most_mutual) return std::nullopt;
  const kernels::WorkspaceScope workspace(kernels::WorkspaceScope::Use::problem);
  float *batch = workspace->take<float>(width_ * stride), *units = workspace->take<float>(hidden_ * stride), *mapped = workspace->take<float>(width_ * stride),
        *d_mapped = workspace->take<float>(width_ * stride);
  std::fill_n(batch, width_ * stride, 0.0F);
  const at::Tensor given = points.contiguous();
  const float* from = given.data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t c = 0; c < width_; ++c) batch[c * stride + i] = from[order[static_cast<std::size_t>(i)] * width_ + c];
  const auto parts = [&](auto* numbers) {
    return std::array{numbers, numbers + width_ * width_, numbers + width_ * width_ + hidden_ * width_, numbers + width_ * width_ + hidden_ * width_ + hidden_};
  };
  const float* values = values_.data_ptr<float>();
  const auto [residual, first, first_bias, second] = parts(values);
  const kernels::MetricMap<const float> map{residual, first, first_bias, second};
  const kernels::MapBatch mapping{width_, hidden_, count, stride, batch};
  kernels::map_batch(mapping, map, units, mapped);
  kernels::MutualGradient by_points{d_mapped};
  const std::optional<double> found = loss(kernels::MutualPoints{mapped, count, stride, width_, std::exp(values[decayed()]), values[decayed() + 1]}, by_points);
  if (!found) return std::nullopt;
  const auto [d_residual, d_first, d_first_bias, d_second] = parts(gradient.data());
  kernels::map_gradient(mapping, map, units, d_mapped, {d_residual, d_first, d_first_bias, d_second});
  gradient[static_cast<std::size_t>(decayed())] = by_points.log_temperature;
  gradient[static_cast<std::size_t>(decayed()) + 1] = by_points.alpha;
  return found;
}

std::optional<double> PropagatorNetwork::by_graph(const at::Tensor& loss, std::span<float> gradient) {
  if (!loss.defined()) return std::nullopt;
  values_.mutable_grad() = at::Tensor();
  loss.backward();
  const at::Tensor found = values_.grad().to(at::kFloat).contiguous();
  std::copy_n(found.data_ptr<float>(), gradient.size(), gradient.data());
  return loss.item<double>();
}

std::optional<double> PropagatorNetwork::loss(const at::Tensor& points, const at::Tensor& labels, std::span<float> gradient) {
  const std::int64_t* label = labels.data_ptr<std::int64_t>();
  std::vector<std::int64_t> order(static_cast<std::size_t>(labels.numel())), class_end;
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return label[a] < label[b]; });
  bool judged = false;
  for (std::size_t i = 1; i <= order.size(); ++i) {
    const bool same = i < order.size() && label[order[i]] == label[order[i - 1]];
    if (!same) class_end.push_back(static_cast<std::int64_t>(i));
    judged = judged || same;
  }
  if (!judged) return std::nullopt;
  const auto by_classes = [&](const kernels::MutualPoints& mapped, kernels::MutualGradient& by) { return kernels::mutual_class_loss(mapped, class_end, by); };
  const std::optional<double> found = by_kernels(points, order, gradient, by_classes);
  return found ? found : by_graph(loss(points, labels), gradient);
}

std::optional<double> PropagatorNetwork::squared_error(const at::Tensor& points, const at::Tensor& targets, std::span<float> gradient) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(targets.numel()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  const at::Tensor known = targets.contiguous();
  const auto by_values = [&](const kernels::MutualPoints& mapped, kernels::MutualGradient& by) {
    return kernels::mutual_value_loss(mapped, {known.data_ptr<float>(), order.size()}, by);
  };
  const std::optional<double> found = by_kernels(points, order, gradient, by_values);
  return found ? found : by_graph(squared_error(points, targets), gradient);
}

bool PropagatorNetwork::finite() const {
  const at::Tensor values = values_.detach().to(at::kFloat);
  constexpr float most = 1e15F;  // squares of what such numbers make of points stay floats
  const float* begin = values.data_ptr<float>();
  bool all = std::exp(begin[decayed()]) < most;
  for (std::int64_t i = 0; i < values.numel(); ++i) all &= std::abs(begin[i]) < most;  // false for NaN
  return all;
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
