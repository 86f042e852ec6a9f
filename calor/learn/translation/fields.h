// A translator's shape and protocol as fields of JSON, and back; nlohmann's exceptions for what is missing or of another type.
#pragma once

#include <nlohmann/json.hpp>

#include "calor/learn/translation/protocol.h"
#include "calor/learn/translation/shape.h"

namespace calor::learn {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TranslatorShape, vocabulary, width, layers, heads, hidden, score, dropout)
// Models of earlier versions lack what was added since.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TranslationProtocol, epochs, batch, accumulate, learning_rate, warm_up, label_smoothing, schedule, precision)

}  // namespace calor::learn
