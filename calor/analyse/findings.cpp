#include "calor/analyse/findings.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "calor/core/error.h"

namespace calor::analyse {
namespace {

constexpr double level = 0.95;
constexpr double significance = 0.05;
constexpr double stuck_tolerance = 0.02;  // of ln C
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

void check_lengths(const RunRecord& run) {
  const std::size_t records = run.epoch.size();
  const bool fits = records > 0 && run.loss.size() == records && run.train_accuracy.size() == records &&
                    run.test_accuracy.size() == records && run.seconds.size() == records &&
                    run.share.size() == records && run.temperature.size() == records &&
                    (run.extra_accuracy.empty() || run.extra_accuracy.size() == records);
  require(fits, Fault::internal,
          "[compare] expected one entry per recorded epoch in every series, found {} epochs and other "
          "lengths (run of {}, seed {})",
          records, run.attention, run.seed);
  for (const auto& layers : run.share)
    require(layers.size() == run.share.front().size(), Fault::internal,
            "[compare] expected a share for each of {} layers, found {} (run of {}, seed {})", run.share.front().size(),
            layers.size(), run.attention, run.seed);
}

// Accuracies are ratios of counts; their differences carry rounding errors that would break ties between equal ones.
double rounded(double difference) { return std::round(difference * 1e12) / 1e12; }

Outcome outcome_of(const RunRecord& run, Measure measure, const Judgement& judgement) {
  Outcome outcome;
  outcome.record = &run;
  outcome.accuracy = run.test_accuracy.back();
  outcome.extra = run.extra_accuracy.empty() ? not_a_number : run.extra_accuracy.back();
  outcome.loss = run.loss.back();
  const auto& curve = measured_curve(run, measure);
  outcome.measured = curve.back();
  outcome.dead_reason = dead_reason(run, judgement);
  if (judgement.common_accuracy > 0) {
    const auto at = std::find_if(curve.begin(), curve.end(), [&](double a) { return a >= judgement.common_accuracy; });
    if (at != curve.end()) outcome.reached = static_cast<std::size_t>(at - curve.begin());
  }
  return outcome;
}

std::vector<double> layer_means(const std::vector<const Outcome*>& outcomes, bool at_end) {
  if (outcomes.empty()) return {};
  std::vector<double> means(outcomes.front()->record->share.front().size(), 0.0);
  for (const Outcome* outcome : outcomes) {
    const auto& share = outcome->record->share;
    const auto& layers = at_end ? share.back() : share.front();
    require(layers.size() == means.size(), Fault::internal,
            "[compare] expected the same number of layers in every run of {}, found {} and {}",
            outcome->record->attention, means.size(), layers.size());
    for (std::size_t l = 0; l < means.size(); ++l) means[l] += layers[l] / static_cast<double>(outcomes.size());
  }
  return means;
}

Summary summary_of(const std::string& attention, bool control, const std::vector<const Outcome*>& outcomes,
                   const Judgement& judgement) {
  Summary summary;
  summary.attention = attention;
  summary.control = control;
  std::vector<double> accuracy, extra, measured, living, epochs, seconds;
  for (const Outcome* outcome : outcomes) {
    ++summary.runs;
    if (outcome->dead()) ++summary.dead;
    accuracy.push_back(outcome->accuracy);
    if (!std::isnan(outcome->extra)) extra.push_back(outcome->extra);
    measured.push_back(outcome->measured);
    if (!outcome->record->preprocessing.empty()) summary.chosen.push_back({outcome->record->preprocessing, {}});
    if (!outcome->dead()) living.push_back(outcome->measured);
    if (outcome->reached) {
      epochs.push_back(static_cast<double>(outcome->record->epoch[*outcome->reached]));
      seconds.push_back(outcome->record->seconds[*outcome->reached]);
    }
  }
  summary.accuracy_mean = mean(accuracy);
  summary.accuracy_sd = deviation(accuracy);
  summary.extra_mean = mean(extra);
  summary.extra_sd = deviation(extra);
  summary.measured_mean = mean(measured);
  summary.living_mean = mean(living);
  summary.living_sd = deviation(living);
  summary.living_sd_interval = bootstrap_deviation(living, level, 0);
  summary.reached = static_cast<std::int64_t>(epochs.size());
  summary.epochs_to_common = median(epochs);
  summary.seconds_to_common = median(seconds);
  summary.share_initial = layer_means(outcomes, false);
  summary.share_final = layer_means(outcomes, true);
  if (!control) summary.flags = flags(outcomes, judgement);  // the control is uniform by construction
  return summary;
}

using BySeed = std::map<std::uint64_t, const Outcome*>;

Pair pair_of(const std::string& a, const std::string& b, const BySeed& of_a, const BySeed& of_b) {
  Pair pair;
  pair.a = a;
  pair.b = b;
  std::vector<double> differences, living;
  for (const auto& [seed, outcome] : of_a) {
    const auto other = of_b.find(seed);
    if (other == of_b.end()) continue;
    differences.push_back(rounded(outcome->measured - other->second->measured));
    if (!outcome->dead() && !other->second->dead()) living.push_back(differences.back());
  }
  pair.pairs = static_cast<std::int64_t>(differences.size());
  pair.difference = paired_difference(differences, level);
  pair.test = wilcoxon_signed_rank(differences);
  pair.living_pairs = static_cast<std::int64_t>(living.size());
  pair.living = paired_difference(living, level);
  return pair;
}

void adjust(std::vector<Pair>& pairs) {
  std::vector<double> p;
  for (const Pair& pair : pairs) p.push_back(pair.test.p);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    Pair& pair = pairs[i];
    pair.p_holm = adjusted[i];
    // What this many seeds could give at best, were no difference zero.
    const double least = std::exp2(1 - static_cast<double>(std::max<std::int64_t>(pair.pairs, 1)));
    const double corrected = std::min(1.0, least * static_cast<double>(pairs.size()));
    std::vector<std::string> notes;
    if (least > significance)
      notes.push_back(fmt::format("too few seeds: with {} the smallest possible p is {:.2g}", pair.pairs, least));
    else if (corrected > significance)
      notes.push_back(
          fmt::format("too few seeds: with {}, the smallest possible p is {:.2g}, and {:.2g} after Holm over {} tests",
                      pair.pairs, least, corrected, pairs.size()));
    else if (pair.test.used == 0)
      notes.push_back("every pair is equal");
    if (pair.living_pairs < pair.pairs)
      notes.push_back(fmt::format("a dead run in {} of {} pairs", pair.pairs - pair.living_pairs, pair.pairs));
    pair.note = fmt::format("{}", fmt::join(notes, "; "));
  }
}

void compare_best_baseline(Findings& findings, const std::map<std::string, BySeed>& by_attention) {
  const Baseline* baseline = nullptr;
  for (const Baseline& candidate : findings.baselines)
    if (!baseline || candidate.measured_mean > baseline->measured_mean) baseline = &candidate;
  const Summary* attention = nullptr;
  for (const Summary& candidate : findings.summaries)
    if (!candidate.control && candidate.runs > 0 && (!attention || candidate.measured_mean > attention->measured_mean))
      attention = &candidate;
  if (!baseline || !attention) return;
  const auto& values =
      findings.measure == Measure::extra_accuracy ? baseline->record->extra_accuracy : baseline->record->accuracy;
  std::vector<double> differences;
  for (const auto& [seed, outcome] : by_attention.at(attention->attention)) {
    const auto place = std::lower_bound(findings.seeds.begin(), findings.seeds.end(), seed) - findings.seeds.begin();
    differences.push_back(rounded(values[static_cast<std::size_t>(place)] - outcome->measured));
  }
  findings.best_baseline = baseline->record->name;
  findings.best_attention = attention->attention;
  findings.best_difference = paired_difference(differences, level);
}

}  // namespace

Measure measure_of(const std::vector<RunRecord>& runs) {
  const bool all = !runs.empty() && std::all_of(runs.begin(), runs.end(),
                                                [](const RunRecord& run) { return !run.extra_accuracy.empty(); });
  return all ? Measure::extra_accuracy : Measure::test_accuracy;
}

const std::vector<double>& measured_curve(const RunRecord& run, Measure measure) {
  return measure == Measure::extra_accuracy ? run.extra_accuracy : run.test_accuracy;
}

std::string dead_reason(const RunRecord& run, const Judgement& judgement) {
  if (!std::isfinite(run.loss.back())) return "loss not finite";
  if (run.test_accuracy.back() >= judgement.dead_below) return {};
  if (std::abs(run.loss.back() - judgement.ln_classes) <= stuck_tolerance * judgement.ln_classes)
    return "loss stuck at ln C";
  return fmt::format("test accuracy below {:.3g} %", 100 * judgement.dead_below);
}

Findings find(const std::string& data_name, const std::vector<std::string>& attentions, const std::string& control,
              const std::vector<RunRecord>& runs, const std::vector<BaselineRecord>& baselines,
              const Judgement& judgement) {
  Findings findings;
  findings.data_name = data_name;
  findings.measure = measure_of(runs);
  findings.judgement = judgement;

  std::set<std::uint64_t> seeds;
  std::map<std::string, BySeed> by_attention;
  for (const std::string& attention : attentions) by_attention[attention];
  for (const RunRecord& run : runs) {
    check_lengths(run);
    findings.outcomes.push_back(outcome_of(run, findings.measure, judgement));
    seeds.insert(run.seed);
  }
  findings.seeds.assign(seeds.begin(), seeds.end());
  for (const Outcome& outcome : findings.outcomes) {
    const RunRecord& run = *outcome.record;
    const auto place = by_attention.find(run.attention);
    require(place != by_attention.end(), Fault::internal, "[compare] expected a run of a listed similarity, found {}",
            run.attention);
    require(place->second.emplace(run.seed, &outcome).second, Fault::internal,
            "[compare] expected one run per similarity and seed, found two of {} with seed {}", run.attention, run.seed);
  }

  for (const std::string& attention : attentions) {
    std::vector<const Outcome*> outcomes;
    for (const auto& [seed, outcome] : by_attention[attention]) outcomes.push_back(outcome);
    findings.summaries.push_back(summary_of(attention, attention == control, outcomes, judgement));
  }

  std::vector<std::string> latest_first;  // the plainest similarity comes first in the list, the claim last
  for (auto name = attentions.rbegin(); name != attentions.rend(); ++name)
    if (*name != control) latest_first.push_back(*name);
  for (std::size_t i = 0; i < latest_first.size(); ++i)
    for (std::size_t j = latest_first.size(); j-- > i + 1;)
      findings.pairs.push_back(
          pair_of(latest_first[i], latest_first[j], by_attention[latest_first[i]], by_attention[latest_first[j]]));
  if (by_attention.contains(control))
    for (const std::string& name : latest_first) {
      findings.pairs.push_back(pair_of(name, control, by_attention[name], by_attention[control]));
      findings.pairs.back().against_control = true;
    }
  std::erase_if(findings.pairs, [](const Pair& pair) { return pair.pairs == 0; });
  adjust(findings.pairs);

  for (const BaselineRecord& record : baselines) {
    require(record.accuracy.size() == findings.seeds.size() &&
                (record.extra_accuracy.empty() || record.extra_accuracy.size() == findings.seeds.size()),
            Fault::internal, "[compare] expected one accuracy per seed ({}) of the baseline {}, found {} and {}",
            findings.seeds.size(), record.name, record.accuracy.size(), record.extra_accuracy.size());
    require(findings.measure == Measure::test_accuracy || !record.extra_accuracy.empty(), Fault::internal,
            "[compare] expected extra accuracies of the baseline {}, as the runs have them; found none", record.name);
    const auto& measured = findings.measure == Measure::extra_accuracy ? record.extra_accuracy : record.accuracy;
    findings.baselines.push_back({&record, mean(record.accuracy), deviation(record.accuracy),
                                  mean(record.extra_accuracy), deviation(record.extra_accuracy), mean(measured)});
  }
  compare_best_baseline(findings, by_attention);
  return findings;
}

}  // namespace calor::analyse
