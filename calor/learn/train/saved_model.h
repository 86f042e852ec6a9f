// What the files of all trained models have in common: metadata with a schema, weights by their names, and how errors name the file.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/error.h"
#include "calor/io/coding.h"
#include "calor/io/file_kind.h"
#include "calor/io/missing.h"
#include "calor/io/safetensors.h"
#include "calor/learn/network/weights.h"

namespace calor::learn {

// Weights stand under this prefix.
inline constexpr std::string_view weight_prefix = "network.";

// Throw Fault::input: "[model] expected ..., found ...".
const std::string& entry(const io::Safetensors& content, const std::string& key);
void check_schema(const io::Safetensors& content, int schema);

// What every model says of its making: its fields version, seed, input_hash, data_name and classes.
template <class Model>
void read_origin(const io::Safetensors& content, int schema, Model& model) {
  check_schema(content, schema);
  model.version = entry(content, "version");
  model.input_hash = entry(content, "input_hash");
  model.data_name = entry(content, "data");
  model.seed = nlohmann::json::parse(entry(content, "seed")).get<std::uint64_t>();
  model.classes = nlohmann::json::parse(entry(content, "classes")).get<std::vector<std::string>>();
}
template <class Model>
void store_origin(io::Safetensors& content, const char* kind, int schema, const Model& model) {
  content.metadata.insert({{"kind", kind}, {"schema", std::to_string(schema)}, {"version", model.version}, {"input_hash", model.input_hash}, {"data", model.data_name},
                           {"seed", std::to_string(model.seed)}, {"classes", nlohmann::json(model.classes).dump()}});
}

// How its table became features: its fields label, features, coding and filling.  bare: of data that may have been no table, without a coding; else a file
// without one has columns of numbers.
void check_coding(const io::Coding& coding, const std::vector<std::string>& features);
template <class Model>
void read_table(const io::Safetensors& content, bool bare, Model& model) {
  constexpr const char* place = "metadata of the model";
  model.label = entry(content, "label");
  model.features = nlohmann::json::parse(entry(content, "features")).get<std::vector<std::string>>();
  const auto coding = content.metadata.find("coding");
  if (coding == content.metadata.end()) model.coding = io::numbers_named(model.features);
  else if (!bare || !coding->second.empty()) model.coding = io::parse_coding(coding->second, place);
  if (const auto missing = content.metadata.find("missing"); missing != content.metadata.end()) model.filling = io::parse_filling(missing->second, model.features.size(), place);
  if (!bare || !model.coding.columns.empty()) check_coding(model.coding, model.features);
}
template <class Model>
void store_table(io::Safetensors& content, bool bare, const Model& model) {
  const bool none = model.coding.columns.empty();
  content.metadata.insert({{"label", model.label}, {"features", nlohmann::json(model.features).dump()}, {"missing", io::filling_text(model.filling)},
                           {"coding", none && bare ? "" : io::coding_text(none ? io::numbers_named(model.features) : model.coding)}});
}

// Weights in the order of their specs, flat; each one's tensor has its name and shape, finite numbers, and there are no others.
void store_weights(io::Safetensors& content, const std::vector<WeightSpec>& specs, const std::vector<float>& values);
std::vector<float> restored_weights(const io::Safetensors& content, const std::vector<WeightSpec>& specs);

// The model that `read` makes of a file of this kind; `expected` names it.  Errors end with the path.
template <class Read>
auto read_model(const std::string& path, io::FileKind::Kind kind, std::string_view expected, const Read& read) {
  io::expect_kind(path, {kind}, "model", expected);
  const io::Safetensors content = io::read_safetensors(path);
  try {
    return read(content);
  } catch (const Error& error) {
    fail(Fault::input, "{} ({})", error.what(), path);
  } catch (const nlohmann::json::exception& error) {
    fail(Fault::input, "[model] expected metadata of {}, found {} ({})", expected, error.what(), path);
  }
}

}  // namespace calor::learn
