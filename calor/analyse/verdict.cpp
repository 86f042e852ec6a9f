// The findings in plain words.  Every sentence follows from a number of the findings: "beats" needs an adjusted p below 5 %,
// and when no test could be that small the verdict says so instead of ranking.
#include <algorithm>
#include <cmath>

#include "calor/analyse/findings.h"
#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::analyse {
namespace {

constexpr double significance = 0.05;

std::string list(const std::vector<std::string>& names) {
  if (names.size() < 2) return names.empty() ? "" : names.front();
  return fmt::format("{} and {}", fmt::join(names.begin(), names.end() - 1, ", "), names.back());
}

// Without a sign for what rounds to zero.
std::string points(double fraction) {
  const std::string text = fmt::format("{:.1f}", 100 * fraction);
  return text == "-0.0" ? "0.0" : text;
}

// A run that could have seen less than a tenth of a point deserves its digits.
std::string small_points(double fraction) {
  return 100 * fraction < 0.1 ? fmt::format("{:.2g}", 100 * fraction) : points(fraction);
}

std::string p_text(double p) { return p < 0.001 ? "p < 0.001" : fmt::format("p = {:.2g}", p); }

// A third of a second and 40 minutes both read well.
std::string seconds_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", 1000 * seconds);
  if (seconds < 10) return fmt::format("{:.2g} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  return fmt::format("{:.1f} min", seconds / 60);
}

std::string interval_text(const PairedDifference& difference) {
  return fmt::format("95 % interval {} to {}", points(difference.interval.low), points(difference.interval.high));
}

bool excludes_zero(const Interval& interval) { return interval.low > 0 || interval.high < 0; }

// The attentions that were compared: with runs, without the control.
std::vector<const Summary*> contestants(const Findings& findings) {
  std::vector<const Summary*> result;
  for (const Summary& summary : findings.summaries)
    if (!summary.control && summary.runs > 0) result.push_back(&summary);
  return result;
}

std::string means(const std::vector<const Summary*>& summaries) {
  std::vector<const Summary*> best_first = summaries;
  std::stable_sort(best_first.begin(), best_first.end(),
                   [](const Summary* a, const Summary* b) { return a->measured_mean > b->measured_mean; });
  std::vector<std::string> parts;
  for (const Summary* summary : best_first)
    parts.push_back(fmt::format("{} {:.1f} %", summary->attention, 100 * summary->measured_mean));
  return fmt::format("{}", fmt::join(parts, ", "));
}

const Summary* summary_named(const Findings& findings, const std::string& name) {
  for (const Summary& summary : findings.summaries)
    if (summary.attention == name) return &summary;
  return nullptr;
}

// "metric beats self by 2.7 percentage points (95 % interval 2.1 to 3.3, p = 0.03 after Holm, 10 seeds)"
std::string win(const Findings& findings, const Pair& pair) {
  const bool forwards = pair.difference.mean > 0;
  const std::string& winner = forwards ? pair.a : pair.b;
  const std::string& loser = forwards ? pair.b : pair.a;
  const Interval& i = pair.difference.interval;
  const std::string interval = forwards ? fmt::format("{} to {}", points(i.low), points(i.high))
                                        : fmt::format("{} to {}", points(-i.high), points(-i.low));
  const Summary* losing = summary_named(findings, loser);
  const std::string why =
      losing->dead > 0 ? fmt::format(", which died in {} of {} runs", losing->dead, losing->runs) : std::string();
  return fmt::format("{} beats {} by {} percentage points (95 % interval {}, {} after Holm, {}){}", winner, loser,
                     points(std::abs(pair.difference.mean)), interval, p_text(pair.p_holm), counted(pair.pairs, "seed"),
                     why);
}

std::vector<std::string> names_of(const std::vector<const Summary*>& summaries) {
  std::vector<std::string> names;
  for (const Summary* summary : summaries) names.push_back(summary->attention);
  return names;
}

using Pairs = std::vector<const Pair*>;

// "self 3 of 10, l2 1 of 10"
std::string deaths(const std::vector<const Summary*>& compared) {
  std::vector<std::string> parts;
  for (const Summary* summary : compared)
    if (summary->dead > 0)
      parts.push_back(fmt::format("{} {} of {}", summary->attention, summary->dead, summary->runs));
  return fmt::format("{}", fmt::join(parts, ", "));
}

// No test is significant: the widest difference and what could have been seen; then, what a mean hides: the difference
// among the living where runs died, or an interval that excludes 0 all the same.
std::vector<std::string> no_difference_lines(const Pairs& open, const std::vector<const Summary*>& compared) {
  const Pair& widest = *open.front();
  double detectable = 0;
  for (const Pair* pair : open) detectable = std::max(detectable, pair->difference.detectable);
  const std::string dead = deaths(compared);
  std::vector<std::string> lines = {fmt::format(
      "no difference seen between {} (largest: {} - {} {} percentage points, {}; detectable by this run: {}){}",
      list(names_of(compared)), widest.a, widest.b, points(widest.difference.mean), interval_text(widest.difference),
      small_points(detectable), dead.empty() ? "" : fmt::format(", but runs died: {}", dead))};
  if (widest.living_pairs >= 2 && widest.living_pairs < widest.pairs) {
    lines.push_back(fmt::format("where both lived ({}): {} - {} {} percentage points, {}", counted(widest.living_pairs, "seed"),
                                widest.a, widest.b, points(widest.living.mean), interval_text(widest.living)));
    return lines;
  }
  for (const Pair* pair : open)
    if (excludes_zero(pair->difference.interval)) {
      lines.push_back(fmt::format("a hint, not a finding: {} - {} {} percentage points, {}, but {} after Holm", pair->a, pair->b,
                                  points(pair->difference.mean), interval_text(pair->difference),
                                  p_text(pair->p_holm)));
      break;
    }
  return lines;
}

std::vector<std::string> difference_lines(const Findings& findings, const Pairs& wins, const Pairs& open) {
  std::string headline = win(findings, *wins.front());
  if (wins.size() == 2) {
    const Pair& second = *wins[1];
    const bool forwards = second.difference.mean > 0;
    headline += fmt::format("; {} beats {} by {} ({})", forwards ? second.a : second.b, forwards ? second.b : second.a,
                            points(std::abs(second.difference.mean)), p_text(second.p_holm));
  } else if (wins.size() > 2) {
    headline += fmt::format("; {} smaller differences are significant too", wins.size() - 1);
  }
  std::vector<std::string> lines = {headline};
  std::vector<std::string> undecided;
  for (const Pair* pair : open)
    undecided.push_back(fmt::format("{} and {} (difference {} percentage points, {}; detectable by this run: {})", pair->a,
                                    pair->b, points(pair->difference.mean), interval_text(pair->difference),
                                    small_points(pair->difference.detectable)));
  if (!undecided.empty())
    lines.push_back(fmt::format("no difference seen between {}", fmt::join(undecided, ", nor between ")));
  return lines;
}

// One or two lines on accuracy, without the data's name.
std::vector<std::string> accuracy_lines(const Findings& findings, const std::vector<const Summary*>& compared) {
  const std::string seeds = counted(static_cast<std::int64_t>(findings.seeds.size()), "seed");
  if (compared.empty()) return {fmt::format("only the control was run ({})", seeds)};
  if (std::all_of(compared.begin(), compared.end(), [](const Summary* s) { return s->dead == s->runs; }))
    return {fmt::format("nothing learned: every run of {} is dead ({})", list(names_of(compared)), seeds)};

  Pairs pairs, wins, open;
  for (const Pair& pair : findings.pairs)
    if (!pair.against_control) pairs.push_back(&pair);
  if (pairs.empty())
    return {fmt::format("mean test accuracy {} ({}); nothing to compare with", means(compared), seeds)};

  double least = 1;
  for (const Pair* pair : pairs) least = std::min(least, std::exp2(1 - static_cast<double>(pair->pairs)));
  least = std::min(1.0, least * static_cast<double>(findings.pairs.size()));
  if (least > significance)
    return {fmt::format("no test of accuracy is possible with {} (the smallest p would be {:.2g} after Holm); means {}",
                        seeds, least, means(compared))};

  for (const Pair* pair : pairs) (pair->p_holm < significance ? wins : open).push_back(pair);
  const auto larger = [](const Pair* a, const Pair* b) {
    return std::abs(a->difference.mean) > std::abs(b->difference.mean);
  };
  std::stable_sort(wins.begin(), wins.end(), larger);
  std::stable_sort(open.begin(), open.end(), larger);
  return wins.empty() ? no_difference_lines(open, compared) : difference_lines(findings, wins, open);
}

std::string robustness_line(const std::vector<const Summary*>& compared) {
  const std::string dead = deaths(compared);
  std::vector<std::string> spread;
  const Summary* steadiest = nullptr;
  const Summary* wildest = nullptr;
  for (const Summary* summary : compared) {
    if (std::isnan(summary->living_sd_interval.low)) continue;
    spread.push_back(fmt::format("{} {}", summary->attention, points(summary->living_sd)));
    if (!steadiest || summary->living_sd < steadiest->living_sd) steadiest = summary;
    if (!wildest || summary->living_sd > wildest->living_sd) wildest = summary;
  }
  std::string line = "robustness: ";
  line += dead.empty() ? "no dead runs" : "dead runs: " + dead;
  if (spread.empty()) return line + "; too few living runs to judge their spread";
  line += fmt::format("; spread of the living {} percentage points", fmt::join(spread, ", "));
  if (spread.size() < 2) return line;
  if (steadiest->living_sd_interval.high < wildest->living_sd_interval.low)
    return line +
           fmt::format(": {} varies less than {} (95 % intervals apart)", steadiest->attention, wildest->attention);
  return line + ": no difference seen (95 % intervals overlap)";
}

std::string efficiency_line(const Findings& findings, const std::vector<const Summary*>& compared) {
  std::vector<const Summary*> fastest_first;
  std::vector<std::string> never;
  for (const Summary* summary : compared)
    if (summary->reached > 0)
      fastest_first.push_back(summary);
    else
      never.push_back(summary->attention);
  if (fastest_first.empty()) return "efficiency: no accuracy level that the similarities share";
  std::stable_sort(fastest_first.begin(), fastest_first.end(),
                   [](const Summary* a, const Summary* b) { return a->epochs_to_common < b->epochs_to_common; });
  std::vector<std::string> parts;
  for (const Summary* summary : fastest_first) {
    const std::string share = summary->reached < summary->runs
                                  ? fmt::format(", {} of {} runs", summary->reached, summary->runs)
                                  : std::string();
    parts.push_back(fmt::format("{} in {:.0f} epoch{} ({}{})", summary->attention, summary->epochs_to_common, summary->epochs_to_common == 1 ? "" : "s",
                                seconds_text(summary->seconds_to_common), share));
  }
  std::string line = fmt::format("efficiency: median run reaches {:.0f} %: {}",
                                 100 * findings.judgement.common_accuracy, fmt::join(parts, ", "));
  if (!never.empty()) line += fmt::format("; never: {}", list(never));
  return line;
}

// What a sceptic asks: does the best plain method, or no similarity at all, do as well?
std::string baseline_line(const Findings& findings) {
  std::vector<std::string> parts;
  if (!findings.best_baseline.empty()) {
    const PairedDifference& d = findings.best_difference;
    const double mean_accuracy =
        std::max_element(findings.baselines.begin(), findings.baselines.end(),
                         [](const Baseline& a, const Baseline& b) { return a.measured_mean < b.measured_mean; })
            ->measured_mean;
    const std::string name =
        fmt::format("the best baseline, {} ({:.1f} %),", findings.best_baseline, 100 * mean_accuracy);
    if (std::isnan(d.interval.low))
      parts.push_back(fmt::format("{} differs from the best attention, {}, by {} percentage points (one seed: no interval)", name,
                                  findings.best_attention, points(d.mean)));
    else if (d.interval.low > 0)
      parts.push_back(fmt::format("{} beats every attention network ({} by {} percentage points, {})", name,
                                  findings.best_attention, points(d.mean), interval_text(d)));
    else if (d.interval.high < 0)
      parts.push_back(fmt::format("{} stays {} percentage points below {} (95 % interval {} to {})", name, points(-d.mean),
                                  findings.best_attention, points(-d.interval.high), points(-d.interval.low)));
    else
      parts.push_back(fmt::format("{} and the best attention network, {}, show no difference ({} percentage points, {})", name,
                                  findings.best_attention, points(d.mean), interval_text(d)));
  }
  std::vector<std::string> no_better;
  std::string control;
  for (const Pair& pair : findings.pairs) {
    if (!pair.against_control || std::isnan(pair.difference.interval.low)) continue;
    control = pair.b;
    if (pair.difference.interval.low <= 0) no_better.push_back(pair.a);
  }
  if (!no_better.empty())
    parts.push_back(fmt::format("{} {} not shown to be better than the control, {}", list(no_better),
                                no_better.size() == 1 ? "is" : "are", control));
  return parts.empty() ? "" : fmt::format("baselines: {}", fmt::join(parts, "; "));
}

}  // namespace

std::vector<std::string> verdict(const Findings& findings) {
  const std::vector<const Summary*> compared = contestants(findings);
  std::vector<std::string> lines = accuracy_lines(findings, compared);
  lines.front() = findings.data_name + ": " + lines.front();
  if (!compared.empty()) {
    lines.push_back(robustness_line(compared));
    lines.push_back(efficiency_line(findings, compared));
  }
  const std::string baselines = baseline_line(findings);
  if (!baselines.empty()) lines.push_back(baselines);
  return lines;
}

}  // namespace calor::analyse
