#include "calor/learn/translation/run.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/learn/train/trainer.h"

namespace calor::learn {
namespace {

constexpr double beta2 = 0.98, epsilon = 1e-9;  // of Adam: Vaswani et al. 2017

nlohmann::json record_json(const std::vector<TranslationEpoch>& record) {
  nlohmann::json rows = nlohmann::json::array();
  for (const TranslationEpoch& epoch : record) rows.push_back({epoch.training_loss, epoch.validation_loss, epoch.seconds, epoch.pieces});
  return rows;
}

std::vector<TranslationEpoch> record_of(const nlohmann::json& rows) {
  std::vector<TranslationEpoch> record;
  for (const nlohmann::json& row : rows) record.push_back({row.at(0).get<double>(), row.at(1).get<double>(), row.at(2).get<double>(), row.at(3).get<std::int64_t>()});
  return record;
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
      trainer_(translator_.weights().values(), translator_.weights().gradients(),
               Adam(Optimizer::adam, protocol.learning_rate, 0, translator_.weights().values().numel(), 0, {beta2, epsilon})) {
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
  const FasterProducts faster_products;
  double targets = 0;
  trainer_.set_rate(rate_of(protocol_, trainer_.steps() + 1, record_));
  const bool finite = trainer_.step([&] {
    std::vector<PairBatch> together;
    const auto last = std::min(batch_ + protocol_.accumulate, static_cast<std::int64_t>(batches_.size()));
    for (std::int64_t b = batch_; b < last; ++b) {
      together.push_back(pair_batch(training_, batches_[static_cast<std::size_t>(b)]));
      targets += static_cast<double>(together.back().target_pieces);
      source_pieces_ += together.back().source_pieces;
      target_pieces_ += together.back().target_pieces;
    }
    double sum = 0;
    for (const PairBatch& batch : together) {
      const auto drawn = static_cast<std::uint64_t>(epoch()) << 32 | static_cast<std::uint64_t>(batch_++);
      sum += differentiated(loss_sum(translator_, batch, protocol_.label_smoothing, {true, seed_, drawn}) / targets);
    }
    return sum;
  });
  if (!finite) {
    failure_ = fmt::format("the loss became non-finite in epoch {}", epoch() + 1);
    return true;
  }
  loss_ += trainer_.loss() * targets;
  if (batch_ == static_cast<std::int64_t>(batches_.size())) end_epoch();
  return true;
}

void TranslationRun::end_epoch() {
  const double validated = validation_loss();
  if (record_.empty() || validated < record_[static_cast<std::size_t>(best_epoch() - 1)].validation_loss) best_.assign(trainer_.values().begin(), trainer_.values().end());
  record_.push_back({loss_ / static_cast<double>(target_pieces_), validated, trainer_.seconds(), source_pieces_ + target_pieces_});
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

std::string TranslationRun::progress() const { return fmt::format("loss {:.3f}", trainer_.loss()); }

Checkpoint TranslationRun::checkpoint() const {
  Checkpoint content{{{"batch", batch_}, {"source_pieces", source_pieces_}, {"target_pieces", target_pieces_}, {"loss", loss_}, {"record", record_json(record_)}}, {{"best", best_}}};
  trainer_.store(content);
  return content;
}

void TranslationRun::restore(const Checkpoint& content) {
  const auto& fields = content.state;
  std::vector<TranslationEpoch> record = record_of(fields.at("record"));
  const std::vector<float>& best = content.numbers.at("best");
  require(best.empty() ? record.empty() : best.size() == trainer_.values().size(), Fault::input, "[translation] expected {} weights, found {}", trainer_.values().size(), best.size());
  const auto epochs = static_cast<std::int64_t>(record.size());
  require(epochs <= protocol_.epochs, Fault::input, "[translation] expected at most {} epochs, found {}", protocol_.epochs, epochs);
  const auto batch = fields.at("batch").get<std::int64_t>();
  auto batches = epochs < protocol_.epochs ? length_batches(training_, protocol_.batch, seed_, static_cast<std::uint64_t>(epochs)) : batches_;
  require(batch >= 0 && batch < static_cast<std::int64_t>(batches.size()), Fault::input, "[translation] expected a batch below {}, found {}", batches.size(), batch);
  const auto source_pieces = fields.at("source_pieces").get<std::int64_t>(), target_pieces = fields.at("target_pieces").get<std::int64_t>();
  loss_ = fields.at("loss").get<double>();
  trainer_.restore(content);
  batches_ = std::move(batches);
  record_ = std::move(record);
  best_ = best;
  batch_ = batch;
  source_pieces_ = source_pieces, target_pieces_ = target_pieces;
}

}  // namespace calor::learn
