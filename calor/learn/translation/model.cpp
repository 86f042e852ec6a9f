#include "calor/learn/translation/model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/io/file_kind.h"
#include "calor/io/safetensors.h"
#include "calor/learn/stored_tensor.h"
#include "calor/learn/translation/network.h"

namespace calor::learn {
namespace {

using nlohmann::json;

constexpr int schema = 1;
constexpr const char* vocabulary_name = "vocabulary";
const std::string weight_prefix = "network.";

json to_json(const TranslatorShape& shape) {
  return {{"vocabulary", shape.vocabulary}, {"width", shape.width}, {"layers", shape.layers}, {"heads", shape.heads},
          {"hidden", shape.hidden},         {"score", shape.score}, {"dropout", shape.dropout}};
}

TranslatorShape shape_of(const json& j) {
  TranslatorShape shape;
  j.at("vocabulary").get_to(shape.vocabulary);
  j.at("width").get_to(shape.width);
  j.at("layers").get_to(shape.layers);
  j.at("heads").get_to(shape.heads);
  j.at("hidden").get_to(shape.hidden);
  j.at("score").get_to(shape.score);
  j.at("dropout").get_to(shape.dropout);
  return shape;
}

TranslationProtocol protocol_of(const json& j) {
  TranslationProtocol protocol;
  j.at("epochs").get_to(protocol.epochs);
  j.at("batch").get_to(protocol.batch);
  j.at("accumulate").get_to(protocol.accumulate);
  j.at("learning_rate").get_to(protocol.learning_rate);
  j.at("warm_up").get_to(protocol.warm_up);
  j.at("label_smoothing").get_to(protocol.label_smoothing);
  return protocol;
}

std::int64_t size_of(const WeightSpec& spec) {
  std::int64_t size = 1;
  for (const std::int64_t extent : spec.shape) size *= extent;
  return size;
}

const std::string& entry(const io::Safetensors& content, const std::string& key) {
  const auto found = content.metadata.find(key);
  require(found != content.metadata.end(), Fault::input, "[model] expected the metadata '{}', found none", key);
  return found->second;
}

Vocabulary vocabulary_of(const io::Safetensors& content) {
  const auto found = content.tensors.find(vocabulary_name);
  require(found != content.tensors.end() && found->second.dtype == "U8", Fault::input, "[model] expected the tensor '{}' of bytes, found none", vocabulary_name);
  return Vocabulary(std::string(found->second.bytes.begin(), found->second.bytes.end()));
}

TranslationModel model_of(const io::Safetensors& content) {
  require(json::parse(entry(content, "schema")).get<int>() == schema, Fault::input, "[model] expected schema {}, found {}: use the Calor that wrote it ({})", schema,
          entry(content, "schema"), entry(content, "version"));
  TranslationModel model{shape_of(json::parse(entry(content, "shape"))), protocol_of(json::parse(entry(content, "protocol"))), json::parse(entry(content, "seed")).get<std::uint64_t>(),
                         entry(content, "version"), entry(content, "input_hash"), vocabulary_of(content), {}};
  require(model.vocabulary.size() == model.shape.vocabulary, Fault::input, "[model] expected a vocabulary of {} pieces, found {}", model.shape.vocabulary, model.vocabulary.size());
  std::int64_t weights = 0;
  for (const WeightSpec& spec : weight_specs(model.shape)) {
    const std::string name = weight_prefix + spec.name;
    const std::vector<float> values = restored<float>(content, name, spec.shape.size(), "model");
    require(content.tensors.at(name).shape == spec.shape, Fault::input, "[model] expected {} numbers in the tensor '{}' in the shape of its network, found {}", size_of(spec), name,
            values.size());
    require(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }), Fault::input, "[model] expected finite numbers in the tensor '{}', found NaN or infinity", name);
    model.weights.insert(model.weights.end(), values.begin(), values.end());
    ++weights;
  }
  const auto stored_weights = std::ranges::count_if(content.tensors, [](const auto& one) { return one.first.starts_with(weight_prefix); });
  require(stored_weights == weights, Fault::input, "[model] expected {} weights, found {}", weights, stored_weights);
  return model;
}

}  // namespace

void save_translation(const std::string& path, const TranslationModel& model) {
  io::Safetensors content;
  content.metadata = {{"kind", io::translation_mark},
                      {"schema", std::to_string(schema)},
                      {"version", model.version},
                      {"shape", to_json(model.shape).dump()},
                      {"protocol", to_json(model.protocol).dump()},
                      {"seed", std::to_string(model.seed)},
                      {"input_hash", model.input_hash}};
  const std::string& bytes = model.vocabulary.model();
  content.tensors[vocabulary_name] = {"U8", {static_cast<std::int64_t>(bytes.size())}, {bytes.begin(), bytes.end()}};
  auto at = model.weights.begin();
  for (const WeightSpec& spec : weight_specs(model.shape)) {
    const auto end = at + size_of(spec);
    content.tensors[weight_prefix + spec.name] = stored(std::vector<float>(at, end), spec.shape);
    at = end;
  }
  io::write_safetensors(path, content);
}

TranslationModel load_translation(const std::string& path) {
  io::expect_kind(path, {io::FileKind::translation}, "model", "a model of calor train-translation");
  const io::Safetensors content = io::read_safetensors(path);
  try {
    return model_of(content);
  } catch (const Error& error) {
    fail(Fault::input, "{} ({})", error.what(), path);
  } catch (const json::exception& error) {
    fail(Fault::input, "[model] expected metadata of a saved translation model, found {} ({})", error.what(), path);
  }
}

std::unique_ptr<const Translator> translator_of(const TranslationModel& model) {
  auto translator = std::make_unique<const Translator>(model.shape, model.seed);
  const at::Tensor values = translator->weights().values();
  require(static_cast<std::int64_t>(model.weights.size()) == values.numel(), Fault::internal, "[translation] expected {} weights, found {}", values.numel(), model.weights.size());
  std::ranges::copy(model.weights, values.data_ptr<float>());
  return translator;
}

}  // namespace calor::learn
