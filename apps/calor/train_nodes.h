// calor train --pipeline, and calor predict for what it saved: networks on the nodes of a graph.
#pragma once

#include <string>

#include "calor/pipeline/result_table.h"
#include "node_options.h"

namespace calor::app {

void train_nodes(const Globals& globals, const DataOptions& data, const NodeOptions& options, const ProtocolOptions& protocol, const std::string& save);

void predict_nodes(const Globals& globals, const std::string& model, const DataOptions& data, const std::string& graph, const std::string& output, pipeline::Format format, bool missing_asked);

}  // namespace calor::app
