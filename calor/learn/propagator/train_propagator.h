// Training a metric propagator: from the untrained one, whose bandwidth, density exponent and standardisation are chosen by leaving
// one out, to a learned metric.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/predictions.h"
#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/learn/data/preprocess.h"
#include "calor/learn/propagator/propagator.h"

namespace calor::learn {

struct PropagatorOptions {
  double test_share = 0.2;
  std::int64_t hidden = 512;      // units of phi
  std::int64_t epochs = 0;        // 0: so many that there are about 300 steps, at least 20
  std::int64_t batch = 512;       // most points a step; they are each other's keys
  double learning_rate = 1e-3;    // falls to 0 along a half cosine
  double weight_decay = 1e-4;     // decoupled
  // On the points while training: of the median distance, spread over the coordinates.  Unset: 0, 0.15, 0.3, 0.6 or no training at all,
  // whichever predicts rows best that were left out of training (on at most trial_rows rows).
  std::optional<double> noise;
  std::int64_t most_columns = 128, components = 64;  // wider data are first put on so many principal axes
  std::int64_t trial_rows = 4000; // of the training rows: what standardisation and noise are chosen on
  std::uint64_t seed = 0;         // of the split, the weights, the batches and the noise
  std::string save;               // model.safetensors to write; "": none, and no checkpoint
  bool restart = false;           // discard a checkpoint instead of going on from it
  double checkpoint_seconds = 10; // between checkpoints at <save>.checkpoint
};

// Points with a class each, or with a value each; one of the two is empty.
struct PropagatorRows {
  engine::Matrix points;           // in the data's columns
  std::vector<std::int64_t> labels;
  engine::Vector targets;
  std::vector<std::int64_t> rows;    // in the data, from 0
  std::int64_t count() const { return points.rows(); }
  PropagatorRows those(const std::vector<std::int64_t>& which) const;
};

struct PropagatorData {
  PropagatorRows train, test;
  std::vector<std::string> features, classes;  // no classes: values
  io::Coding coding;    // how columns of a file become the features
  io::Filling filling;  // fitted on the training rows
  std::string label, name, hash;
};

struct PropagatorStart {
  bool standardised = false;
  double temperature = 0, alpha = 0;  // in the units of the projected points
  double likelihood = 0;              // leave-one-out
};

// A way of training, and what it gave on rows that were left out.
struct PropagatorTrial {
  std::optional<double> noise;  // unset: untrained
  double error = 0;             // log-loss; of values the root mean square error.  Infinite: given up, once another was sure to be better
};

struct PropagatorQuality {
  analyse::ClassQuality classes;
  analyse::ValueQuality values;  // of the two, the one that applies
};

struct TrainedPropagator {
  Propagator model, untrained;        // the untrained one: the same keys under the metric that training started from
  PropagatorStart start;
  std::vector<PropagatorTrial> trials;  // empty: the noise was given
  std::optional<double> noise;        // the one trained with; unset: leaving rows out preferred the untrained metric
  std::int64_t parameters = 0, train_rows = 0, test_rows = 0;
  std::vector<double> loss;           // mean over the steps of each epoch; of values relative to their variance
  double seconds = 0;                 // of training, without the start; since it went on from a checkpoint
  std::optional<std::int64_t> resumed_epoch;  // epochs that came from a checkpoint
  PropagatorQuality test, untrained_test;
  std::optional<std::string> failure; // why it stopped before its end; the model is then the untrained one
};

// Same bits for any number of threads, and whether or not the run was interrupted and resumed.
// Long work: asks context.stop each step; then saves its checkpoint and throws Fault::interrupted.
// Throws Fault::usage for options outside their ranges; Fault::input for data without a class of two rows, all at one place, or values that
// are all equal, or for a checkpoint of another command (the message names --restart).
TrainedPropagator train_propagator(const PropagatorData& data, const PropagatorOptions& options, const Context& context);

// Of a stratified split of `data` (or all of it, with `test` to test on).  Throws Fault::input as prepare() does.
PropagatorData propagator_classes(const io::Dataset& data, const std::optional<io::Dataset>& test, const PropagatorOptions& options);
PropagatorData propagator_classes(const Prepared& prepared);  // classes "0", "1", ...

// The labels, which are numbers (LoadOptions::measured), are the values; a random share is held out without `test`.
// Throws Fault::input for fewer than 3 rows, or columns of `test` that do not fit.
PropagatorData propagator_values(const io::Dataset& data, const std::optional<io::Dataset>& test, const PropagatorOptions& options);

}  // namespace calor::learn
