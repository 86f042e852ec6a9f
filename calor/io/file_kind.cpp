#include "calor/io/file_kind.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"

namespace calor::io {
namespace {

using nlohmann::json;

constexpr std::size_t length_size = 8;                // of a safetensors header's length
constexpr std::uint64_t longest_header = 100'000'000;  // the limit of the reference implementation

const char* const model_needed = "give the file that --save wrote";

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

FileKind kind_of_safetensors(const json& header) {
  const json metadata = header.value("__metadata__", json::object());
  const std::string kind = text_at(metadata, "kind");
  if (text_at(metadata, "format").starts_with("calor-fit-")) return {FileKind::fit, "a fit of calor run", "place new points with calor apply"};
  if (kind == network_mark)
    return {FileKind::network, "a network of calor train", "predict new points with calor predict, or look into its heads with calor inspect"};
  if (kind == node_network_mark)
    return {FileKind::node_network, "a network of calor train on the nodes of a graph", "predict the nodes of a graph with calor predict"};
  if (kind == surface_network_mark) return {FileKind::surface_network, "a network of calor train on surfaces", "predict the triangles or points of surfaces with calor predict"};
  if (header.contains("block_0.diffusion.diffusion_time"))
    return {FileKind::diffusion_net, "a DiffusionNet of another program", "predict the triangles or points of surfaces with calor predict"};
  if (kind == propagator_mark) return {FileKind::propagator, "a propagator of calor train", "predict new points with calor predict, or look into its metric with calor inspect"};
  if (kind == translation_mark) return {FileKind::translation, "a model of calor train-translation", "translate text with calor translate"};
  if (kind == checkpoint_mark)
    return {FileKind::checkpoint, "a checkpoint of calor train, whose training is not at its end",
            "give the command that began it once more, which goes on and writes the model"};
  return {FileKind::foreign, "a safetensors file written by another program", model_needed};
}

// The header alone; tensors follow it.
FileKind kind_of_tensors(std::ifstream& file, std::uintmax_t size) {
  unsigned char bytes[length_size] = {};
  file.read(reinterpret_cast<char*>(bytes), length_size);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i) length |= std::uint64_t{bytes[i]} << (8 * i);
  if (!file || length > longest_header || length_size + length > size) return {};
  std::string text(length, '\0');
  file.read(text.data(), static_cast<std::streamsize>(length));
  const json header = json::parse(text, nullptr, false);
  return file && header.is_object() ? kind_of_safetensors(header) : FileKind{};
}

// What stands at the top alone: results can be long.
FileKind kind_of_json(std::ifstream& file) {
  const auto at_top = [](int depth, json::parse_event_t, json&) { return depth <= 1; };
  const json document = json::parse(file, at_top, false);
  if (!document.is_object() || !document.contains("schema")) return {};
  const std::string kind = text_at(document, "kind");
  if (!kind.empty()) return {FileKind::results, "results of calor " + kind.substr(0, kind.find('-')) + " in JSON", model_needed};
  if (document.contains("weights") && document.contains("layers"))
    return {FileKind::mapping, "a mapping of attention weights", "look into its heads with calor inspect"};
  return {};
}

}  // namespace

// torch.save's archive, whose first entry is a pickle.
static bool is_torch_archive(std::ifstream& file) {
  char head[64] = {};
  file.read(head, sizeof head);
  const std::string_view text(head, static_cast<std::size_t>(file.gcount()));
  return text.starts_with("PK\x03\x04") && text.find("data.pkl") != std::string_view::npos;
}

FileKind file_kind(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return {};  // a pipe can be read once
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return {};
  const FileKind tensors = kind_of_tensors(file, size);
  if (tensors.kind != FileKind::other) return tensors;
  file.clear();
  file.seekg(0);
  if (is_torch_archive(file))
    return {FileKind::foreign, "a file of torch.save",
            "make it a safetensors file, in Python: safetensors.torch.save_file(torch.load(\"m.pth\", weights_only=True), \"m.safetensors\")"};
  file.clear();
  file.seekg(0);
  char first = 0;
  file >> std::skipws >> first;
  if (first != '{') return {};
  file.seekg(0);
  return kind_of_json(file);
}

FileKind::Kind expect_kind(const std::string& path, std::initializer_list<FileKind::Kind> wanted, std::string_view op, std::string_view expected) {
  const FileKind found = file_kind(path);
  const bool suits = found.kind == FileKind::other || std::find(wanted.begin(), wanted.end(), found.kind) != wanted.end();
  require(suits, Fault::input, "[{}] expected {}, found {} ({}): {}", op, expected, found.what, path, found.use);
  return found.kind;
}

}  // namespace calor::io
