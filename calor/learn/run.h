// One training run, a step at a time: it can be stopped after any step, stored, restored, and ends in the same bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/learn/adam.h"
#include "calor/learn/ipn.h"
#include "calor/learn/protocol.h"
#include "calor/learn/similarity.h"
#include "calor/learn/tokens.h"

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

// The epochs at which a run of that many is measured: 0, the last, and every 1st, 2nd, 5th, 10th, ... between: at most 50.
std::vector<std::int64_t> recorded_epochs(std::int64_t epochs);

IpnShape ipn_shape(const Protocol& protocol, const Similarity& similarity, std::int64_t columns, std::int64_t classes);

// Whether a run is measured at its recorded epochs, or keeps no record.
enum class Measure { along, never };

class Run {
 public:
  // protocol: resolved.  `data` must outlive the run.
  Run(const Protocol& protocol, const Similarity& similarity, std::uint64_t seed, const RunData& data, Measure measured = Measure::along);

  // One step of the optimiser, and the measurement of an epoch that ends with it.  False: the run had already ended.
  bool step();

  std::int64_t steps_done() const { return epoch_ * steps_an_epoch() + batch_; }
  std::int64_t steps_in_all() const { return protocol_.epochs * steps_an_epoch(); }
  std::int64_t epoch() const { return epoch_; }
  const Ipn& network() const { return network_; }
  const analyse::RunRecord& record() const { return record_; }
  // Set when the loss was not finite: the run then ended there, and its last record counts every prediction as wrong.
  const std::optional<std::string>& failure() const { return failure_; }

  // All that the next step depends on; of a run that has not failed.
  struct State {
    std::int64_t epoch = 0, batch = 0;
    double seconds = 0;
    std::vector<float> values;   // of the network
    std::vector<float> factors;  // one per layer, for those that are not trained
    Adam::State adam;
    analyse::RunRecord record;
  };
  State state() const;
  void restore(const State& state);  // throws Fault::input when it is another network's

 private:
  std::int64_t steps_an_epoch() const { return static_cast<std::int64_t>(batches_.size()); }
  Points batch_points();
  void measure();

  Protocol protocol_;
  const RunData& data_;
  std::uint64_t seed_;
  Measure measured_;
  Ipn network_;
  Adam adam_;
  std::vector<std::int64_t> batches_, recorded_;  // sizes of the batches of an epoch; epochs to measure
  std::vector<std::int64_t> order_;               // of the points in this epoch; empty for a single batch
  std::int64_t epoch_ = 0, batch_ = 0;
  double seconds_ = 0;
  analyse::RunRecord record_;
  std::optional<std::string> failure_;
};

}  // namespace calor::learn
