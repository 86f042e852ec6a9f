#include "calor/learn/surfaces/run.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/run.h"

namespace calor::learn {
namespace {

constexpr std::size_t looked_at = 10;  // surfaces whose effective shares are averaged

double right_of(const at::Tensor& logits, const at::Tensor& labels) { return at::argmax(logits, 1).eq(labels).sum().item<double>(); }

}  // namespace

double accuracy_on(const std::vector<std::unique_ptr<NodeNetwork>>& networks, const SurfaceData& data) {
  const at::NoGradGuard no_gradient;
  double right = 0;
  for (std::size_t i = 0; i < networks.size(); ++i)
    if (data.surfaces[i].labels.defined()) right += right_of(networks[i]->logits(false, 0), data.surfaces[i].labels);
  const auto rows = static_cast<double>(data.rows());
  return rows > 0 ? right / rows : std::numeric_limits<double>::quiet_NaN();
}

SurfaceRun::SurfaceRun(const model::Network& network, const SurfaceData& train, const SurfaceData& test, const SurfaceProtocol& protocol, std::uint64_t seed, const Context& context)
    : protocol_(protocol),
      train_(train),
      test_(test),
      seed_(seed),
      train_networks_(networks_on(network, train, seed, nullptr, context)),
      test_networks_(networks_on(network, test, seed, train_networks_.front()->shared_weights(), context)),
      adam_(Optimizer::adam, protocol.learning_rate, protocol.weight_decay, this->network().weights().values().numel(), this->network().weights().values().numel()),
      recorded_(recorded_epochs(protocol.epochs)) {
  record_.attention = network.name;
  record_.seed = seed;
  record_.parameters = this->network().weights().values().numel();
}

bool SurfaceRun::step() {
  if (failure_ || epoch_ == protocol_.epochs) return false;
  const OneThread one_thread;
  const auto start = std::chrono::steady_clock::now();
  if (order_.empty()) {
    Random random(seed_, Purpose::shuffle, static_cast<std::uint64_t>(epoch_));
    order_ = permutation(surfaces(), random);
  }
  const auto chosen = static_cast<std::size_t>(order_[static_cast<std::size_t>(place_)]);
  const at::Tensor& labels = train_.surfaces[chosen].labels;
  const Weights& weights = network().weights();
  weights.gradients().zero_();
  const at::Tensor logits = train_networks_[chosen]->logits(true, static_cast<std::uint64_t>(steps_done()));
  const at::Tensor loss = at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, protocol_.label_smoothing);
  last_loss_ = loss.item<double>();
  if (!std::isfinite(last_loss_)) {
    failure_ = fmt::format("the loss became non-finite in epoch {}", epoch_ + 1);
    ++epoch_;
    place_ = 0;
    loss_ = std::numeric_limits<double>::quiet_NaN(), right_ = 0, rows_ = 1;
    measure();
    return true;
  }
  loss.backward();
  const double part = static_cast<double>(steps_done()) / static_cast<double>(steps_in_all());
  adam_.set_rate(protocol_.learning_rate * (1 + std::cos(std::numbers::pi * part)) / 2);
  adam_.step(floats(weights.values()), floats(weights.gradients()));
  const auto rows = static_cast<double>(labels.numel());
  loss_ += last_loss_ * rows, right_ += right_of(logits, labels), rows_ += rows;
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (++place_ == surfaces()) {
    place_ = 0;
    ++epoch_;
    order_.clear();
    if (std::binary_search(recorded_.begin(), recorded_.end(), epoch_)) measure();
    loss_ = right_ = rows_ = 0;
  }
  return true;
}

void SurfaceRun::measure() {
  record_.epoch.push_back(epoch_);
  record_.loss.push_back(loss_ / rows_);
  record_.train_accuracy.push_back(right_ / rows_);
  record_.test_accuracy.push_back(failure_ ? 0 : accuracy_on(test_networks_, test_));
  record_.seconds.push_back(seconds_);
  record_.temperature.emplace_back();
  const auto& judged = test_networks_.empty() ? train_networks_ : test_networks_;
  const std::size_t count = std::min(judged.size(), looked_at);
  std::vector<double> mean = judged.front()->shares();
  for (std::size_t i = 1; i < count; ++i) {
    const std::vector<double> shares = judged[i]->shares();
    for (std::size_t s = 0; s < mean.size(); ++s) mean[s] += shares[s];
  }
  for (double& share : mean) share /= static_cast<double>(count);
  record_.share.push_back(std::move(mean));
}

std::vector<std::vector<std::int64_t>> SurfaceRun::predictions() const {
  const at::NoGradGuard no_gradient;
  std::vector<std::vector<std::int64_t>> all;
  for (const auto& network : test_networks_) {
    const at::Tensor winners = at::argmax(network->logits(false, 0), 1).contiguous();
    all.emplace_back(winners.const_data_ptr<std::int64_t>(), winners.const_data_ptr<std::int64_t>() + winners.numel());
  }
  return all;
}

SurfaceRun::State SurfaceRun::state() const {
  const auto values = floats(network().weights().values());
  return {epoch_, place_, loss_, right_, rows_, seconds_, {values.begin(), values.end()}, adam_.state(), record_};
}

void SurfaceRun::restore(const State& state) {
  const auto values = floats(network().weights().values());
  require(state.values.size() == values.size() && state.epoch >= 0 && state.epoch <= protocol_.epochs && state.place >= 0 && state.place < surfaces(), Fault::input,
          "[train] expected the state of a network with {} numbers in epoch 0 to {}, found {} in epoch {}", values.size(), protocol_.epochs, state.values.size(), state.epoch);
  adam_.restore(state.adam);
  std::ranges::copy(state.values, values.begin());
  epoch_ = state.epoch, place_ = state.place;
  order_.clear();
  loss_ = state.loss, right_ = state.right, rows_ = state.rows, seconds_ = state.seconds;
  record_ = state.record;
}

}  // namespace calor::learn
