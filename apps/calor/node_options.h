// The flags of commands that work on the nodes of a graph, or on surfaces: compare and train with --pipeline, and predict.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "calor/io/node_dataset.h"
#include "calor/learn/network/mode_store.h"
#include "calor/learn/nodes/protocol.h"
#include "command.h"
#include "protocol_options.h"

namespace calor::app {

struct NodeOptions {
  std::vector<std::string> pipelines, settings;
  bool explain = false;
  std::string graph, labels, modes, scale = "auto";
  std::int64_t per_class = 20, patience = 0;
  bool wanted() const { return !pipelines.empty() || !graph.empty() || !labels.empty(); }
  bool surfaces() const { return !labels.empty(); }
  // Puts the settings into the pipelines.  Throws Fault::usage where there are settings and no pipelines, or one does not fit.
  void settle(const char* op);

  // Whether the pipelines run on the rows of tables: there is no graph and no mesh.  Throws Fault::usage for tables and graphs together.
  bool on_rows(const char* op, const std::vector<std::string>& sources, const Context& context) const;

  // With what --epochs, --lr and --weight-decay say.  Throws Fault::usage.
  learn::NodeProtocol protocol(const ProtocolOptions& given) const;
};

void add_node_options(CLI::App& command, NodeOptions& options);

// --modes, alone.
void add_modes_option(CLI::App& command, std::string& modes);

// The folder that --modes names; null without one.  Throws Fault::input.
std::shared_ptr<const learn::ModeStore> mode_store(const std::string& folder);

// Its notes on stderr.
void say_modes(const Globals& globals, const std::shared_ptr<const learn::ModeStore>& modes);

// Throws Fault::usage for --modes without surfaces.
void require_surfaces_for_modes(const char* op, const std::string& modes, bool surfaces);

// Throws Fault::usage for a network on surfaces without --labels.
void require_labels(const char* op, const NodeOptions& options);

// Throws Fault::usage for what networks on nodes have no use for.
void require_node_options(const char* op, const ProtocolOptions& protocol, bool test);

// The same for what networks on rows have no use for.
// attends: attentions are compared too, whose layers, width, temperature and reading are the protocol's.
void require_row_options(const char* op, const ProtocolOptions& protocol, const NodeOptions& nodes, bool attends);

// Throws Fault::usage where the output would be one of the files that the set or its graph consists of.
void check_node_output(const std::string& output, const std::string& source, const std::string& graph);

// The data, and a line on stderr that says what was read.
io::NodeDataset load_nodes(const Globals& globals, const std::string& source, const std::string& graph, const io::LoadOptions& load, const Context& context, const io::Filling* known = nullptr, bool edge_columns = false);

}  // namespace calor::app
