// What stands beside the attentions in a comparison.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/learn/baseline/baselines.h"
#include "calor/learn/baseline/support_vectors.h"
#include "calor/learn/compare/comparison_runs.h"
#include "calor/learn/propagator/train_propagator.h"

namespace calor::learn {
namespace {

using engine::Matrix;

double share_of_equal(std::span<const std::int64_t> found, const std::vector<std::int64_t>& labels) {
  std::int64_t right = 0;
  for (std::size_t i = 0; i < found.size(); ++i) right += found[i] == labels[i];
  return static_cast<double>(right) / static_cast<double>(found.size());
}

double accuracy_of(const Propagator& model, const Matrix& points, const std::vector<std::int64_t>& labels, const Context& context) {
  const Matrix probability = propagate(model, points, 0, context).probability;
  std::vector<std::int64_t> found;
  for (Eigen::Index row = 0; row < probability.rows(); ++row) {
    Eigen::Index best = 0;
    probability.row(row).maxCoeff(&best);
    found.push_back(best);
  }
  return share_of_equal(found, labels);
}

}  // namespace

// A network of as many parameters as the largest that is compared.
void ComparisonRuns::fit_network(std::size_t i) {
  const Prepared& prepared = first_->prepared;
  std::int64_t most = 0;
  for (const Learner& learner : learners_) most = std::max(most, shape_of(learner.network(protocol_), prepared.columns, prepared.classes).parameters);
  const Protocol plain = without_propagation(protocol_, most, prepared.columns, prepared.classes);
  const Trained trained = train_one(plain, plain_learner(), i, fmt::format("MLP, seed {}", seed(i)));
  Scores& scores = network_.seeds[i];
  scores.test = trained.record.test_accuracy.back();
  if (!trained.record.extra_accuracy.empty()) scores.extra = trained.record.extra_accuracy.back();
  scores.parameters = trained.record.parameters;
  scores.chosen.preprocessing = trained.record.preprocessing;
}

void ComparisonRuns::fit_plain(std::size_t which, std::size_t i) {
  const Contender& contender = contenders_[which];
  Scores& scores = plain_[which].seeds[i];
  const auto data = source_.at(seed(i));
  const Prepared& prepared = data->prepared;
  if (contender.most_rows > 0 && prepared.train_count() > contender.most_rows) {
    scores.missing = fmt::format("{} training rows are over the limit of {}", prepared.train_count(), contender.most_rows);
    return;
  }
  const LabelledRows train{prepared.train, prepared.train_labels};
  const Choice choice = choose(contender, train, prepared.classes, seed(i), context_);
  scores.chosen.preprocessing = name_of(choice.preprocessing);
  for (std::size_t p = 0; p < contender.parameters.size(); ++p)
    if (contender.parameters[p].values.size() > 1) scores.chosen.values.emplace_back(contender.parameters[p].name, choice.setting[p]);
  scores.parameters = contender.trained;
  Matrix points(prepared.test.rows() + data->extra.rows(), prepared.test.cols());
  points.topRows(prepared.test.rows()) = prepared.test;
  if (data->extra.rows() > 0) points.bottomRows(data->extra.rows()) = data->extra;
  const std::vector<std::int64_t> found = predict(contender, choice, train, points);
  const std::span<const std::int64_t> all(found);
  scores.test = share_of_equal(all.first(prepared.test_labels.size()), prepared.test_labels);
  if (data->extra.rows() > 0) scores.extra = share_of_equal(all.subspan(prepared.test_labels.size()), data->extra_labels);
}

// On the points as given: it chooses itself whether to standardise.
void ComparisonRuns::fit_propagator(std::size_t i) {
  const auto data = source_.at(seed(i));
  PropagatorOptions options;
  options.seed = seed(i);
  options.epochs = options_.protocol.epochs;
  Scores& own = propagator_.seeds[i];
  Scores& untrained = untrained_.seeds[i];
  TrainedPropagator trained;
  try {
    trained = train_propagator(propagator_classes(data->prepared), options, context_);
  } catch (const Error& error) {
    if (error.fault() != Fault::input) throw;  // no class of two rows, or all points at one place: the others still have a result
    own.missing = untrained.missing = error.what();
    return;
  }
  own.test = trained.test.classes.accuracy;
  untrained.test = trained.untrained_test.classes.accuracy;
  own.parameters = trained.parameters;
  untrained.parameters = 2;  // bandwidth and alpha
  own.chosen.preprocessing = untrained.chosen.preprocessing = name_of(trained.start.standardised ? Preprocessing::standardised : Preprocessing::as_given);
  own.chosen.values = {{"noise", trained.noise}};
  untrained.chosen.values = {{"alpha", trained.start.alpha}};
  if (trained.failure) own.remark = fmt::format("{}: the untrained one stands in for it", *trained.failure);
  if (data->extra.rows() == 0) return;
  own.extra = accuracy_of(trained.model, data->extra, data->extra_labels, context_);
  untrained.extra = accuracy_of(trained.untrained, data->extra, data->extra_labels, context_);
}

std::vector<const ComparisonRuns::Baseline*> ComparisonRuns::every_baseline() const {
  std::vector<const Baseline*> all;
  if (!options_.baselines) return all;
  for (const Baseline& baseline : plain_) all.push_back(&baseline);
  for (const Baseline* baseline : {&network_, &untrained_, &propagator_}) all.push_back(baseline);
  return all;
}

std::vector<analyse::BaselineRecord> ComparisonRuns::baselines() const {
  std::vector<analyse::BaselineRecord> records;
  for (const Baseline* baseline : every_baseline()) {
    if (std::any_of(baseline->seeds.begin(), baseline->seeds.end(), [](const Scores& scores) { return !scores.missing.empty(); })) continue;
    analyse::BaselineRecord record;
    record.name = baseline->name;
    record.kind = baseline->kind;
    for (const Scores& scores : baseline->seeds) {
      record.accuracy.push_back(scores.test);
      if (scores.extra) record.extra_accuracy.push_back(*scores.extra);
      record.chosen.push_back(scores.chosen);
    }
    if (baseline->parametric) record.parameters = baseline->seeds.front().parameters;
    records.push_back(std::move(record));
  }
  return records;
}

// The same reason of every seed is said once.
std::vector<analyse::Remark> ComparisonRuns::remarks() const {
  std::vector<analyse::Remark> result;
  for (const Baseline* baseline : every_baseline()) {
    const auto add = [&](bool left_out, const std::string Scores::*reason) {
      const auto has = [&](const Scores& scores) { return !(scores.*reason).empty(); };
      const auto first = std::find_if(baseline->seeds.begin(), baseline->seeds.end(), has);
      if (first == baseline->seeds.end()) return;
      const bool every = std::all_of(baseline->seeds.begin(), baseline->seeds.end(), [&](const Scores& scores) { return (*first).*reason == scores.*reason; });
      const std::string where = every ? "" : fmt::format("seed {}: ", seed(static_cast<std::size_t>(first - baseline->seeds.begin())));
      const auto more = std::count_if(first + 1, baseline->seeds.end(), has);
      result.push_back({baseline->name, left_out, where + (*first).*reason + (every || more == 0 ? "" : fmt::format(" (and {} more seeds)", more))});
    };
    add(true, &Scores::missing);
    add(false, &Scores::remark);
  }
  return result;
}

}  // namespace calor::learn
