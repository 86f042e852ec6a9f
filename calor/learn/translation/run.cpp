#include "calor/learn/translation/run.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <span>

#include "calor/core/error.h"
#include "calor/learn/trainer.h"

namespace calor::learn {
namespace {

constexpr double beta2 = 0.98, epsilon = 1e-9;  // of Adam: Vaswani et al. 2017

std::vector<float> copied(const at::Tensor& tensor) {
  const auto values = floats(tensor);
  return {values.begin(), values.end()};
}

}  // namespace

double rate_of(const TranslationProtocol& protocol, std::int64_t step, const std::vector<TranslationEpoch>& record) {
  const double part = static_cast<double>(step) / static_cast<double>(protocol.warm_up);
  if (parse_rate_schedule(protocol.schedule) == RateSchedule::noam) return protocol.learning_rate * std::min(part, 1 / std::sqrt(part));
  double rate = protocol.learning_rate * std::min(part, 1.0), least = std::numeric_limits<double>::infinity();
  for (const TranslationEpoch& epoch : record) {
    if (!(epoch.validation_loss < least)) rate /= 2;
    least = std::min(least, epoch.validation_loss);
  }
  return rate;
}

TranslationRun::TranslationRun(const TranslatorShape& shape, const TranslationProtocol& protocol, std::uint64_t seed, const std::vector<Pair>& training,
                               const std::vector<Pair>& validation)
    : protocol_(protocol),
      seed_(seed),
      training_(training),
      validation_(validation),
      translator_(shape, seed, at::kFloat, products_of(protocol.precision)),
      adam_(Optimizer::adam, protocol.learning_rate, 0, translator_.weights().values().numel(), 0, {beta2, epsilon}) {
  validate(protocol);
  batches_ = length_batches(training_, protocol_.batch, seed_, 0);
}

double TranslationRun::epochs_done() const {
  return static_cast<double>(epoch()) + (batches_.empty() ? 0 : static_cast<double>(batch_) / static_cast<double>(batches_.size()));
}

std::int64_t TranslationRun::best_epoch() const {
  const auto best = std::ranges::min_element(record_, {}, &TranslationEpoch::validation_loss);
  return best == record_.end() ? 0 : 1 + (best - record_.begin());
}

bool TranslationRun::step() {
  if (epoch() == protocol_.epochs || failure_) return false;
  const OneThread one_thread;
  const FasterProducts faster_products;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<PairBatch> together;
  std::int64_t targets = 0;
  const auto last = std::min(batch_ + protocol_.accumulate, static_cast<std::int64_t>(batches_.size()));
  for (std::int64_t b = batch_; b < last; ++b) {
    together.push_back(pair_batch(training_, batches_[static_cast<std::size_t>(b)]));
    targets += together.back().target_pieces;
    source_pieces_ += together.back().source_pieces;
  }
  target_pieces_ += targets;
  const Weights& weights = translator_.weights();
  weights.gradients().zero_();
  double sum = 0;
  for (const PairBatch& batch : together) {
    const auto drawn = static_cast<std::uint64_t>(epoch()) << 32 | static_cast<std::uint64_t>(batch_++);
    const at::Tensor loss = loss_sum(translator_, batch, protocol_.label_smoothing, {true, seed_, drawn}) / static_cast<double>(targets);
    sum += static_cast<double>(loss.item<float>());
    loss.backward();
  }
  last_loss_ = sum;
  loss_ += sum * static_cast<double>(targets);
  if (!std::isfinite(sum)) {
    failure_ = fmt::format("the loss became non-finite in epoch {}", epoch() + 1);
    return true;
  }
  adam_.set_rate(rate_of(protocol_, adam_.state().steps + 1, record_));
  adam_.step(floats(weights.values()), floats(weights.gradients()));
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (batch_ == static_cast<std::int64_t>(batches_.size())) end_epoch();
  return true;
}

void TranslationRun::end_epoch() {
  const double validated = validation_loss();
  if (record_.empty() || validated < record_[static_cast<std::size_t>(best_epoch() - 1)].validation_loss) best_ = copied(translator_.weights().values());
  record_.push_back({loss_ / static_cast<double>(target_pieces_), validated, seconds_, source_pieces_ + target_pieces_});
  loss_ = 0;
  source_pieces_ = target_pieces_ = batch_ = 0;
  if (epoch() < protocol_.epochs) batches_ = length_batches(training_, protocol_.batch, seed_, static_cast<std::uint64_t>(epoch()));
}

double TranslationRun::validation_loss() const {
  const at::NoGradGuard no_gradient;
  const FasterProducts faster_products;
  double loss = 0, targets = 0;
  for (const auto& rows : length_batches(validation_, protocol_.batch, 0, 0)) {
    const PairBatch batch = pair_batch(validation_, rows);
    loss += static_cast<double>(loss_sum(translator_, batch, 0, {}).item<float>());
    targets += static_cast<double>(batch.target_pieces);
  }
  return loss / targets;
}

TranslationRun::State TranslationRun::state() const {
  return {batch_, source_pieces_, target_pieces_, loss_, seconds_, record_, copied(translator_.weights().values()), best_, adam_.state()};
}

void TranslationRun::restore(const State& state) {
  const auto values = floats(translator_.weights().values());
  require(state.values.size() == values.size() && (state.best.empty() ? state.record.empty() : state.best.size() == values.size()), Fault::input,
          "[translation] expected {} weights, found {}", values.size(), state.values.size());
  require(static_cast<std::int64_t>(state.record.size()) <= protocol_.epochs, Fault::input, "[translation] expected at most {} epochs, found {}", protocol_.epochs, state.record.size());
  std::ranges::copy(state.values, values.begin());
  adam_.restore(state.adam);
  record_ = state.record;
  best_ = state.best;
  batch_ = state.batch;
  source_pieces_ = state.source_pieces;
  target_pieces_ = state.target_pieces;
  loss_ = state.loss;
  seconds_ = state.seconds;
  if (epoch() < protocol_.epochs) batches_ = length_batches(training_, protocol_.batch, seed_, static_cast<std::uint64_t>(epoch()));
  require(batch_ >= 0 && batch_ < static_cast<std::int64_t>(batches_.size()), Fault::input, "[translation] expected a batch below {}, found {}", batches_.size(), batch_);
}

}  // namespace calor::learn
