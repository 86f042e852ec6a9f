#include "calor/learn/nodes/run.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/cross_entropy_loss.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "calor/learn/data/tokens.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

double accuracy_on(const at::Tensor& winners, const at::Tensor& labels, const at::Tensor& nodes) {
  if (nodes.numel() == 0) return 0;
  return winners.index_select(0, nodes).eq(labels.index_select(0, nodes)).to(at::kDouble).mean().item<double>();
}

double loss_on(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& nodes) {
  return at::cross_entropy_loss(logits.index_select(0, nodes), labels.index_select(0, nodes)).item<double>();
}

}  // namespace

NodeRun::NodeRun(const model::Network& network, const NodeData& data, const NodeSplit& split, const NodeProtocol& protocol, double rate, double decay, std::uint64_t seed,
                 const Context& context)
    : data_(data),
      protocol_(protocol),
      network_(network, domain_of(data), data.features, data.classes, seed, context),
      trainer_(network_.weights().values(), network_.weights().gradients(), Adam(Optimizer::adam, rate, decay, network_.weights().values().numel(), network_.weights().decayed())),
      train_(index_tensor(split.train)),
      validation_(index_tensor(split.validation)),
      test_(index_tensor(split.test)),
      recorded_(recorded_epochs(protocol.epochs)) {
  record_.attention = network.name;
  record_.seed = seed;
  record_.parameters = network_.weights().values().numel();
  measure();
}

bool NodeRun::step() {
  if (ended_ || epoch_ == protocol_.epochs) return false;
  if (!trainer_.step([&] {
        const at::Tensor logits = network_.logits(true, static_cast<std::uint64_t>(epoch_));
        return differentiated(at::cross_entropy_loss(logits.index_select(0, train_), data_.labels.index_select(0, train_)));
      }))
    ended_ = true;
  ++epoch_;
  measure();
  return true;
}

void NodeRun::measure() {
  const at::NoGradGuard no_gradient;
  const at::Tensor logits = network_.logits(false, 0);
  const at::Tensor winners = at::argmax(logits, 1).contiguous();
  const bool validates = validation_.numel() > 0;
  const double loss = loss_on(logits, data_.labels, validates ? validation_ : train_);
  if (!std::isfinite(loss)) {
    ended_ = true;
  } else if (const double accuracy = accuracy_on(winners, data_.labels, validation_);
             !validates || accuracy > best_accuracy_ || (accuracy == best_accuracy_ && loss < best_loss_)) {
    best_accuracy_ = accuracy;
    best_loss_ = loss;
    best_epoch_ = epoch_;
    train_accuracy_ = accuracy_on(winners, data_.labels, train_);
    test_accuracy_ = accuracy_on(winners, data_.labels, test_);
    train_loss_ = loss_on(logits, data_.labels, train_);
    kept_ = network_.weights().values().clone();
    predictions_.assign(winners.data_ptr<std::int64_t>(), winners.data_ptr<std::int64_t>() + winners.numel());
  }
  if (protocol_.patience > 0 && epoch_ - best_epoch_ >= protocol_.patience) ended_ = true;
  if (!ended_ && epoch_ < protocol_.epochs && !std::binary_search(recorded_.begin(), recorded_.end(), epoch_)) return;
  record_.epoch.push_back(epoch_);
  record_.loss.push_back(train_loss_);
  record_.train_accuracy.push_back(train_accuracy_);
  record_.test_accuracy.push_back(test_accuracy_);
  record_.seconds.push_back(trainer_.seconds());
  record_.share.push_back(network_.shares());
  record_.temperature.emplace_back();
}

BestRun best_run(const model::Network& network, const NodeData& data, const NodeSplit& split, const NodeProtocol& protocol, std::uint64_t seed, const Context& context,
                 const std::function<void()>& after_step) {
  BestRun best;
  for (const double rate : protocol.learning_rates)
    for (const double decay : protocol.weight_decays) {
      auto run = std::make_unique<NodeRun>(network, data, split, protocol, rate, decay, seed, context);
      while (run->step()) after_step();
      const bool better = !best.run || run->validated() > best.run->validated() || (run->validated() == best.run->validated() && run->validated_loss() < best.run->validated_loss());
      if (better) best = {std::move(run), rate, decay};
    }
  return best;
}

}  // namespace calor::learn
