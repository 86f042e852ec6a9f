// Training one network on one data set: protocol in, record and trained model out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/core/progress.h"
#include "calor/io/dataset.h"
#include "calor/learn/rows/learner.h"
#include "calor/learn/rows/model_file.h"
#include "calor/learn/rows/protocol.h"

namespace calor::learn {

struct TrainOptions {
  Protocol protocol;
  Learner learner = attention_learner("metric");
  std::uint64_t seed = 0;            // of the split, the weights and the batches
  std::string save;                  // model.safetensors to write; "": none, and no checkpoint
  bool restart = false;              // discard a checkpoint instead of going on from it
  double checkpoint_seconds = 10;    // between checkpoints at <save>.checkpoint
};

struct TrainResult {
  analyse::RunRecord record;
  Model model;
  std::int64_t train_rows = 0, test_rows = 0;
  std::vector<std::string> constant_columns;  // kept as zeros
  std::optional<std::int64_t> resumed_epoch;  // epochs that came from a checkpoint
  // Why the run stopped before its end: "the loss became non-finite in epoch 12".  No model is then written.
  std::optional<std::string> failure;
};

// Trains on a stratified split of `data` (or on all of it, with `test` to test on).  Same bits for any number of threads,
// and whether or not the run was interrupted and resumed; only the record's seconds differ.
// Long work: asks context.stop each step; then saves its checkpoint and throws Fault::interrupted.
// Throws Fault::usage for options, Fault::input for data ("[train] expected at least 2 classes, found 1 ...") or for a
// checkpoint of another command (the message names --restart), Fault::memory.
TrainResult train(const io::Dataset& data, const std::optional<io::Dataset>& test, const TrainOptions& options,
                  const Context& context);

}  // namespace calor::learn
