// Training a network on surfaces, one of them in each step: it can be stopped after any step, stored, restored, and ends in the same bits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/learn/adam.h"
#include "calor/learn/surfaces/data.h"
#include "calor/learn/surfaces/protocol.h"

namespace calor::learn {

class SurfaceRun {
 public:
  // Both sets must outlive the run; `test` may be empty, and its accuracy is then not a number.
  SurfaceRun(const model::Network& network, const SurfaceData& train, const SurfaceData& test, const SurfaceProtocol& protocol, std::uint64_t seed, const Context& context);

  // One surface, and the measurement of an epoch that ends with it.  False: the run had already ended.
  bool step();

  std::int64_t epoch() const { return epoch_; }
  std::int64_t steps_done() const { return epoch_ * surfaces() + place_; }
  std::int64_t steps_in_all() const { return protocol_.epochs * surfaces(); }
  double loss() const { return last_loss_; }  // of the last step
  // Loss and training accuracy are those of the epoch's own steps, dropout included.
  const analyse::RunRecord& record() const { return record_; }
  const NodeNetwork& network() const { return *train_networks_.front(); }
  std::vector<std::vector<std::int64_t>> predictions() const;  // of each test surface, a class for each row
  const std::optional<std::string>& failure() const { return failure_; }  // set when the loss was not finite: the run then ended there

  // All that the next step depends on; of a run that has not failed.
  struct State {
    std::int64_t epoch = 0, place = 0;
    double loss = 0, right = 0, rows = 0, seconds = 0;
    std::vector<float> values;
    Adam::State adam;
    analyse::RunRecord record;
  };
  State state() const;
  void restore(const State& state);  // throws Fault::input when it is another network's

 private:
  std::int64_t surfaces() const { return static_cast<std::int64_t>(train_networks_.size()); }
  void measure();

  SurfaceProtocol protocol_;
  const SurfaceData &train_, &test_;
  std::uint64_t seed_;
  std::vector<std::unique_ptr<NodeNetwork>> train_networks_, test_networks_;
  Adam adam_;
  std::vector<std::int64_t> recorded_, order_;  // epochs to measure; of the surfaces in this epoch
  std::int64_t epoch_ = 0, place_ = 0;
  double loss_ = 0, right_ = 0, rows_ = 0;  // sums of this epoch so far
  double last_loss_ = 0, seconds_ = 0;
  analyse::RunRecord record_;
  std::optional<std::string> failure_;
};

// Triangles or points of all surfaces whose class is the likeliest, as a share; not a number without labels.
double accuracy_on(const std::vector<std::unique_ptr<NodeNetwork>>& networks, const SurfaceData& data);

}  // namespace calor::learn
