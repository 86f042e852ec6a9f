// Nodes to train on: features, classes and edges as tensors, and which nodes are for what.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/node_dataset.h"
#include "calor/learn/data/standardisation.h"
#include "calor/learn/network/network.h"
#include "calor/learn/nodes/protocol.h"

namespace calor::learn {

struct NodeData {
  NodeFeatures features;
  std::shared_ptr<const pipeline::Data> graph;  // the edges, both ways, each of weight 1
  at::Tensor labels;                            // [nodes], int64, -1 where there is none
  std::int64_t nodes = 0, classes = 0;
  FeatureScale scale = FeatureScale::untouched;
  Standardisation standardisation;              // of that scale alone
  std::shared_ptr<const EdgeFeatures> edges;    // standardised numbers of the graph's edges; null where the data have none
  Standardisation edge_standardisation;
};

// Throws Fault::memory.  `known`, `known_edges`: the standardisation of a model's own nodes and edges; null: fitted on these.
NodeData node_data(const io::NodeDataset& data, FeatureScale scale, const Context& context, const Standardisation* known = nullptr, const Standardisation* known_edges = nullptr);

// Throws Fault::input for a network that takes features of the edges where there are none.
void require_edge_features(const model::Network& network, const io::NodeDataset& data, const char* op);

// Throws Fault::input for fewer than two classes with nodes.
void require_classes(const io::NodeDataset& data, const char* op);

// Refuses what networks trained by so many workers at a time would take beyond the limit, activations, gradients and weights: Fault::memory.
void require_node_memory(const model::Network& network, const NodeData& data, std::uint64_t workers, const char* op, const Context& context);

// Node numbers, ascending.
struct NodeSplit {
  std::vector<std::int64_t> train, validation, test;
};

// What a network on these nodes runs on.
inline Domain domain_of(const NodeData& data) {
  Domain domain{data.graph};
  domain.edges = data.edges;
  return domain;
}

bool has_split(const io::NodeDataset& data);

// The data's own split, the same for every seed (without its nodes that have no class; perhaps none to validate on); else one drawn: `per_class` training nodes of each class (at most a third of it), then 500 nodes to
// validate on and 1,000 to test on, or halves of the rest where that is less.  Nodes without a class belong to none.
// Throws Fault::input where nothing would be left to train or to test on.
NodeSplit node_split(const io::NodeDataset& data, std::int64_t per_class, std::uint64_t seed);

}  // namespace calor::learn
