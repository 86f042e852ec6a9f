// calor train --model propagator and propagator-regressor, and calor predict with what it saved.
#pragma once

#include <optional>
#include <string>

#include "calor/model/propagator.h"
#include "calor/pipeline/result_table.h"
#include "command.h"
#include "protocol_options.h"

namespace calor::app {

struct PropagatorTraining {
  model::PropagatorForm form;   // measured: the label column holds values, not classes
  bool restart;
  double checkpoint_seconds;
  std::optional<double> noise;  // unset: chosen on the data
  std::string save, test;       // "": none
};

// Trains, prints or writes the result, saves.  Of the protocol it takes --epochs, --batch, --lr,
// --weight-decay and --test-share; Fault::usage for the others.
void train_propagator(const Globals& globals, const DataOptions& data, const ProtocolOptions& protocol, const PropagatorTraining& training);

struct PropagatorPrediction {
  std::string model, output;
  DataOptions data;
  pipeline::Format format;
  std::int64_t evidence;  // training rows for each prediction
  bool missing_asked;     // --missing was given
};

// Predicts and writes; a model of values wants them in the label column, if at all.
void predict_with_propagator(const Globals& globals, const PropagatorPrediction& wanted);

}  // namespace calor::app
