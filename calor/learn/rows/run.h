// One training run, a step at a time: it can be stopped after any step, stored, restored, and ends in the same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/rows/learner.h"
#include "calor/learn/rows/protocol.h"
#include "calor/learn/rows/row_network.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {

// Whether a run is measured at its recorded epochs, or keeps no record.
enum class Measure { along, never };

class Run : public TrainingRun {
 public:
  // protocol: resolved.  `data` must outlive the run.
  Run(const Protocol& protocol, const Learner& learner, std::uint64_t seed, const RunData& data, Measure measured = Measure::along);

  // One step of the optimiser, and the measurement of an epoch that ends with it.  False: the run had already ended.
  bool step() override;

  std::int64_t steps_done() const { return epoch_ * steps_an_epoch() + batch_; }
  std::int64_t steps_in_all() const { return protocol_.epochs * steps_an_epoch(); }
  std::int64_t epoch() const override { return epoch_; }
  std::int64_t epochs() const override { return protocol_.epochs; }
  double epochs_done() const override { return static_cast<double>(steps_done()) / static_cast<double>(steps_an_epoch()); }
  std::string progress() const override;
  const RowNetwork& network() const { return network_; }
  const analyse::RunRecord& record() const { return record_; }
  const std::optional<std::string>& failure() const override { return failure_; }  // its last record counts every prediction as wrong
  Checkpoint checkpoint() const override;
  void restore(const Checkpoint& content) override;

 private:
  std::int64_t steps_an_epoch() const { return static_cast<std::int64_t>(batches_.size()); }
  Points batch_points();
  void measure();

  Protocol protocol_;
  const RunData& data_;
  std::uint64_t seed_;
  Measure measured_;
  RowNetwork network_;
  Trainer trainer_;
  std::vector<std::int64_t> batches_, recorded_;  // sizes of the batches of an epoch; epochs to measure
  std::vector<std::int64_t> order_;               // of the points in this epoch; empty for a single batch
  std::int64_t epoch_ = 0, batch_ = 0;
  analyse::RunRecord record_;
  std::optional<std::string> failure_;
};

}  // namespace calor::learn
