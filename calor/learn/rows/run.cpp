#include "calor/learn/rows/run.h"

#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/text.h"
#include "calor/learn/rows/evaluate.h"

namespace calor::learn {
namespace {

constexpr std::int64_t factor_sample = 256;  // tokens that a data-driven factor starts from

std::vector<std::int64_t> index_slice(const std::vector<std::int64_t>& order, std::int64_t begin, std::int64_t count) {
  return {order.begin() + begin, order.begin() + begin + count};
}

}  // namespace

Run::Run(const Protocol& protocol, const Learner& learner, std::uint64_t seed, const RunData& data, Measure measured)
    : protocol_(protocol),
      data_(data),
      seed_(seed),
      measured_(measured),
      network_(learner.network(protocol), data.columns, data.classes, seed),
      trainer_(network_.values(), network_.gradients(),
               Adam(protocol.optimizer, protocol.learning_rate, protocol.weight_decay, network_.values().numel(), network_.decayed())),
      batches_(near_equal_batches(data.train.count(), protocol.batch)),
      recorded_(recorded_epochs(protocol.epochs)) {
  record_.attention = learner.name;
  record_.seed = seed;
  record_.parameters = network_.values().numel();
  Random random(seed, Purpose::tokens, 1);
  auto sample = permutation(data.train.count(), random);
  sample.resize(static_cast<std::size_t>(std::min(factor_sample, data.train.count())));
  network_.start_factors(pick_points(data.train, sample).values);
  measure();
}

// One batch of the epoch's order; a single batch needs no order.
Points Run::batch_points() {
  if (batches_.size() == 1) return data_.train;
  if (order_.empty()) {
    Random random(seed_, Purpose::shuffle, static_cast<std::uint64_t>(epoch_));
    order_ = permutation(data_.train.count(), random);
  }
  std::int64_t begin = 0;
  for (std::int64_t i = 0; i < batch_; ++i) begin += batches_[static_cast<std::size_t>(i)];
  return pick_points(data_.train, index_slice(order_, begin, batches_[static_cast<std::size_t>(batch_)]));
}

bool Run::step() {
  if (failure_ || epoch_ == protocol_.epochs) return false;
  const bool finite = trainer_.step([&] {
    const Points points = batch_points();
    return differentiated(at::cross_entropy_loss(network_.training_forward(points.values, static_cast<std::uint64_t>(trainer_.steps())), points.labels));
  });
  if (!finite) failure_ = fmt::format("the loss became non-finite in epoch {}", epoch_ + 1);
  if (failure_) {
    ++epoch_;
    measure();
    return true;
  }
  if (++batch_ == steps_an_epoch()) {
    batch_ = 0;
    ++epoch_;
    order_.clear();
    if (std::binary_search(recorded_.begin(), recorded_.end(), epoch_)) measure();
  }
  return true;
}

void Run::measure() {
  if (measured_ == Measure::never) return;
  const Evaluation now = evaluate(network_, protocol_, data_, seed_);
  // The last step's weights have had no loss yet.
  if (!failure_ && epoch_ == protocol_.epochs && !std::isfinite(now.loss)) failure_ = fmt::format("the loss was non-finite after epoch {}", epoch_);
  const auto counted = [&](double accuracy) { return failure_ ? 0.0 : accuracy; };
  record_.epoch.push_back(epoch_);
  record_.loss.push_back(failure_ ? std::numeric_limits<double>::quiet_NaN() : now.loss);
  record_.train_accuracy.push_back(counted(now.train_accuracy));
  record_.test_accuracy.push_back(counted(now.test_accuracy));
  if (now.extra_accuracy) record_.extra_accuracy.push_back(counted(*now.extra_accuracy));
  record_.seconds.push_back(trainer_.seconds());
  record_.share.push_back(now.share);
  record_.temperature.push_back(network_.factors());
}

std::string Run::progress() const { return fmt::format("loss {:.3g}", record_.loss.empty() ? trainer_.loss() : record_.loss.back()); }

Checkpoint Run::checkpoint() const {
  Checkpoint content{{{"epoch", epoch_}, {"batch", batch_}, {"record", record_to_json(record_)}}, {}};
  trainer_.store(content);
  for (const double factor : network_.factors()) content.numbers["factors"].push_back(static_cast<float>(factor));
  return content;
}

void Run::restore(const Checkpoint& content) {
  const auto epoch = content.state.at("epoch").get<std::int64_t>(), batch = content.state.at("batch").get<std::int64_t>();
  const std::vector<float>& factors = content.numbers.at("factors");
  require(factors.size() == network_.factors().size() && epoch >= 0 && epoch <= protocol_.epochs && batch >= 0 && batch < steps_an_epoch(), Fault::input,
          "[train] expected the state of a network of {} in epoch 0 to {}, found {} in epoch {}", counted(static_cast<std::int64_t>(network_.factors().size()), "factor"), protocol_.epochs, factors.size(), epoch);
  analyse::RunRecord record = record_from_json(content.state.at("record"));
  trainer_.restore(content);
  network_.set_factors(factors);
  epoch_ = epoch;
  batch_ = batch;
  order_.clear();
  record_ = std::move(record);
}

}  // namespace calor::learn
