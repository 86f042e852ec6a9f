#include "calor/io/kept_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "calor/core/text.h"
#include "calor/io/hash.h"

namespace calor::io {

std::string digest_of(const Safetensors& content, std::initializer_list<const char*> fields) {
  Sha256 hash;
  for (const char* field : fields) hash.add(content.metadata.at(field));
  for (const auto& [name, tensor] : content.tensors) {
    hash.add(name);
    hash.add({reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()});
  }
  return hash.hex();
}

std::string differences(const nlohmann::json& now, const nlohmann::json& before) {
  std::vector<std::string> named;
  for (const auto& [field, value] : now.items()) {
    const nlohmann::json was = before.contains(field) ? before.at(field) : nlohmann::json();
    if (was != value) named.push_back(fmt::format("{} ({}, was {})", field, value.dump(), was.dump()));
  }
  return named.empty() ? "more fields" : list_names(named);
}

}  // namespace calor::io
