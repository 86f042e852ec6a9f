// Everything that decides a result beside the data and the seed; recorded with every output and saved model.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace calor::learn {

// Which tokens a test point attends to.  Training is the same for all three: the tokens of a batch attend to each other.
//   train  the training tokens (at most kept_tokens of them) and itself; its prediction depends on no other test point
//   joint  all training and all test tokens, which attend to it in turn (transductive)
//   batch  the test tokens of its batch; the training tokens are not used
enum class Attend { train, joint, batch };
enum class Optimizer { adamw, adam };           // decoupled or coupled weight decay
// The factor s in exp(s * score): fixed (1, or 1/sqrt(width) for a dot product); data: set once, before training, to one
// over the spread of the scores; learn: trained, starting from the data's.
enum class Temperature { fixed, data, learn };
// recommended: residual, decoupled decay.  paper_literal: no residual, coupled decay: a demonstration of collapse.
enum class Reading { recommended, paper_literal };

struct Protocol {
  Reading reading = Reading::recommended;
  Attend attend = Attend::train;
  Optimizer optimizer = Optimizer::adamw;
  Temperature temperature = Temperature::fixed;
  std::int64_t layers = 2;              // of propagation; 0: a plain network, linear -> tanh -> linear
  std::int64_t width = 0;               // 0: 10 up to 10 features, else 100
  bool residual = true;
  double learning_rate = 1e-3, weight_decay = 1e-4;
  std::int64_t batch = 0;               // tokens a step; 0: all up to 512, else near-equal batches of at most 512
  std::int64_t epochs = 0;              // 0: chosen from the width and the number of steps an epoch
  double test_share = 0.2;              // of a stratified split, when there is no test file
  bool standardise = true;
  std::int64_t kept_tokens = 2000;      // most training tokens that a point attends to and that a saved model keeps
};

// The default protocol of a reading; options given by name are then set on top.
Protocol protocol_of(Reading reading);

// Throws Fault::usage: "[protocol] expected ..., found ...: remedy".  Zeros that mean "choose" pass.
void validate(const Protocol& protocol);

// With width, batch and epochs chosen for that many training rows and columns.  Validates first.
Protocol resolve(const Protocol& protocol, std::int64_t training_rows, std::int64_t columns);

std::string_view name_of(Attend);
std::string_view name_of(Optimizer);
std::string_view name_of(Temperature);
std::string_view name_of(Reading);
// By name ("paper-literal", "adamw", ...).  Throw Fault::usage naming the option, the names there are and the nearest.
Attend parse_attend(std::string_view name);
Optimizer parse_optimizer(std::string_view name);
Temperature parse_temperature(std::string_view name);
Reading parse_reading(std::string_view name);

// The fields of "protocol" in docs/formats/compare.md that a Protocol knows, and back (missing fields are an error,
// Fault::input).
nlohmann::json to_json(const Protocol& protocol);
Protocol protocol_from_json(const nlohmann::json& fields);

}  // namespace calor::learn
