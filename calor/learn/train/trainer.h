// Training, whatever is trained: steps of an optimiser on flat weights, the loop around them, and what a run that was stopped goes on from.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/train/adam.h"
#include "calor/learn/train/checkpoint.h"

namespace calor::learn {

// Keeps torch to one thread in the calling thread, so that a result's bits depend on no thread count; the previous number
// returns at the end.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// A loss's value; where it is finite, its derivative is added to the gradients.
double differentiated(const at::Tensor& loss);

// Weights and their optimiser.
class Trainer {
 public:
  // values, gradients: flat, and the network's own.
  Trainer(at::Tensor values, at::Tensor gradients, Adam adam) : values_(std::move(values)), gradients_(std::move(gradients)), adam_(std::move(adam)) {}

  // One step: gradients are set to 0, `objective` gives a loss whose derivative it has added to them, and Adam moves the weights.  False where the loss is not finite:
  // the weights are then as they were, as they are where it gives nothing: a batch without a loss.
  bool step(const std::function<std::optional<double>()>& objective);

  double loss() const { return loss_; }        // of the last step that had one
  double seconds() const { return seconds_; }  // of all steps
  std::int64_t steps() const { return adam_.state().steps; }
  void set_rate(double learning_rate) { adam_.set_rate(learning_rate); }  // of the steps to come
  std::span<float> values() const;

  // The fields "seconds" and "steps", and the numbers "values", "first_moment" and "second_moment".
  void store(Checkpoint& content) const;
  void restore(const Checkpoint& content);  // throws Fault::input when it is another network's

 private:
  at::Tensor values_, gradients_;
  Adam adam_;
  double loss_ = 0, seconds_ = 0;
};

// The epochs at which a run of that many is measured: 0, the last, and every 1st, 2nd, 5th, 10th, ... between: at most 50.
std::vector<std::int64_t> recorded_epochs(std::int64_t epochs);

// A run, as the loop sees it: it can be stopped after any step, stored, restored, and ends in the same bits.
class TrainingRun {
 public:
  virtual ~TrainingRun() = default;
  virtual bool step() = 0;  // false: the run had already ended
  virtual std::int64_t epoch() const = 0;  // finished ones
  virtual std::int64_t epochs() const = 0;
  virtual double epochs_done() const = 0;  // with the share of the one that is begun
  virtual std::string progress() const = 0;  // "loss 0.3"
  virtual const std::optional<std::string>& failure() const = 0;  // set when the loss was not finite: the run then ended there
  virtual Checkpoint checkpoint() const = 0;  // all that the next step depends on; of a run that has not failed
  virtual void restore(const Checkpoint& content) = 0;  // throws Fault::input when it is another run's
};

// Tells the context how far the run is.
void report(const TrainingRun& run, const Context& context);

// Steps until the run ends, from the checkpoint where there is one; its epoch.  after_epoch is called after each.  Throws Fault::interrupted, all kept, when a stop was requested.
std::optional<std::int64_t> train_to_end(TrainingRun& run, Checkpoints& checkpoints, const char* op, const Context& context, const std::function<void()>& after_epoch = {});

}  // namespace calor::learn
