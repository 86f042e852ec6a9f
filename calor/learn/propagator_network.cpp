#include "calor/learn/propagator_network.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "bindings/torch/attention.h"
#include "calor/core/random.h"

namespace calor::learn {
namespace {

// log sum over the marked keys of exp(-temperature |point - key|^2 + bias of the key).
at::Tensor log_sums(const at::Tensor& points, const at::Tensor& temperature, const at::Tensor& bias, const at::Tensor& marked) {
  torch_ops::AttentionOptions options;
  options.score = kernels::Score::squared_distance;
  options.mask = marked.unsqueeze(0).unsqueeze(0);
  if (bias.defined()) options.bias = bias.unsqueeze(0).unsqueeze(0);
  const at::Tensor head = points.unsqueeze(0).unsqueeze(0);
  const auto result = torch_ops::attention(head, head, at::zeros({1, 1, points.size(0), 1}, points.options()), temperature, options);
  return std::get<1>(result).squeeze(0).squeeze(0);
}

pipeline::Matrix matrix_of(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().to(at::kDouble).contiguous();
  return Eigen::Map<const pipeline::Matrix>(values.data_ptr<double>(), values.size(0), values.size(1));
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

at::Tensor PropagatorNetwork::loss(const at::Tensor& points, const at::Tensor& labels) const {
  const at::Tensor others = at::eye(points.size(0), at::kBool).logical_not();
  const at::Tensor same = labels.unsqueeze(1).eq(labels.unsqueeze(0)).logical_and(others);
  const at::Tensor judged = at::nonzero(same.any(1)).squeeze(1);
  if (judged.numel() == 0) return {};
  const at::Tensor embedded = embed(points);
  const at::Tensor temperature = values_.narrow(0, decayed(), 1).exp().view({1, 1}), alpha = values_.narrow(0, decayed() + 1, 1);
  const at::Tensor bias = -alpha * log_sums(embedded, temperature, {}, others);
  const at::Tensor all = log_sums(embedded, temperature, bias, others), own = log_sums(embedded, temperature, bias, same);
  return (all.index_select(0, judged) - own.index_select(0, judged)).mean();
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
