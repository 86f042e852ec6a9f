#include "calor/learn/rows/row_network.h"

#include <ATen/core/grad_mode.h>

#include "calor/core/error.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/features.h"
#include "calor/learn/network/memory.h"

namespace calor::learn {
namespace {

struct Built {
  Steps steps;
  std::vector<Builder::PairFactor> factors;
  RowShape shape;
};

Built build(const model::Network& network, std::int64_t columns, std::int64_t classes, at::ScalarType dtype) {
  const Context context;
  Domain table{nullptr};
  table.table = true;
  Builder builder(table, columns, classes, context, dtype);
  Built built;
  built.steps = builder.build(network.stages);
  builder.require_classes();
  built.factors = builder.factors;
  built.shape.widest = builder.widest;
  built.shape.attentions = builder.attentions;
  built.shape.activations = network_size(network.stages, columns, false, classes).activations;
  built.shape.weights = builder.weights();
  for (const WeightSpec& spec : built.shape.weights) built.shape.parameters += spec.size();
  return built;
}

}  // namespace

RowShape shape_of(const model::Network& network, std::int64_t columns, std::int64_t classes) { return build(network, columns, classes, at::kFloat).shape; }

RowNetwork::RowNetwork(const model::Network& network, std::int64_t columns, std::int64_t classes, std::uint64_t seed, at::ScalarType dtype) : seed_(seed) {
  Built built = build(network, columns, classes, dtype);
  shape_ = std::move(built.shape);
  steps_ = std::move(built.steps);
  weights_ = std::make_unique<const Weights>(shape_.weights, seed, dtype);
  for (std::size_t w = 0; w < shape_.weights.size(); ++w) state_.push_back({shape_.weights[w].name, (*weights_)[w]});
  for (const Builder::PairFactor& factor : built.factors) {
    if (factor.constant.defined()) {
      factors_.push_back({factor.constant, at::Tensor()});
      state_.push_back({factor.name, factor.constant});
    } else {
      factors_.push_back({at::Tensor(), (*weights_)[factor.log_weight]});
    }
  }
}

at::Tensor RowNetwork::run(const at::Tensor& rows, const Pass& pass) const {
  Flow flow;
  flow.x = rows;
  for (const auto& step : steps_) step->run(flow, pass);
  return dense(flow);
}

void RowNetwork::start_factors(const at::Tensor& rows) {
  const at::NoGradGuard no_gradient;
  Pass pass{{}, weights_.get()};
  pass.start = true;
  run(rows, pass);
}

at::Tensor RowNetwork::forward(const at::Tensor& rows) const { return run(rows, {{}, weights_.get()}); }

at::Tensor RowNetwork::training_forward(const at::Tensor& rows, std::uint64_t step) const { return run(rows, {{true, seed_, step}, weights_.get()}); }

at::Tensor RowNetwork::forward(const at::Tensor& rows, std::vector<KeptAttention>& kept) const {
  Pass pass{{}, weights_.get()};
  pass.keep = &kept;
  return run(rows, pass);
}

at::Tensor RowNetwork::forward_beside(const std::vector<KeptAttention>& kept, const at::Tensor& rows) const {
  Pass pass{{}, weights_.get()};
  pass.beside = &kept;
  return run(rows, pass);
}

std::vector<double> RowNetwork::factors() const {
  const at::NoGradGuard no_gradient;
  std::vector<double> all;
  for (const Factor& factor : factors_) all.push_back((factor.constant.defined() ? factor.constant : factor.log.exp()).item<double>());
  return all;
}

void RowNetwork::set_factors(const std::vector<float>& factors) {
  const at::NoGradGuard no_gradient;
  require(factors.size() == factors_.size(), Fault::input, "[network] expected {} factors of scores, found {}", factors_.size(), factors.size());
  for (std::size_t f = 0; f < factors_.size(); ++f)
    if (factors_[f].constant.defined()) factors_[f].constant.fill_(factors[f]);
}

}  // namespace calor::learn
