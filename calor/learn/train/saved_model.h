// What the files of all trained models have in common: metadata with a schema, weights by their names, and how errors name the file.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/error.h"
#include "calor/io/file_kind.h"
#include "calor/io/safetensors.h"
#include "calor/learn/network/weights.h"

namespace calor::learn {

// Weights stand under this prefix.
inline constexpr std::string_view weight_prefix = "network.";

// Throw Fault::input: "[model] expected ..., found ...".
const std::string& entry(const io::Safetensors& content, const std::string& key);
void check_schema(const io::Safetensors& content, int schema);

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
