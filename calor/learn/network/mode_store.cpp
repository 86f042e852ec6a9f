#include "calor/learn/network/mode_store.h"

#include <fmt/format.h>

#include <filesystem>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/core/version.h"
#include "calor/io/file_kind.h"
#include "calor/io/hash.h"
#include "calor/io/kept_run.h"
#include "calor/io/output.h"
#include "calor/io/safetensors.h"
#include "calor/io/stored_tensor.h"

namespace calor::learn {
namespace {

using engine::Matrix;
using engine::Vector;

template <class Value>
std::string_view bytes_of(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

// Of all that decides the modes.
std::string key_of(const io::Mesh& mesh, const std::string& weights, std::int64_t count) {
  io::Sha256 hash;
  hash.add(fmt::format("{} {} {} {} {}\n", version, weights, count, mesh.nodes(), mesh.faces()));
  hash.add(bytes_of(mesh.points));
  hash.add(bytes_of(mesh.triangles));
  return hash.hex();
}

void write(const std::string& path, const std::string& key, const SurfaceModes& modes) {
  const Matrix& vectors = modes.pairs.vectors;
  io::Safetensors content;
  content.metadata = {{"kind", io::modes_mark}, {"key", key}};
  content.tensors["vectors"] = io::stored(std::vector<float>(vectors.data(), vectors.data() + vectors.size()), {vectors.rows(), vectors.cols()});
  const auto numbers = [](const Vector& values) { return io::stored(std::vector<double>(values.data(), values.data() + values.size()), {values.size()}); };
  content.tensors["values"] = numbers(modes.pairs.values);
  content.tensors["mass"] = numbers(modes.mass);
  content.metadata["digest"] = io::digest_of(content, {"key"});
  io::write_safetensors(path, content);
}

// Throws for anything but what write() wrote.
SurfaceModes read(const std::string& path, const std::string& key, std::int64_t nodes) {
  const io::Safetensors content = io::read_safetensors(path);
  require(content.metadata.at("key") == key && content.metadata.at("digest") == io::digest_of(content, {"key"}), Fault::input, "[modes] expected an intact file, found another digest");
  const std::vector<float> vectors = io::restored<float>(content, "vectors", 2, "modes");
  const std::vector<double> values = io::restored<double>(content, "values", 1, "modes"), mass = io::restored<double>(content, "mass", 1, "modes");
  const auto count = static_cast<std::int64_t>(values.size());
  require(content.tensors.at("vectors").shape == std::vector{nodes, count} && static_cast<std::int64_t>(mass.size()) == nodes, Fault::input, "[modes] expected modes of {} points, found others", nodes);
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return {{Eigen::Map<const Vector>(values.data(), count), Eigen::Map<const Floats>(vectors.data(), nodes, count).cast<double>()}, Eigen::Map<const Vector>(mass.data(), nodes)};
}

}  // namespace

ModeStore::ModeStore(std::string folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  require(std::filesystem::is_directory(folder_), Fault::input, "[modes] expected a folder to keep modes in, found none and could make none ({}): name another with --modes", folder_);
  io::check_writable(folder_ + "/modes");
}

SurfaceModes ModeStore::modes(const io::Mesh& mesh, const std::string& weights, std::int64_t count, const std::function<SurfaceModes()>& compute) const {
  const std::string key = key_of(mesh, weights, count), path = fmt::format("{}/{}.safetensors", folder_, key);
  bool ours = true;
  if (std::filesystem::exists(path)) {
    const io::FileKind::Kind kind = io::file_kind(path).kind;
    ours = kind == io::FileKind::modes || kind == io::FileKind::other;  // other: damaged from its first bytes
    std::string odd = fmt::format("{} holds no modes and is left as it is: those of {} were computed and not kept", path, mesh.name);
    if (ours) {
      try {
        SurfaceModes found = read(path, key, mesh.nodes());
        const std::lock_guard lock(guard_);
        ++found_;
        return found;
      } catch (const std::exception&) {
        odd = fmt::format("{} is damaged: the modes of {} were computed and written anew", path, mesh.name);
      }
    }
    const std::lock_guard lock(guard_);
    odd_.push_back(std::move(odd));
  }
  SurfaceModes made = compute();
  if (ours) write(path, key, made);
  const std::lock_guard lock(guard_);
  ++computed_;
  return made;
}

std::vector<std::string> ModeStore::notes() const {
  const std::lock_guard lock(guard_);
  if (found_ + computed_ == 0) return {};
  std::vector<std::string> notes{fmt::format("modes of {} found in {}, of {} computed", counted(found_, "surface"), folder_, grouped_digits(computed_))};
  notes.insert(notes.end(), odd_.begin(), odd_.end());
  return notes;
}

}  // namespace calor::learn
