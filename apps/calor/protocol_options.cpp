#include "protocol_options.h"

#include <CLI/CLI.hpp>

#include <string_view>

#include "calor/core/error.h"

namespace calor::app {

void add_protocol(CLI::App& command, ProtocolOptions& options) {
  command.add_option("--epochs", options.epochs, "Passes over the training points (default: by the size of the data)");
  command.add_option("--layers", options.layers, "Propagation layers (default 2)");
  command.add_option("--width", options.width, "Width of a token, at most 512 (default: 10 up to 10 features, else 100); of a propagator: units of its metric (default 512)");
  command.add_option("--batch", options.batch, "Tokens per training step (default: all up to 512, else batches of nearly equal size)");
  command.add_option("--optimizer", options.optimizer, "adamw: decoupled weight decay (default); adam: coupled");
  command.add_option("--lr", options.learning_rate, "Learning rate (default 1e-3)");
  command.add_option("--weight-decay", options.weight_decay, "Weight decay (default 1e-4)");
  command.add_option("--reading", options.reading,
                     "recommended: residual layers, adamw; paper-literal: neither, which shows the collapse")
      ->capture_default_str();
  command.add_option("--temperature", options.temperature,
                     "Factor on the scores: fixed, data (one over their spread at the start), or learn")
      ->capture_default_str();
  command.add_option("--attend", options.attend,
                     "What a test point attends to: train (training points and itself), joint (all points), or batch "
                     "(the other test points of its batch)")
      ->capture_default_str();
  command.add_option("--test-share", options.test_share, "Share of the rows held out for testing (default 0.2)");
  command.add_flag("--no-standardise", options.no_standardise, "Features as they are, not centred and scaled");
}

// A count that zero would mean "choose" for in the library; on the command line only the absent option means that.
static void set_count(const char* flag, const std::optional<std::int64_t>& given, std::int64_t& value) {
  if (!given) return;
  require(*given > 0, Fault::usage, "[protocol] expected {} to be at least 1, found {}", flag, *given);
  value = *given;
}

learn::Protocol ProtocolOptions::protocol() const {
  learn::Protocol protocol = learn::protocol_of(learn::parse_reading(reading));
  protocol.attend = learn::parse_attend(attend);
  protocol.temperature = learn::parse_temperature(temperature);
  if (!optimizer.empty()) protocol.optimizer = learn::parse_optimizer(optimizer);
  if (layers) protocol.layers = *layers;
  if (learning_rate) protocol.learning_rate = *learning_rate;
  if (weight_decay) protocol.weight_decay = *weight_decay;
  if (test_share) protocol.test_share = *test_share;
  set_count("--epochs", epochs, protocol.epochs);
  set_count("--width", width, protocol.width);
  set_count("--batch", batch, protocol.batch);
  protocol.standardise = !no_standardise;
  learn::validate(protocol);
  return protocol;
}

}  // namespace calor::app
