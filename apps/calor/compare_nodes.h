// calor compare --pipeline: networks on the nodes of a graph.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "protocol_options.h"

namespace calor::app {

struct NodeOptions {
  std::vector<std::string> pipelines;
  std::string graph, features = "auto";
  std::int64_t per_class = 20, patience = 0;
  bool wanted() const { return !pipelines.empty() || !graph.empty(); }
};

void add_node_options(CLI::App& command, NodeOptions& options);

// What compare's own options say of it too.
struct NodeComparison {
  std::string source;
  int seeds = 10;
  bool baselines = true;
  std::optional<std::int64_t> epochs;
  std::optional<double> learning_rate, weight_decay;
};

// Throws Fault::usage for what networks on nodes have no use for.
void require_node_options(const ProtocolOptions& protocol, bool test);

// A fraction as percent, a dash where there is none.
std::string percent(const nlohmann::json& value, int digits = 1);

// The experiment, and its table on standard output.
nlohmann::json compare_nodes(const Globals& globals, const DataOptions& data, const NodeOptions& options, const NodeComparison& comparison, const Context& context);
void print_nodes(const nlohmann::json& experiment);

}  // namespace calor::app
