#include "calor/learn/rows/protocol.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/kernels/attention.h"

namespace calor::learn {
namespace {

// Ten-dimensional layers learn two moons; digits and MNIST need the hundred of the published experiment.
constexpr std::int64_t few_columns = 10, narrow = 10, wide = 100;
constexpr std::int64_t most_batch = 512;
// A narrow network on one small batch converges in about 500 steps (two moons); a wide one in under 200 (digits).
constexpr std::int64_t epochs_narrow = 1000, epochs_wide = 200, epochs_few_batches = 60, epochs_many_batches = 20;
constexpr std::int64_t few_batches = 20;
constexpr std::int64_t most_layers = 1000;

template <class Value, std::size_t count>
using Names = std::array<std::pair<Value, std::string_view>, count>;

constexpr Names<Attend, 3> attends{{{Attend::train, "train"}, {Attend::joint, "joint"}, {Attend::batch, "batch"}}};
constexpr Names<Optimizer, 2> optimizers{{{Optimizer::adamw, "adamw"}, {Optimizer::adam, "adam"}}};
constexpr Names<Temperature, 3> temperatures{
    {{Temperature::fixed, "fixed"}, {Temperature::data, "data"}, {Temperature::learn, "learn"}}};
constexpr Names<Reading, 2> readings{{{Reading::recommended, "recommended"}, {Reading::paper_literal, "paper-literal"}}};

template <class Value, std::size_t count>
std::string_view name_in(const Names<Value, count>& names, Value value) {
  for (const auto& [known, name] : names) {
    if (known == value) return name;
  }
  fail(Fault::internal, "[protocol] expected a named value, found {}", static_cast<int>(value));
}

template <class Value, std::size_t count>
Value parse_in(const Names<Value, count>& names, std::string_view option, std::string_view text) {
  std::vector<std::string> known;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known.emplace_back(name);
  }
  const std::string nearest = nearest_name(text, known);
  fail(Fault::usage, "[{}] expected one of {}, found '{}'{}", option, list_names(known), text,
       nearest.empty() ? "" : fmt::format(": did you mean '{}'?", nearest));
}

void require_between(std::string_view option, std::int64_t value, std::int64_t low, std::int64_t high,
                     std::string_view remedy) {
  require(value >= low && value <= high, Fault::usage, "[protocol] expected {} from {} to {}, found {}: {}", option, low,
          high, value, remedy);
}

}  // namespace

Protocol protocol_of(Reading reading) {
  Protocol protocol;
  protocol.reading = reading;
  if (reading == Reading::paper_literal) {
    protocol.residual = false;
    protocol.optimizer = Optimizer::adam;
  }
  return protocol;
}

void validate(const Protocol& p) {
  constexpr std::int64_t plenty = 1'000'000'000;
  require_between("layers", p.layers, 0, most_layers, "2 is the default");
  if (p.layers > 0) {
    require_between("width", p.width, 0, kernels::max_dim, "0 chooses it from the number of features");
  } else {
    require_between("width", p.width, 0, plenty, "0 chooses it from the number of features");
  }
  require_between("epochs", p.epochs, 0, plenty, "0 chooses the number from the data");
  require_between("batch", p.batch, 0, plenty, "0 chooses it from the number of training points");
  require_between("kept tokens", p.kept_tokens, 1, plenty, "2000 is the default");
  require(std::isfinite(p.learning_rate) && p.learning_rate > 0, Fault::usage,
          "[protocol] expected a learning rate over 0, found {}: 0.001 is the default", p.learning_rate);
  require(std::isfinite(p.weight_decay) && p.weight_decay >= 0, Fault::usage,
          "[protocol] expected a weight decay of at least 0, found {}: 0.0001 is the default", p.weight_decay);
  require(p.test_share > 0 && p.test_share < 1, Fault::usage,
          "[protocol] expected a test share between 0 and 1, found {}: 0.2 is the default", p.test_share);
}

Protocol resolve(const Protocol& protocol, std::int64_t training_rows, std::int64_t columns) {
  validate(protocol);
  Protocol p = protocol;
  if (p.width == 0) p.width = columns <= few_columns ? narrow : wide;
  if (p.batch == 0) {
    const std::int64_t batches = (training_rows + most_batch - 1) / most_batch;
    p.batch = (training_rows + batches - 1) / batches;
  }
  p.batch = std::min(p.batch, training_rows);
  if (p.epochs == 0) {
    const std::int64_t batches = (training_rows + p.batch - 1) / p.batch;
    p.epochs = batches > few_batches ? epochs_many_batches
               : batches > 1         ? epochs_few_batches
               : p.width <= narrow   ? epochs_narrow
                                     : epochs_wide;
  }
  return p;
}

std::string_view name_of(Attend value) { return name_in(attends, value); }
std::string_view name_of(Optimizer value) { return name_in(optimizers, value); }
std::string_view name_of(Temperature value) { return name_in(temperatures, value); }
std::string_view name_of(Reading value) { return name_in(readings, value); }
Attend parse_attend(std::string_view name) { return parse_in(attends, "attend", name); }
Optimizer parse_optimizer(std::string_view name) { return parse_in(optimizers, "optimizer", name); }
Temperature parse_temperature(std::string_view name) { return parse_in(temperatures, "temperature", name); }
Reading parse_reading(std::string_view name) { return parse_in(readings, "reading", name); }

nlohmann::json to_json(const Protocol& p) {
  return {{"reading", name_of(p.reading)},
          {"attend", name_of(p.attend)},
          {"layers", p.layers},
          {"width", p.width},
          {"residual", p.residual},
          {"optimizer", name_of(p.optimizer)},
          {"learning_rate", p.learning_rate},
          {"weight_decay", p.weight_decay},
          {"batch", p.batch},
          {"epochs", p.epochs},
          {"temperature", name_of(p.temperature)},
          {"test_share", p.test_share},
          {"standardise", p.standardise},
          {"kept_tokens", p.kept_tokens}};
}

Protocol protocol_from_json(const nlohmann::json& fields) {
  try {
    Protocol p;
    p.reading = parse_reading(fields.at("reading").get<std::string>());
    p.attend = parse_attend(fields.at("attend").get<std::string>());
    p.layers = fields.at("layers").get<std::int64_t>();
    p.width = fields.at("width").get<std::int64_t>();
    p.residual = fields.at("residual").get<bool>();
    p.optimizer = parse_optimizer(fields.at("optimizer").get<std::string>());
    p.learning_rate = fields.at("learning_rate").get<double>();
    p.weight_decay = fields.at("weight_decay").get<double>();
    p.batch = fields.at("batch").get<std::int64_t>();
    p.epochs = fields.at("epochs").get<std::int64_t>();
    p.temperature = parse_temperature(fields.at("temperature").get<std::string>());
    p.test_share = fields.at("test_share").get<double>();
    p.standardise = fields.at("standardise").get<bool>();
    p.kept_tokens = fields.at("kept_tokens").get<std::int64_t>();
    validate(p);
    return p;
  } catch (const std::exception& error) {
    fail(Fault::input, "[protocol] expected the fields of a protocol, found: {}", error.what());
  }
}

}  // namespace calor::learn
