#include "calor/learn/rows/model_file.h"
#include "calor/io/stored_tensor.h"

#include <algorithm>
#include <cmath>

#include "calor/learn/rows/network_weights.h"
#include "calor/learn/train/saved_model.h"

namespace calor::learn {
namespace {

using nlohmann::json;

constexpr int schema = 1;
template <class Value>
bool all_finite(const std::vector<Value>& values) {
  return std::all_of(values.begin(), values.end(), [](Value value) { return std::isfinite(value); });
}

void read_metadata(const io::Safetensors& content, Model& model) {
  read_origin(content, schema, model);
  read_table(content, false, model);
  model.attention = entry(content, "attention");
  model.pipeline = entry(content, "pipeline");
  if (const auto network = content.metadata.find("network"); network != content.metadata.end()) model.network = network->second;
  model.protocol = protocol_from_json(json::parse(entry(content, "protocol")));
  require(!model.features.empty() && model.classes.size() >= 2, Fault::input,
          "[model] expected at least 1 feature and 2 classes, found {} and {}", model.features.size(),
          model.classes.size());
}

void read_tensors(const io::Safetensors& content, Model& model) {
  const auto columns = static_cast<std::size_t>(model.columns());
  model.standardisation.mean = io::restored<double>(content, "preprocessing.mean", 1, "model");
  model.standardisation.deviation = io::restored<double>(content, "preprocessing.deviation", 1, "model");
  model.tokens = io::restored<float>(content, "tokens.values", 2, "model");
  model.labels = io::restored<std::int64_t>(content, "tokens.labels", 1, "model");
  require(model.standardisation.mean.size() == columns && model.standardisation.deviation.size() == columns &&
              !model.labels.empty() && model.tokens.size() == model.labels.size() * columns &&
              content.tensors.at("tokens.values").shape[1] == model.columns(),
          Fault::input, "[model] expected preprocessing and tokens of {} columns, found {} means, {} deviations, {} values",
          columns, model.standardisation.mean.size(), model.standardisation.deviation.size(), model.tokens.size());
  require(all_finite(model.tokens) && all_finite(model.standardisation.mean) &&
              all_finite(model.standardisation.deviation),
          Fault::input, "[model] expected finite tokens and preprocessing, found NaN or infinity");
  const auto classes = static_cast<std::int64_t>(model.classes.size());
  require(std::all_of(model.labels.begin(), model.labels.end(),
                      [&](std::int64_t label) { return label >= 0 && label < classes; }),
          Fault::input, "[model] expected labels below {}, found others", classes);
  for (const auto& [name, tensor] : content.tensors) {
    if (name.substr(0, weight_prefix.size()) != weight_prefix) continue;
    model.weights[name.substr(weight_prefix.size())] = {
        tensor.shape, io::restored<float>(content, name, tensor.shape.size(), "model")};
  }
}

}  // namespace

void save_model(const std::string& path, const Model& model) {
  io::Safetensors content;
  content.metadata = {{"attention", model.attention}, {"pipeline", model.pipeline}, {"network", model.network}, {"protocol", to_json(model.protocol).dump()}};
  store_origin(content, io::network_mark, schema, model);
  store_table(content, false, model);
  content.tensors["preprocessing.mean"] = io::stored(model.standardisation.mean, {model.columns()});
  content.tensors["preprocessing.deviation"] = io::stored(model.standardisation.deviation, {model.columns()});
  const auto kept = static_cast<std::int64_t>(model.labels.size());
  content.tensors["tokens.values"] = io::stored(model.tokens, {kept, model.columns()});
  content.tensors["tokens.labels"] = io::stored(model.labels, {kept});
  for (const auto& [name, weight] : model.weights) {
    content.tensors[std::string(weight_prefix) + name] = io::stored(weight.values, weight.shape);
  }
  io::write_safetensors(path, content);
}

Model load_model(const std::string& path) {
  return read_model(path, io::FileKind::network, "a network of calor train", [](const io::Safetensors& content) {
    Model model;
    read_metadata(content, model);
    read_tensors(content, model);
    network_of(model);  // checks every weight
    return model;
  });
}

}  // namespace calor::learn
