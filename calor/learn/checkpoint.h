// The checkpoint of a training run: everything the next step depends on, and the command it belongs to.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "calor/learn/run.h"

namespace calor::learn {

// Where the checkpoint of a model to be saved at `model_path` lies.
std::string checkpoint_path(const std::string& model_path);

// Atomic: a reader finds the old checkpoint or the new one.  `command`: an object of all that decides the run.
void save_checkpoint(const std::string& path, const nlohmann::json& command, const Run::State& state);

// Nothing when there is no such file.  Throws Fault::input, naming --restart, for a file that is not a checkpoint, is
// damaged (its digest is checked), or belongs to another command (the message says what differs).
std::optional<Run::State> load_checkpoint(const std::string& path, const nlohmann::json& command);

}  // namespace calor::learn
