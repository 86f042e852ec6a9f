// calor train and calor predict for networks on surfaces.
#pragma once

#include <string>

#include "calor/io/surface_set.h"
#include "calor/learn/surfaces/protocol.h"
#include "calor/pipeline/result_table.h"
#include "command.h"
#include "node_options.h"
#include "protocol_options.h"

namespace calor::app {

// What --epochs, --lr, --weight-decay and --test-share say.  Throws Fault::usage for what surfaces have no use for.
learn::SurfaceProtocol surface_protocol(const char* op, const ProtocolOptions& given, const NodeOptions& options);

// The set, and a line on stderr that says what was read.  known: a model's classes, or null.
io::SurfaceSet load_surfaces(const Globals& globals, const std::string& source, const std::string& labels, const std::vector<std::string>* known, const Context& context);

struct SurfaceTraining {
  std::string data, test, save;
  bool restart = false;
  double checkpoint_seconds = 60;
};

void train_surfaces(const Globals& globals, const NodeOptions& options, const ProtocolOptions& protocol, const SurfaceTraining& training);

void predict_surfaces(const Globals& globals, const std::string& model, const std::string& data, const std::string& labels, const std::string& output, pipeline::Format format);

}  // namespace calor::app
