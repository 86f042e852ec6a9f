// calor train --model propagator, and calor predict with what it saved.
#pragma once

#include <optional>
#include <string>

#include "command.h"
#include "protocol_options.h"

namespace calor::app {

struct PropagatorTraining {
  std::optional<double> noise;  // unset: chosen on the data
  std::string save, test;       // "": none
};

// Trains, prints or writes the result, saves.  Of the protocol it takes --epochs, --batch, --width (hidden units), --lr,
// --weight-decay and --test-share; Fault::usage for the others.
void train_propagator(const Globals& globals, const DataOptions& data, const ProtocolOptions& protocol, const PropagatorTraining& training);

// Predictions with so many training rows of evidence each, as csv or JSON.
void predict_with_propagator(const Globals& globals, const std::string& model, const DataOptions& data, const std::string& output,
                             std::int64_t evidence);

}  // namespace calor::app
