// A network of the grammar (calor/model) on the nodes of a graph, or on rows alone: compiled from its text, run on one set of features.
#pragma once

#include <memory>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/network/flow.h"
#include "calor/model/networks.h"
#include "calor/pipeline/state.h"

namespace calor::learn {

// What a network reads: features [nodes, columns], dense or sparse, and a graph.
struct NodeFeatures {
  at::Tensor dense;                       // floats; undefined where they are sparse
  std::shared_ptr<const Support> sparse;
  std::int64_t columns = 0;
};

class NodeNetwork {
 public:
  // Weights are drawn by the seed: two networks whose stages are the same up to some stage share the start of what is before it.  Or `weights` are another network's of
  // the same stages, and shared.  dtype: of weights and features, at::kFloat or at::kDouble.  Throws Fault::usage with a caret for stages that do not fit each other.
  NodeNetwork(const model::Network& network, const Domain& domain, const NodeFeatures& features, std::int64_t classes, std::uint64_t seed, const Context& context,
              at::ScalarType dtype = at::kFloat, std::shared_ptr<const Weights> weights = nullptr);

  // [nodes, classes].  In training, dropout is drawn by (seed, step).
  at::Tensor logits(bool training, std::uint64_t step) const;

  // Of each learned similarity, in order: how many of its neighbours a node attends to, exp(entropy), as a share of them; a mean over nodes.
  std::vector<double> shares() const;

  double largest_feature() const;  // in size, of those that do not depend on weights

  const Weights& weights() const { return *weights_; }
  const std::shared_ptr<const Weights>& shared_weights() const { return weights_; }
  const std::vector<WeightSpec>& specs() const { return specs_; }

 private:
  std::uint64_t seed_;
  NodeFeatures features_;
  Steps steps_;
  std::size_t constant_ = 0;  // steps at the front that draw and learn nothing: their result is kept
  Flow kept_;
  std::vector<WeightSpec> specs_;
  std::shared_ptr<const Weights> weights_;
};

}  // namespace calor::learn
