// The comparison of networks on the nodes of a graph over seeds: an EXPERIMENT of docs/formats/compare.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/node_dataset.h"
#include "calor/learn/nodes/protocol.h"

namespace calor::learn {

struct CompareNodesOptions {
  std::vector<std::string> pipelines;  // names of networks, or texts
  int seeds = 10;
  std::uint64_t base_seed = 0;
  bool baselines = true;               // logistic regression and a plain network, which do not see the graph, and label spreading, which sees nothing else
  NodeProtocol protocol;
};

// Trains every network with every seed, side by side over context.threads workers; same bits for any number of workers (seconds excepted).
// A seed decides the weights and the dropout, and the split where the data have none of their own.
// Throws Fault::usage for options and pipelines, Fault::input for data, Fault::memory, Fault::interrupted.
nlohmann::json compare_nodes(const io::NodeDataset& data, const CompareNodesOptions& options, const Context& context);

}  // namespace calor::learn
