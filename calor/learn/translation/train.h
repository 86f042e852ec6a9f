// Training a translator on text: sentences in two languages in, record and model out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/text/sentences.h"
#include "calor/learn/translation/model.h"

namespace calor::learn {

struct TranslationOptions {
  TranslatorShape shape{.vocabulary = 8000};  // at most so many pieces; the text may have fewer
  TranslationProtocol protocol;
  std::int64_t most_pieces = 250;   // pairs with a longer side are left out
  std::uint64_t seed = 0;           // of the weights, the batches, the dropout, and of what is held out
  std::string save;                 // model.safetensors to write; "": none, and no checkpoint
  bool restart = false;             // discard a checkpoint instead of going on from it
  bool keep_checkpoint = false;     // at the end too: more epochs can then go on from it
  double checkpoint_seconds = 60;   // between checkpoints at <save>.checkpoint
  std::function<void(std::int64_t epoch, const TranslationEpoch&)> after_epoch;  // may be empty; epochs count from 1
};

struct TrainedTranslation {
  TranslationModel model;                 // of the epoch that validated best
  std::vector<TranslationEpoch> record;
  std::int64_t best_epoch = 0;            // from 1
  std::int64_t parameters = 0, training_pairs = 0, validation_pairs = 0;
  std::int64_t too_long = 0;              // training pairs left out
  std::optional<std::int64_t> resumed_epoch;  // whole epochs that came from a checkpoint
  std::optional<std::string> failure;     // why it stopped before its end: no model is then written
};

// Without `validation` every 50th pair, at most 1,000, drawn by the seed, is held out.  Same bits for any number of threads, and whether or not the run was
// interrupted and resumed; only seconds differ.
// Long work: asks context.stop each step; then saves its checkpoint and throws Fault::interrupted.
// Throws Fault::usage for options, Fault::input for too few pairs or a checkpoint of another command (the message names --restart), Fault::memory.
TrainedTranslation train_translation(const ParallelText& training, const std::optional<ParallelText>& validation, const TranslationOptions& options, const Context& context);

}  // namespace calor::learn
