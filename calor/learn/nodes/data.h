// Nodes to train on: features, classes and edges as tensors, and which nodes are for what.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/node_dataset.h"
#include "calor/learn/network/network.h"

namespace calor::learn {

// What is done to features before a network sees them.  rows: each row over its sum, as citation data sets are used; standardised: each column
// to mean 0 and variance 1 over all nodes, whose features are known though their classes are not; automatic: rows where no feature is negative and
// most are 0, else standardised.
enum class FeatureScale { automatic, rows, standardised, untouched };
std::string_view name_of(FeatureScale scale);
FeatureScale parse_feature_scale(std::string_view name);  // throws Fault::usage

struct NodeData {
  NodeFeatures features;
  std::shared_ptr<const pipeline::Data> graph;  // the edges, both ways, each of weight 1
  at::Tensor labels;                            // [nodes], int64, -1 where there is none
  std::int64_t nodes = 0, classes = 0;
  FeatureScale scale = FeatureScale::untouched;
};

// Throws Fault::input for fewer than two classes; Fault::memory.
NodeData node_data(const io::NodeDataset& data, FeatureScale scale, const Context& context);

// Node numbers, ascending.
struct NodeSplit {
  std::vector<std::int64_t> train, validation, test;
};

// The data's own split, the same for every seed; else one drawn: `per_class` training nodes of each class (at most a third of it), then 500 nodes to
// validate on and 1,000 to test on, or halves of the rest where that is less.  Nodes without a class belong to none.
// Throws Fault::input where nothing would be left to test on.
NodeSplit node_split(const io::NodeDataset& data, std::int64_t per_class, std::uint64_t seed);

}  // namespace calor::learn
