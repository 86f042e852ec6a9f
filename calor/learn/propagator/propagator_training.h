// The optimiser's loop over a propagator's network.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "calor/core/random.h"
#include "calor/learn/propagator/propagator_network.h"
#include "calor/learn/propagator/train_propagator.h"
#include "calor/learn/train/adam.h"

namespace calor::learn {

// After so many epochs: all that the next one depends on.
struct PropagatorState {
  std::int64_t epoch = 0;
  std::vector<float> values;  // of the network
  Adam::State adam;
  std::vector<double> loss;   // of each epoch
};

class PropagatorTraining {
 public:
  // Of all in `train`, mapped by the projection; targets relative to their mean and deviation.  `network` must outlive the object.
  PropagatorTraining(PropagatorNetwork& network, const PropagatorRows& train, const PropagatorOptions& options, double noise);

  // To the end, or to a loss that is not finite: then the reason.  `before_step` is given the state at the end of the last epoch; it may
  // throw.
  std::optional<std::string> run(const Context& context, const std::function<void(const PropagatorState&)>& before_step);
  void restore(PropagatorState state);

  const PropagatorState& state() const { return state_; }
  std::int64_t epochs() const { return epochs_; }

 private:
  double rate(double progress) const;
  std::int64_t batch_count() const { return static_cast<std::int64_t>(batches_.size()); }
  std::optional<double> step(const std::vector<std::int64_t>& order, std::int64_t begin, std::int64_t size, Adam& optimiser);

  PropagatorNetwork& network_;
  PropagatorOptions options_;
  std::vector<std::int64_t> batches_;
  std::int64_t epochs_;
  double deviation_;
  at::Tensor points_, known_;  // known: classes (int64) or targets (float)
  std::vector<float> gradient_;
  PropagatorState state_;
};

}  // namespace calor::learn
