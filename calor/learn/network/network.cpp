#include "calor/learn/network/network.h"

#include <ATen/core/grad_mode.h>

#include "calor/core/error.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/features.h"

namespace calor::learn {

NodeNetwork::NodeNetwork(const model::Network& network, const Domain& domain, const NodeFeatures& features, std::int64_t classes, std::uint64_t seed, const Context& context,
                         at::ScalarType dtype, std::shared_ptr<const Weights> weights)
    : seed_(seed), features_(features) {
  Builder builder(domain, features.columns, classes, context, dtype);
  steps_ = builder.build(network.stages);
  builder.require_classes();
  require(builder.on_faces == domain.faces, Fault::usage, "[network] expected a row for each triangle at the end, as labels are, found one for each point: put faces after it");
  specs_ = builder.weights();
  weights_ = weights ? std::move(weights) : std::make_shared<const Weights>(specs_, seed, dtype);
  const at::NoGradGuard no_gradient;
  while (constant_ < steps_.size() && !steps_[constant_]->random() && !steps_[constant_]->learned()) ++constant_;
  kept_.x = features_.dense;
  kept_.sparse = features_.sparse;
  if (kept_.sparse) kept_.entries = kept_.sparse->values;
  for (std::size_t s = 0; s < constant_; ++s) steps_[s]->run(kept_, {});
}

at::Tensor NodeNetwork::logits(bool training, std::uint64_t step) const {
  Flow flow = kept_;
  const Pass pass{{training, seed_, step}, weights_.get()};
  for (std::size_t s = constant_; s < steps_.size(); ++s) steps_[s]->run(flow, pass);
  return dense(flow);
}

double NodeNetwork::largest_feature() const {
  const at::Tensor& features = kept_.x.defined() ? kept_.x : kept_.entries;
  return features.numel() > 0 ? features.abs().max().item<double>() : 0;
}

std::vector<double> NodeNetwork::shares() const {
  const at::NoGradGuard no_gradient;
  std::vector<double> shares;
  Flow flow = kept_;
  const Pass pass{{}, weights_.get(), &shares};
  for (std::size_t s = constant_; s < steps_.size(); ++s) steps_[s]->run(flow, pass);
  return shares;
}

}  // namespace calor::learn
