// calor compare --pipeline: networks on the nodes of a graph, or on surfaces.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "node_options.h"

namespace calor::app {

// The first column of a comparison's tables: every name in full as far as it fits, else cut.
class NameColumn {
 public:
  explicit NameColumn(const nlohmann::json& experiment);
  std::string operator()(const nlohmann::json& name) const;
  std::string head() const { return std::string(width_, ' '); }

 private:
  std::size_t width_ = 36;
};

// A fraction as percent, a dash where there is none.
std::string percent(const nlohmann::json& value, int digits = 1);

// What compare's own options say of it too.
struct NodeComparison {
  std::string source, test, report;  // test: of surfaces
  int seeds = 10;
  bool baselines = true;
};

// The networks that are compared: those of --pipeline, or without one the usual.
std::vector<std::string> node_pipelines(const NodeOptions& options);
std::vector<std::string> surface_pipelines(const NodeOptions& options);

// The experiment, and its table on standard output.
nlohmann::json compare_nodes(const Globals& globals, const DataOptions& data, const NodeOptions& options, const ProtocolOptions& protocol, const NodeComparison& comparison,
                             const Context& context);
void print_nodes(const nlohmann::json& experiment);

nlohmann::json compare_surfaces(const Globals& globals, const NodeOptions& options, const ProtocolOptions& protocol, const NodeComparison& comparison, const Context& context);
void print_surfaces(const nlohmann::json& experiment);

}  // namespace calor::app
