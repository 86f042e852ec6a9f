// Training a translator, a step of its optimiser at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/learn/text/batches.h"
#include "calor/learn/train/trainer.h"
#include "calor/learn/translation/network.h"
#include "calor/learn/translation/protocol.h"

namespace calor::learn {

// The rate of a step, counted from 1, after the epochs of `record`.
double rate_of(const TranslationProtocol& protocol, std::int64_t step, const std::vector<TranslationEpoch>& record);

class TranslationRun : public TrainingRun {
 public:
  // Both sets must outlive the run, and have a pair.
  TranslationRun(const TranslatorShape& shape, const TranslationProtocol& protocol, std::uint64_t seed, const std::vector<Pair>& training, const std::vector<Pair>& validation);

  // One step of the optimiser, and the validation of an epoch that ends with it.
  bool step() override;

  std::int64_t epoch() const override { return static_cast<std::int64_t>(record_.size()); }
  std::int64_t epochs() const override { return protocol_.epochs; }
  double epochs_done() const override;
  std::string progress() const override;
  const Translator& translator() const { return translator_; }
  const std::vector<TranslationEpoch>& record() const { return record_; }
  std::int64_t best_epoch() const;                   // from 1: the least validation loss
  const std::vector<float>& best() const { return best_; }  // its weights, flat
  const std::optional<std::string>& failure() const override { return failure_; }
  Checkpoint checkpoint() const override;
  void restore(const Checkpoint& content) override;

 private:
  void end_epoch();
  double validation_loss() const;

  TranslationProtocol protocol_;
  std::uint64_t seed_;
  const std::vector<Pair>&training_, &validation_;
  Translator translator_;
  Trainer trainer_;
  std::vector<std::vector<std::int64_t>> batches_;  // of this epoch
  std::int64_t batch_ = 0;                          // the next
  std::int64_t source_pieces_ = 0, target_pieces_ = 0;  // of this epoch so far
  double loss_ = 0;                                     // the sum of this epoch's losses so far
  std::vector<TranslationEpoch> record_;
  std::vector<float> best_;
  std::optional<std::string> failure_;
};

}  // namespace calor::learn
