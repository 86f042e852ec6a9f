// Training a translator, a step of its optimiser at a time: it can be stopped after any step, stored, restored, and ends in the same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/learn/adam.h"
#include "calor/learn/text/batches.h"
#include "calor/learn/translation/network.h"
#include "calor/learn/translation/protocol.h"

namespace calor::learn {

// The rate of a step, counted from 1, after the epochs of `record`.
double rate_of(const TranslationProtocol& protocol, std::int64_t step, const std::vector<TranslationEpoch>& record);

class TranslationRun {
 public:
  // Both sets must outlive the run, and have a pair.
  TranslationRun(const TranslatorShape& shape, const TranslationProtocol& protocol, std::uint64_t seed, const std::vector<Pair>& training, const std::vector<Pair>& validation);

  // One step of the optimiser, and the validation of an epoch that ends with it.  False: the run had already ended.
  bool step();

  std::int64_t epoch() const { return static_cast<std::int64_t>(record_.size()); }
  double epochs_done() const;
  double loss() const { return last_loss_; }  // of the last step
  const Translator& translator() const { return translator_; }
  const std::vector<TranslationEpoch>& record() const { return record_; }
  std::int64_t best_epoch() const;                   // from 1: the least validation loss
  const std::vector<float>& best() const { return best_; }  // its weights, flat
  const std::optional<std::string>& failure() const { return failure_; }  // set when the loss was not finite: the run then ended there

  // All that the next step depends on; of a run that has not failed.
  struct State {
    std::int64_t batch = 0, source_pieces = 0, target_pieces = 0;
    double loss = 0, seconds = 0;
    std::vector<TranslationEpoch> record;
    std::vector<float> values, best;
    Adam::State adam;
  };
  State state() const;
  void restore(const State& state);  // throws Fault::input when it is another network's

 private:
  void end_epoch();
  double validation_loss() const;

  TranslationProtocol protocol_;
  std::uint64_t seed_;
  const std::vector<Pair>&training_, &validation_;
  Translator translator_;
  Adam adam_;
  std::vector<std::vector<std::int64_t>> batches_;  // of this epoch
  std::int64_t batch_ = 0;                          // the next
  std::int64_t source_pieces_ = 0, target_pieces_ = 0;  // of this epoch so far
  double loss_ = 0, last_loss_ = 0, seconds_ = 0;       // the sum of this epoch's losses so far
  std::vector<TranslationEpoch> record_;
  std::vector<float> best_;
  std::optional<std::string> failure_;
};

}  // namespace calor::learn
