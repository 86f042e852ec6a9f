// Training a network on surfaces, one of them in each step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/learn/surfaces/data.h"
#include "calor/learn/surfaces/protocol.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {

class SurfaceRun : public TrainingRun {
 public:
  // Both sets must outlive the run; `test` may be empty, and its accuracy is then not a number.
  SurfaceRun(const model::Network& network, const SurfaceData& train, const SurfaceData& test, const SurfaceProtocol& protocol, std::uint64_t seed, const Context& context);

  // One surface, and the measurement of an epoch that ends with it.  False: the run had already ended.
  bool step() override;

  std::int64_t epoch() const override { return epoch_; }
  std::int64_t epochs() const override { return protocol_.epochs; }
  double epochs_done() const override { return static_cast<double>(steps_done()) / static_cast<double>(surfaces()); }
  std::string progress() const override;
  std::int64_t steps_done() const { return epoch_ * surfaces() + place_; }
  std::int64_t steps_in_all() const { return protocol_.epochs * surfaces(); }
  // Loss and training accuracy are those of the epoch's own steps, dropout included.
  const analyse::RunRecord& record() const { return record_; }
  const NodeNetwork& network() const { return *train_networks_.front(); }
  const std::vector<std::unique_ptr<NodeNetwork>>& networks() const { return train_networks_; }  // one for each training surface
  std::vector<std::vector<std::int64_t>> predictions() const;  // of each test surface, a class for each row
  const std::optional<std::string>& failure() const override { return failure_; }
  Checkpoint checkpoint() const override;
  void restore(const Checkpoint& content) override;

 private:
  std::int64_t surfaces() const { return static_cast<std::int64_t>(train_networks_.size()); }
  void measure();

  SurfaceProtocol protocol_;
  const SurfaceData &train_, &test_;
  std::uint64_t seed_;
  std::vector<std::unique_ptr<NodeNetwork>> train_networks_, test_networks_;
  Trainer trainer_;
  std::vector<std::int64_t> recorded_, order_;  // epochs to measure; of the surfaces in this epoch
  std::int64_t epoch_ = 0, place_ = 0;
  double loss_ = 0, right_ = 0, rows_ = 0;  // sums of this epoch so far
  analyse::RunRecord record_;
  std::optional<std::string> failure_;
};

// Triangles or points of all surfaces whose class is the likeliest, as a share; not a number without labels.
double accuracy_on(const std::vector<std::unique_ptr<NodeNetwork>>& networks, const SurfaceData& data);

}  // namespace calor::learn
