#include "calor/learn/train/checkpoint.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/file_kind.h"
#include "calor/io/kept_run.h"
#include "calor/io/output.h"
#include "calor/io/safetensors.h"
#include "calor/io/stored_tensor.h"

namespace calor::learn {
namespace {

using nlohmann::json;
using Numbers = std::vector<double>;
using Rows = std::vector<Numbers>;

}  // namespace

std::string checkpoint_path(const std::string& model_path) { return model_path + ".checkpoint"; }

void write_checkpoint(const std::string& path, const json& command, const Checkpoint& checkpoint) {
  io::Safetensors content;
  content.metadata["kind"] = io::checkpoint_mark;
  content.metadata["command"] = command.dump();
  content.metadata["state"] = checkpoint.state.dump();
  for (const auto& [name, numbers] : checkpoint.numbers) content.tensors[name] = io::stored(numbers, {static_cast<std::int64_t>(numbers.size())});
  content.metadata["digest"] = io::digest_of(content, {"state"});
  io::write_safetensors(path, content);
}

bool read_checkpoint(const std::string& path, const json& command, const std::function<void(const Checkpoint&)>& read) {
  if (!std::filesystem::exists(path)) return false;
  const char* remedy = "start anew with --restart";
  try {
    const io::Safetensors content = io::read_safetensors(path);
    const auto found = content.metadata.find("kind");
    require(found != content.metadata.end() && found->second == io::checkpoint_mark, Fault::input,
            "[train] expected a training checkpoint, found another kind of file");
    require(content.metadata.at("digest") == io::digest_of(content, {"state"}), Fault::input,
            "[train] expected an intact checkpoint, found one whose digest does not fit");
    const json before = json::parse(content.metadata.at("command"));
    require(before == command, Fault::input, "[train] expected the checkpoint of this command, found one that differs in {}",
            io::differences(command, before));
    Checkpoint checkpoint{json::parse(content.metadata.at("state")), {}};
    for (const auto& [name, tensor] : content.tensors) checkpoint.numbers[name] = io::restored<float>(content, name, 1, "train");
    read(checkpoint);
  } catch (const Error& error) {
    fail(Fault::input, "{} ({}): {}", error.what(), path, remedy);
  } catch (const std::exception& error) {  // a field is missing or of another type
    fail(Fault::input, "[train] expected an intact checkpoint, found {} ({}): {}", error.what(), path, remedy);
  }
  return true;
}

Checkpoints::Checkpoints(const std::string& save, json command, bool restart, double every_seconds)
    : path_(save.empty() ? "" : checkpoint_path(save)), command_(std::move(command)), every_(every_seconds) {
  if (path_.empty()) return;
  io::check_writable(save);
  lock_.emplace(save, "train");
  if (restart) remove();
}

bool Checkpoints::resume(const std::function<void(const Checkpoint&)>& read) const { return !path_.empty() && read_checkpoint(path_, command_, read); }

void Checkpoints::keep(const Context& context, const char* op, const std::string& where, const std::function<Checkpoint()>& content) {
  const bool stopping = context.stopping();
  const bool due = std::chrono::duration<double>(Clock::now() - last_).count() >= every_;
  if (!path_.empty() && content && (stopping || due)) {
    write(content());
  }
  require(!stopping, Fault::interrupted, "[{}] interrupted{}{}", op, where, path_.empty() ? "" : ": the same command goes on from " + path_);
}

void Checkpoints::write(const Checkpoint& content) {
  if (path_.empty()) return;
  write_checkpoint(path_, command_, content);
  last_ = Clock::now();
}

void Checkpoints::remove() const {
  std::error_code ignored;  // a checkpoint that stays behind is found, checked and named by the next run
  if (!path_.empty()) std::filesystem::remove(path_, ignored);
}

json record_to_json(const analyse::RunRecord& r) {
  return {{"attention", r.attention},
          {"seed", r.seed},
          {"parameters", r.parameters},
          {"epoch", r.epoch},
          {"loss", r.loss},
          {"train_accuracy", r.train_accuracy},
          {"test_accuracy", r.test_accuracy},
          {"extra_accuracy", r.extra_accuracy},
          {"seconds", r.seconds},
          {"share", r.share},
          {"temperature", r.temperature}};
}

analyse::RunRecord record_from_json(const json& j) {
  analyse::RunRecord r;
  r.attention = j.at("attention").get<std::string>();
  r.seed = j.at("seed").get<std::uint64_t>();
  r.parameters = j.at("parameters").get<std::int64_t>();
  r.epoch = j.at("epoch").get<std::vector<std::int64_t>>();
  r.loss = j.at("loss").get<Numbers>();
  r.train_accuracy = j.at("train_accuracy").get<Numbers>();
  r.test_accuracy = j.at("test_accuracy").get<Numbers>();
  r.extra_accuracy = j.at("extra_accuracy").get<Numbers>();
  r.seconds = j.at("seconds").get<Numbers>();
  r.share = j.at("share").get<Rows>();
  r.temperature = j.at("temperature").get<Rows>();
  return r;
}

}  // namespace calor::learn
