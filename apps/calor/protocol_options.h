// The flags that set a protocol, shared by compare and train.
#pragma once

#include <optional>
#include <string>

#include "calor/learn/rows/protocol.h"

namespace CLI {
class App;
}

namespace calor::app {

struct ProtocolOptions {
  std::string reading = "recommended", attend = "train", temperature = "fixed", optimizer;
  std::optional<std::int64_t> epochs, layers, width, batch;
  std::optional<double> learning_rate, weight_decay, test_share;
  bool no_standardise = false;

  // The reading's protocol with what was given on top.  Throws Fault::usage.
  learn::Protocol protocol() const;
};

void add_protocol(CLI::App& command, ProtocolOptions& options);

}  // namespace calor::app
