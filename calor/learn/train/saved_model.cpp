#include "calor/learn/train/saved_model.h"
#include "calor/io/stored_tensor.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>


namespace calor::learn {

const std::string& entry(const io::Safetensors& content, const std::string& key) {
  const auto found = content.metadata.find(key);
  require(found != content.metadata.end(), Fault::input, "[model] expected the metadata '{}', found none", key);
  return found->second;
}

void check_schema(const io::Safetensors& content, int schema) {
  const int found = nlohmann::json::parse(entry(content, "schema")).get<int>();
  require(found == schema, Fault::input, "[model] expected schema {}, found {}: use the Calor that wrote it ({})", schema, found, entry(content, "version"));
}

void check_coding(const io::Coding& coding, const std::vector<std::string>& features) {
  require(coding.features() == features, Fault::input, "[model] expected a coding that gives the model's features, found another: its metadata are damaged");
}

static std::string name_of(const WeightSpec& spec) { return std::string(weight_prefix) + spec.name; }

void store_weights(io::Safetensors& content, const std::vector<WeightSpec>& specs, const std::vector<float>& values) {
  auto at = values.begin();
  for (const WeightSpec& spec : specs) {
    const auto end = at + spec.size();
    content.tensors[name_of(spec)] = io::stored(std::vector<float>(at, end), spec.shape);
    at = end;
  }
}

std::vector<float> restored_weights(const io::Safetensors& content, const std::vector<WeightSpec>& specs) {
  std::vector<float> weights;
  for (const WeightSpec& spec : specs) {
    const std::string name = name_of(spec);
    const std::vector<float> values = io::restored<float>(content, name, spec.shape.size(), "model");
    require(content.tensors.at(name).shape == spec.shape, Fault::input, "[model] expected the tensor '{}' of shape [{}], found [{}]", name, fmt::join(spec.shape, ", "),
            fmt::join(content.tensors.at(name).shape, ", "));
    require(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }), Fault::input, "[model] expected finite weights, found NaN or infinity in the tensor '{}'", name);
    weights.insert(weights.end(), values.begin(), values.end());
  }
  const auto found = std::ranges::count_if(content.tensors, [](const auto& one) { return one.first.starts_with(weight_prefix); });
  require(found == static_cast<std::int64_t>(specs.size()), Fault::input, "[model] expected {} tensors of weights, found {}", specs.size(), found);
  return weights;
}

}  // namespace calor::learn
