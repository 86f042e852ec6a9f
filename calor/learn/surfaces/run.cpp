#include "calor/learn/surfaces/run.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/train/trainer.h"

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
      trainer_(this->network().weights().values(), this->network().weights().gradients(),
               Adam(Optimizer::adam, protocol.learning_rate, protocol.weight_decay, this->network().weights().values().numel(), this->network().weights().decayed())),
      recorded_(recorded_epochs(protocol.epochs)) {
  record_.attention = network.name;
  record_.seed = seed;
  record_.parameters = this->network().weights().values().numel();
}

bool SurfaceRun::step() {
  if (failure_ || epoch_ == protocol_.epochs) return false;
  if (order_.empty()) {
    Random random(seed_, Purpose::shuffle, static_cast<std::uint64_t>(epoch_));
    order_ = permutation(surfaces(), random);
  }
  const auto chosen = static_cast<std::size_t>(order_[static_cast<std::size_t>(place_)]);
  const at::Tensor& labels = train_.surfaces[chosen].labels;
  const auto rows = static_cast<double>(labels.numel()), part = static_cast<double>(steps_done()) / static_cast<double>(steps_in_all());
  trainer_.set_rate(protocol_.learning_rate * (1 + std::cos(std::numbers::pi * part)) / 2);
  const bool finite = trainer_.step([&] {
    const at::Tensor logits = train_networks_[chosen]->logits(true, static_cast<std::uint64_t>(steps_done()));
    right_ += right_of(logits, labels);
    return differentiated(at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, protocol_.label_smoothing));
  });
  loss_ += trainer_.loss() * rows, rows_ += rows;
  if (!finite) {
    failure_ = fmt::format("the loss became non-finite in epoch {}", epoch_ + 1);
    ++epoch_;
    place_ = 0, right_ = 0;
    measure();
    return true;
  }
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
  record_.seconds.push_back(trainer_.seconds());
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

std::string SurfaceRun::progress() const {
  return fmt::format("loss {:.3f}{}", trainer_.loss(), record_.test_accuracy.empty() ? "" : fmt::format(", test accuracy {:.1f} %", 100 * record_.test_accuracy.back()));
}

Checkpoint SurfaceRun::checkpoint() const {
  Checkpoint content{{{"epoch", epoch_}, {"place", place_}, {"loss", loss_}, {"right", right_}, {"rows", rows_}, {"record", record_to_json(record_)}}, {}};
  trainer_.store(content);
  return content;
}

void SurfaceRun::restore(const Checkpoint& content) {
  const auto& fields = content.state;
  const auto epoch = fields.at("epoch").get<std::int64_t>(), place = fields.at("place").get<std::int64_t>();
  require(epoch >= 0 && epoch <= protocol_.epochs && place >= 0 && place < surfaces(), Fault::input, "[train] expected the state of epoch 0 to {} with {} surfaces, found epoch {} and surface {}",
          protocol_.epochs, surfaces(), epoch, place);
  analyse::RunRecord record = record_from_json(fields.at("record"));
  const auto loss = fields.at("loss").get<double>(), right = fields.at("right").get<double>(), rows = fields.at("rows").get<double>();
  trainer_.restore(content);
  epoch_ = epoch, place_ = place;
  order_.clear();
  loss_ = loss, right_ = right, rows_ = rows;
  record_ = std::move(record);
}

}  // namespace calor::learn
