// A trained translator as one self-contained safetensors file: weights, and the vocabulary that cuts text into pieces.
//
// Tensors: network.<weight> F32; vocabulary U8, as SentencePiece stores it.  Metadata (texts; JSON where they hold more than a word): kind, schema,
// version, shape, protocol, seed, input_hash.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "calor/learn/text/vocabulary.h"
#include "calor/learn/translation/protocol.h"
#include "calor/learn/translation/shape.h"

namespace calor::learn {

class Translator;

struct TranslationModel {
  TranslatorShape shape;
  TranslationProtocol protocol;
  std::uint64_t seed = 0;
  std::string version, input_hash;
  Vocabulary vocabulary;
  std::vector<float> weights;  // flat, in the order of weight_specs()
};

void save_translation(const std::string& path, const TranslationModel& model);

// Throws Fault::input for a file of another kind (the message says which, and what takes it), or one that is damaged.
TranslationModel load_translation(const std::string& path);

// With the model's weights.
std::unique_ptr<const Translator> translator_of(const TranslationModel& model);

}  // namespace calor::learn
