#include "calor/analyse/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "calor/analyse/findings.h"
#include "calor/core/error.h"

namespace calor::analyse {
namespace {

using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json numbers(const std::vector<double>& values) {
  json result = json::array();
  for (const double value : values) result.push_back(number(value));
  return result;
}

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json layers_over_time(const std::vector<std::vector<double>>& series) {
  json result = json::array();
  for (const auto& layers : series) result.push_back(numbers(layers));
  return result;
}

json run_json(const Outcome& outcome) {
  const RunRecord& run = *outcome.record;
  return {{"attention", run.attention},
          {"seed", run.seed},
          {"parameters", run.parameters},
          {"preprocessing", text_or_null(run.preprocessing)},
          {"epoch", run.epoch},
          {"loss", numbers(run.loss)},
          {"train_accuracy", numbers(run.train_accuracy)},
          {"test_accuracy", numbers(run.test_accuracy)},
          {"extra_accuracy", run.extra_accuracy.empty() ? json(nullptr) : numbers(run.extra_accuracy)},
          {"seconds", numbers(run.seconds)},
          {"share", layers_over_time(run.share)},
          {"temperature", layers_over_time(run.temperature)},
          {"final_accuracy", number(outcome.accuracy)},
          {"final_extra", number(outcome.extra)},
          {"final_loss", number(outcome.loss)},
          {"epochs_to_common", outcome.reached ? json(run.epoch[*outcome.reached]) : json(nullptr)},
          {"seconds_to_common", outcome.reached ? number(run.seconds[*outcome.reached]) : json(nullptr)},
          {"dead", outcome.dead()},
          {"dead_reason", text_or_null(outcome.dead_reason)}};
}

json summary_json(const Summary& summary) {
  json flag_list = json::array();
  for (const Flag& flag : summary.flags) flag_list.push_back({{"kind", flag.kind}, {"text", flag.text}});
  return {{"attention", summary.attention},
          {"runs", summary.runs},
          {"dead", summary.dead},
          {"accuracy_mean", number(summary.accuracy_mean)},
          {"accuracy_sd", number(summary.accuracy_sd)},
          {"living_mean", number(summary.living_mean)},
          {"living_sd", number(summary.living_sd)},
          {"living_sd_low", number(summary.living_sd_interval.low)},
          {"living_sd_high", number(summary.living_sd_interval.high)},
          {"extra_mean", number(summary.extra_mean)},
          {"extra_sd", number(summary.extra_sd)},
          {"reached", summary.reached},
          {"epochs_to_common", number(summary.epochs_to_common)},
          {"seconds_to_common", number(summary.seconds_to_common)},
          {"share_initial", numbers(summary.share_initial)},
          {"share_final", numbers(summary.share_final)},
          {"chosen_text", text_or_null(chosen_text(summary.chosen))},
          {"flags", flag_list}};
}

json pair_json(const Pair& pair) {
  return {{"a", pair.a},
          {"b", pair.b},
          {"pairs", pair.pairs},
          {"difference", number(pair.difference.mean)},
          {"low", number(pair.difference.interval.low)},
          {"high", number(pair.difference.interval.high)},
          {"p", number(pair.test.p)},
          {"p_holm", number(pair.p_holm)},
          {"exact", pair.test.exact},
          {"smallest_p", number(pair.test.smallest_p)},
          {"detectable", number(pair.difference.detectable)},
          {"living_pairs", pair.living_pairs},
          {"living_difference", number(pair.living.mean)},
          {"living_low", number(pair.living.interval.low)},
          {"living_high", number(pair.living.interval.high)},
          {"note", text_or_null(pair.note)}};
}

json baseline_json(const Baseline& baseline) {
  const BaselineRecord& record = *baseline.record;
  return {{"name", record.name},
          {"accuracy_mean", number(baseline.accuracy_mean)},
          {"accuracy_sd", number(baseline.accuracy_sd)},
          {"accuracy", numbers(record.accuracy)},
          {"parameters", record.parameters ? json(*record.parameters) : json(nullptr)},
          {"extra_mean", number(baseline.extra_mean)},
          {"extra_sd", number(baseline.extra_sd)},
          {"extra_accuracy", record.extra_accuracy.empty() ? json(nullptr) : numbers(record.extra_accuracy)},
          {"chosen", chosen_json(record.chosen)},
          {"chosen_text", text_or_null(chosen_text(record.chosen))}};
}

json best_baseline_json(const Findings& findings) {
  if (findings.best_baseline.empty()) return nullptr;
  return {{"baseline", findings.best_baseline},
          {"attention", findings.best_attention},
          {"difference", number(findings.best_difference.mean)},
          {"low", number(findings.best_difference.interval.low)},
          {"high", number(findings.best_difference.interval.high)}};
}

}  // namespace

Judgement judge(const std::vector<RunRecord>& runs, const std::string& control, double majority_share,
                std::int64_t classes, std::int64_t keys) {
  constexpr double highest_dead_line = 0.7;
  constexpr double levels[] = {0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5};
  Judgement judgement;
  judgement.keys = keys;
  judgement.ln_classes = std::log(static_cast<double>(classes));
  double best = 0;
  for (const RunRecord& run : runs) best = std::max(best, run.test_accuracy.back());
  if (best < majority_share + 0.1 * (1 - majority_share)) best = 1;
  judgement.dead_below = std::min(highest_dead_line, 0.5 * (majority_share + best));

  const Measure measure = measure_of(runs);
  std::map<std::string, std::vector<double>> peaks;  // of the living runs
  for (const RunRecord& run : runs) {
    const auto& curve = measured_curve(run, measure);
    if (run.attention != control && dead_reason(run, judgement).empty())
      peaks[run.attention].push_back(*std::max_element(curve.begin(), curve.end()));
  }
  if (peaks.empty()) return judgement;
  for (const double level : levels) {
    const bool common = std::all_of(peaks.begin(), peaks.end(), [&](const auto& entry) {
      const auto reached =
          std::count_if(entry.second.begin(), entry.second.end(), [&](double peak) { return peak >= level; });
      return 2 * reached >= static_cast<std::ptrdiff_t>(entry.second.size());
    });
    if (!common) continue;
    judgement.common_accuracy = level;
    break;
  }
  return judgement;
}

std::string dead_rule(const Judgement& judgement) {
  return fmt::format("a run is dead when its final test accuracy is below {:.1f} %, or its loss is not finite",
                     100 * judgement.dead_below);
}

json summarise(const std::string& data_name, const std::vector<std::string>& attentions, const std::string& control,
               const std::vector<RunRecord>& runs, const std::vector<BaselineRecord>& baselines,
               const Judgement& judgement) {
  const Findings findings = find(data_name, attentions, control, runs, baselines, judgement);
  json result = {{"measure", findings.measure == Measure::extra_accuracy ? "extra_accuracy" : "test_accuracy"},
                 {"runs", json::array()},
                 {"summary", json::array()},
                 {"pairs", json::array()},
                 {"baselines", json::array()},
                 {"best_baseline", best_baseline_json(findings)},
                 {"verdict", verdict(findings)}};
  for (const Outcome& outcome : findings.outcomes) result["runs"].push_back(run_json(outcome));
  for (const Summary& summary : findings.summaries) result["summary"].push_back(summary_json(summary));
  for (const Pair& pair : findings.pairs) result["pairs"].push_back(pair_json(pair));
  for (const Baseline& baseline : findings.baselines) result["baselines"].push_back(baseline_json(baseline));
  return result;
}

}  // namespace calor::analyse
