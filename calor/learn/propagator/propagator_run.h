// Training a propagator's network, a batch of points in each step.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calor/learn/propagator/propagator_network.h"
#include "calor/learn/propagator/train_propagator.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {

class PropagatorRun : public TrainingRun {
 public:
  // On all rows of `train`, mapped by the projection; targets count relative to their mean and deviation.  `network` must outlive the run.
  // trials: errors of the trials that chose the noise, which its checkpoints keep.
  PropagatorRun(PropagatorNetwork& network, const PropagatorRows& train, const PropagatorOptions& options, double noise, std::vector<double> trials = {});

  bool step() override;
  std::int64_t epoch() const override { return epoch_; }
  std::int64_t epochs() const override { return epochs_; }
  double epochs_done() const override { return static_cast<double>(epoch_) + static_cast<double>(batch_) / static_cast<double>(batches_.size()); }
  std::string progress() const override;
  const std::optional<std::string>& failure() const override { return failure_; }
  Checkpoint checkpoint() const override;
  void restore(const Checkpoint& content) override;  // of trials alone: nothing is begun

  const std::vector<double>& loss() const { return loss_; }        // of each finished epoch: the mean over its steps
  std::int64_t optimiser_steps() const { return trainer_.steps(); }  // fewer than batches where no two points of one share a class

 private:
  std::int64_t steps_an_epoch() const { return static_cast<std::int64_t>(batches_.size()); }
  std::optional<double> objective();
  void end_epoch();

  PropagatorNetwork& network_;
  PropagatorOptions options_;
  std::vector<std::int64_t> batches_;  // sizes of the batches of an epoch
  std::int64_t epochs_;
  double deviation_;           // of the noise
  at::Tensor points_, known_;  // known: classes (int64) or targets (float)
  at::Tensor gradient_;
  Trainer trainer_;
  std::vector<double> trials_, loss_;
  std::vector<std::int64_t> order_;  // of the points in this epoch
  std::int64_t epoch_ = 0, batch_ = 0, judged_ = 0;
  double total_ = 0;  // of this epoch's losses so far, judged_ of them
  std::optional<std::string> failure_;
};

}  // namespace calor::learn
