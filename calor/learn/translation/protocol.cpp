#include "calor/learn/translation/protocol.h"

#include <cmath>

#include "calor/core/error.h"

namespace calor::learn {

void validate(const TranslationProtocol& protocol) {
  const auto at_least = [](const char* what, auto value, auto least) {
    require(value >= least, Fault::usage, "[translation] expected {} of at least {}, found {}", what, least, value);
  };
  at_least("a number of epochs", protocol.epochs, std::int64_t{1});
  at_least("a batch", protocol.batch, std::int64_t{1});
  at_least("a number of batches a step", protocol.accumulate, std::int64_t{1});
  at_least("a warm-up", protocol.warm_up, std::int64_t{1});
  require(std::isfinite(protocol.learning_rate) && protocol.learning_rate > 0, Fault::usage, "[translation] expected a learning rate above 0, found {}", protocol.learning_rate);
  require(protocol.label_smoothing >= 0 && protocol.label_smoothing < 1, Fault::usage, "[translation] expected a label smoothing from 0 to below 1, found {}", protocol.label_smoothing);
}

}  // namespace calor::learn
