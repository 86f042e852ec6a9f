#include "calor/learn/translation/protocol.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/learn/translation/linear.h"
#include "calor/learn/translation/shape.h"

namespace calor::learn {

const std::vector<std::string>& rate_schedules() {
  static const std::vector<std::string> names{"noam", "plateau"};
  return names;
}

RateSchedule parse_rate_schedule(std::string_view name) { return static_cast<RateSchedule>(place_of(name, rate_schedules(), "a schedule")); }

void validate(const TranslationProtocol& protocol) {
  const auto at_least = [](const char* what, auto value, auto least) {
    require(value >= least, Fault::usage, "[translation] expected {} of at least {}, found {}", what, least, value);
  };
  products_of(protocol.precision);
  parse_rate_schedule(protocol.schedule);
  at_least("a number of epochs", protocol.epochs, std::int64_t{1});
  at_least("a batch", protocol.batch, std::int64_t{1});
  at_least("a number of batches a step", protocol.accumulate, std::int64_t{1});
  at_least("a warm-up", protocol.warm_up, std::int64_t{1});
  require(std::isfinite(protocol.learning_rate) && protocol.learning_rate > 0, Fault::usage, "[translation] expected a learning rate above 0, found {}", protocol.learning_rate);
  require(protocol.label_smoothing >= 0 && protocol.label_smoothing < 1, Fault::usage, "[translation] expected a label smoothing from 0 to below 1, found {}", protocol.label_smoothing);
}

}  // namespace calor::learn
