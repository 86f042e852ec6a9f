// The checkpoint of a training run: everything the next step depends on, and the command it belongs to.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calor/learn/run.h"

namespace calor::learn {

// What is stored of any run: fields, and vectors of numbers by name.
struct Checkpoint {
  nlohmann::json state;
  std::map<std::string, std::vector<float>> numbers;
};

// Where the checkpoint of a model to be saved at `model_path` lies.
std::string checkpoint_path(const std::string& model_path);

// Atomic: a reader finds the old checkpoint or the new one.  `command`: an object of all that decides the run.
void write_checkpoint(const std::string& path, const nlohmann::json& command, const Checkpoint& content);
void save_checkpoint(const std::string& path, const nlohmann::json& command, const Run::State& state);

// Hands the content to `read`; false when there is no such file.  Throws Fault::input, naming --restart, for a file that is not a
// checkpoint, is damaged (its digest is checked; `read` throws), or belongs to another command (the message says what differs).
bool read_checkpoint(const std::string& path, const nlohmann::json& command, const std::function<void(const Checkpoint&)>& read);
std::optional<Run::State> load_checkpoint(const std::string& path, const nlohmann::json& command);

}  // namespace calor::learn
