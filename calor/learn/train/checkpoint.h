// The checkpoint of a training run: everything the next step depends on, and the command it belongs to.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/analyse/comparison.h"
#include "calor/io/lock.h"

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

// Hands the content to `read`; false when there is no such file.  Throws Fault::input, naming --restart, for a file that is not a
// checkpoint, is damaged (its digest is checked; `read` throws), or belongs to another command (the message says what differs).
bool read_checkpoint(const std::string& path, const nlohmann::json& command, const std::function<void(const Checkpoint&)>& read);

// When a run's checkpoint is written, and where: beside the model that it will save.
class Checkpoints {
 public:
  // save: the model; "": nothing is kept.  restart: discards what is there.  Throws Fault::input where the model cannot be written, or another run is at work that will.
  Checkpoints(const std::string& save, nlohmann::json command, bool restart, double every_seconds);

  // read_checkpoint of what is there.
  bool resume(const std::function<void(const Checkpoint&)>& read) const;

  // Writes `content()` where it is due, and where context.stop is set, whereupon Fault::interrupted is thrown: "[op] interrupted<where>: ...".
  // A null content: nothing can go on from here, and nothing is written.
  void keep(const Context& context, const char* op, const std::string& where, const std::function<Checkpoint()>& content);

  void write(const Checkpoint& content);
  void remove() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::string path_;
  std::optional<io::FileLock> lock_;  // as long as the run
  nlohmann::json command_;
  double every_;
  Clock::time_point last_ = Clock::now();
};

// A run's record within it.
nlohmann::json record_to_json(const analyse::RunRecord& record);
analyse::RunRecord record_from_json(const nlohmann::json& json);

}  // namespace calor::learn
