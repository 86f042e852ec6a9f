// calor apply for every model there is, and what stands behind it where that is a trained network or a propagator.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "command.h"

namespace calor::app {

// Of calor predict, and of calor apply with a model of calor train.
struct PredictArguments {
  std::string model, output, graph, labels, modes;
  std::int64_t evidence = 0;  // 0: none
  DataOptions data;
  bool missing_asked = false;
};

// Does for a model of calor train what calor predict does.
using ApplyTrained = std::function<void(const Globals&, const PredictArguments&)>;

// `trained`: this program's way; the command's own is to place points by a fit of calor run.
void add_apply_command(CLI::App& app, Globals& globals, ApplyTrained trained);

}  // namespace calor::app
