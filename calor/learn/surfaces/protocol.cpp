#include "calor/learn/surfaces/protocol.h"

#include <nlohmann/json.hpp>

#include "calor/core/error.h"

namespace calor::learn {

void validate(const SurfaceProtocol& p) {
  require(p.epochs >= 1 && p.epochs <= 100'000, Fault::usage, "[protocol] expected 1 to 100,000 epochs, found {}", p.epochs);
  require(p.learning_rate > 0 && p.learning_rate <= 1e6, Fault::usage, "[protocol] expected a learning rate above 0, found {}", p.learning_rate);
  require(p.weight_decay >= 0 && p.weight_decay <= 1e6, Fault::usage, "[protocol] expected a weight decay of at least 0, found {}", p.weight_decay);
  require(p.label_smoothing >= 0 && p.label_smoothing < 1, Fault::usage, "[protocol] expected a label smoothing from 0 to below 1, found {}", p.label_smoothing);
  require(p.test_share > 0 && p.test_share < 1, Fault::usage, "[protocol] expected a test share between 0 and 1, found {}", p.test_share);
}

void to_json(nlohmann::json& json, const SurfaceProtocol& p) {
  json = {{"optimizer", "adam"}, {"epochs", p.epochs}, {"learning_rate", p.learning_rate}, {"weight_decay", p.weight_decay}, {"label_smoothing", p.label_smoothing}, {"test_share", p.test_share}};
}

}  // namespace calor::learn
