#include "calor/learn/run.h"

#include <ATen/Parallel.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/evaluate.h"

namespace calor::learn {
namespace {

constexpr std::int64_t factor_sample = 256;  // tokens that a data-driven factor starts from
// A measurement costs about as much as an epoch of digits: 50 of them leave most of the time to training.
constexpr std::int64_t most_records = 50;

std::vector<std::int64_t> index_slice(const std::vector<std::int64_t>& order, std::int64_t begin, std::int64_t count) {
  return {order.begin() + begin, order.begin() + begin + count};
}

}  // namespace

OneThread::OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
OneThread::~OneThread() { at::set_num_threads(before_); }

std::vector<std::int64_t> recorded_epochs(std::int64_t epochs) {
  std::int64_t stride = 1;
  for (std::int64_t decade = 1; epochs > stride * most_records; decade *= 10) {
    for (const std::int64_t nice : {1, 2, 5}) {
      stride = nice * decade;
      if (epochs <= stride * most_records) break;
    }
  }
  std::vector<std::int64_t> recorded;
  for (std::int64_t epoch = 0; epoch < epochs; epoch += stride) recorded.push_back(epoch);
  recorded.push_back(epochs);
  return recorded;
}

IpnShape ipn_shape(const Protocol& protocol, const Similarity& similarity, std::int64_t columns, std::int64_t classes) {
  return {columns,
          protocol.width,
          protocol.layers,
          classes,
          protocol.residual,
          similarity.temperature.value_or(protocol.temperature),
          similarity.score,
          similarity.normalise,
          similarity.bandwidth};
}

Run::Run(const Protocol& protocol, const Similarity& similarity, std::uint64_t seed, const RunData& data, Measure measured)
    : protocol_(protocol),
      data_(data),
      seed_(seed),
      measured_(measured),
      network_(ipn_shape(protocol, similarity, data.columns, data.classes), seed),
      adam_(protocol.optimizer, protocol.learning_rate, protocol.weight_decay, network_.values().numel(),
            network_.decayed()),
      batches_(near_equal_batches(data.train.count(), protocol.batch)),
      recorded_(recorded_epochs(protocol.epochs)) {
  record_.attention = similarity.name;
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
  const auto start = std::chrono::steady_clock::now();
  const Points points = batch_points();
  network_.gradients().zero_();
  const at::Tensor loss = at::cross_entropy_loss(network_.forward(points.values), points.labels);
  if (!std::isfinite(loss.item<float>())) {
    failure_ = fmt::format("the loss became non-finite in epoch {}", epoch_ + 1);
  } else {
    loss.backward();
    adam_.step(floats(network_.values()), floats(network_.gradients()));
  }
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
  const auto counted = [&](double accuracy) { return failure_ ? 0.0 : accuracy; };
  record_.epoch.push_back(epoch_);
  record_.loss.push_back(failure_ ? std::numeric_limits<double>::quiet_NaN() : now.loss);
  record_.train_accuracy.push_back(counted(now.train_accuracy));
  record_.test_accuracy.push_back(counted(now.test_accuracy));
  if (now.extra_accuracy) record_.extra_accuracy.push_back(counted(*now.extra_accuracy));
  record_.seconds.push_back(seconds_);
  record_.share.push_back(now.share);
  record_.temperature.push_back(network_.factors());
}

Run::State Run::state() const {
  State state;
  state.epoch = epoch_;
  state.batch = batch_;
  state.seconds = seconds_;
  const auto values = floats(network_.values());
  state.values.assign(values.begin(), values.end());
  for (const double factor : network_.factors()) state.factors.push_back(static_cast<float>(factor));
  state.adam = adam_.state();
  state.record = record_;
  return state;
}

void Run::restore(const State& state) {
  const auto values = floats(network_.values());
  require(state.values.size() == values.size() &&
              state.factors.size() == static_cast<std::size_t>(network_.shape().layers) && state.epoch >= 0 &&
              state.epoch <= protocol_.epochs && state.batch >= 0 && state.batch < steps_an_epoch(),
          Fault::input, "[train] expected the state of a network with {} numbers in epoch 0 to {}, found {} in epoch {}",
          values.size(), protocol_.epochs, state.values.size(), state.epoch);
  adam_.restore(state.adam);
  std::copy(state.values.begin(), state.values.end(), values.begin());
  network_.set_factors(state.factors);
  epoch_ = state.epoch;
  batch_ = state.batch;
  order_.clear();
  seconds_ = state.seconds;
  record_ = state.record;
}

}  // namespace calor::learn
