// calor train --model propagator and propagator-regressor, and calor predict with what it saved.
#pragma once

#include <optional>
#include <string>

#include "command.h"
#include "protocol_options.h"

namespace calor::app {

struct PropagatorTraining {
  bool measured;                // the label column holds values, not classes
  bool restart;
  double checkpoint_seconds;
  std::optional<double> noise;  // unset: chosen on the data
  std::string save, test;       // "": none
};

// Trains, prints or writes the result, saves.  Of the protocol it takes --epochs, --batch, --width (hidden units), --lr,
// --weight-decay and --test-share; Fault::usage for the others.
void train_propagator(const Globals& globals, const DataOptions& data, const ProtocolOptions& protocol, const PropagatorTraining& training);

// Predictions with so many training rows of evidence each, as csv or JSON; a model of values wants them in the label column, if at all.
void predict_with_propagator(const Globals& globals, const std::string& model, const DataOptions& data, const std::string& output,
                             std::int64_t evidence);

}  // namespace calor::app
