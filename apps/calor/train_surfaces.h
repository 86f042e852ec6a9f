// calor train and calor predict for networks on surfaces.
#pragma once

#include <optional>
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

// Training surfaces and, where there is a test set, those; lines on stderr say what was read and what is odd about it.  Throws Fault::usage where an output is one of their files.
struct Surfaces {
  io::SurfaceSet train;
  std::optional<io::SurfaceSet> test;
};
Surfaces load_training_surfaces(const Globals& globals, const std::string& source, const std::string& test, const std::string& labels, const std::vector<std::string>& outputs, const Context& context);

// Throws Fault::usage for options that say how tables are read.
void require_no_table(const char* op, const DataOptions& given);

struct SurfaceTraining {
  DataOptions data;
  std::string test, save;
  bool restart = false;
  double checkpoint_seconds = 60;
};

void train_surfaces(const Globals& globals, const NodeOptions& options, const ProtocolOptions& protocol, const SurfaceTraining& training);

// What --labels and --modes name.
struct SurfaceFolders {
  std::string labels, modes;
};

void predict_surfaces(const Globals& globals, const std::string& model, const DataOptions& data, const SurfaceFolders& folders, const std::string& output, pipeline::Format format);

}  // namespace calor::app
