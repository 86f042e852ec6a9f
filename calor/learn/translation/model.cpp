#include "calor/learn/translation/model.h"

#include <algorithm>

#include "calor/learn/train/saved_model.h"
#include "calor/learn/translation/fields.h"
#include "calor/learn/translation/network.h"

namespace calor::learn {
namespace {

using nlohmann::json;

constexpr int schema = 1;
constexpr const char* vocabulary_name = "vocabulary";

Vocabulary vocabulary_of(const io::Safetensors& content) {
  const auto found = content.tensors.find(vocabulary_name);
  require(found != content.tensors.end() && found->second.dtype == "U8", Fault::input, "[model] expected the tensor '{}' of bytes, found none", vocabulary_name);
  return Vocabulary(std::string(found->second.bytes.begin(), found->second.bytes.end()));
}

TranslationModel model_of(const io::Safetensors& content) {
  check_schema(content, schema);
  TranslationModel model{json::parse(entry(content, "shape")).get<TranslatorShape>(), json::parse(entry(content, "protocol")).get<TranslationProtocol>(), json::parse(entry(content, "seed")).get<std::uint64_t>(),
                         entry(content, "version"), entry(content, "input_hash"), vocabulary_of(content), {}};
  require(model.vocabulary.size() == model.shape.vocabulary, Fault::input, "[model] expected a vocabulary of {} pieces, found {}", model.shape.vocabulary, model.vocabulary.size());
  model.weights = restored_weights(content, weight_specs(model.shape));
  return model;
}

}  // namespace

void save_translation(const std::string& path, const TranslationModel& model) {
  io::Safetensors content;
  content.metadata = {{"kind", io::translation_mark},
                      {"schema", std::to_string(schema)},
                      {"version", model.version},
                      {"shape", json(model.shape).dump()},
                      {"protocol", json(model.protocol).dump()},
                      {"seed", std::to_string(model.seed)},
                      {"input_hash", model.input_hash}};
  const std::string& bytes = model.vocabulary.model();
  content.tensors[vocabulary_name] = {"U8", {static_cast<std::int64_t>(bytes.size())}, {bytes.begin(), bytes.end()}};
  store_weights(content, weight_specs(model.shape), model.weights);
  io::write_safetensors(path, content);
}

TranslationModel load_translation(const std::string& path) {
  return read_model(path, io::FileKind::translation, "a model of calor train-translation", model_of);
}

std::unique_ptr<const Translator> translator_of(const TranslationModel& model) {
  auto translator = std::make_unique<const Translator>(model.shape, model.seed);
  const at::Tensor values = translator->weights().values();
  require(static_cast<std::int64_t>(model.weights.size()) == values.numel(), Fault::internal, "[translation] expected {} weights, found {}", values.numel(), model.weights.size());
  std::ranges::copy(model.weights, values.data_ptr<float>());
  return translator;
}

}  // namespace calor::learn
