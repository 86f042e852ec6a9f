// What the runs of one experiment amount to, as typed values: the layer between the statistics and their JSON and words.
// A number that does not exist (no living run, too few seeds) is NaN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/comparison.h"
#include "calor/analyse/statistics.h"

namespace calor::analyse {

// Which accuracy the tests use: the extra test set's where there is one, for it is the less noisy.
enum class Measure { test_accuracy, extra_accuracy };

struct Outcome {
  const RunRecord* record = nullptr;
  double accuracy = 0, extra = 0, loss = 0;  // at the last recorded epoch
  double measured = 0;                       // the accuracy that the tests use
  std::string dead_reason;                   // empty: alive
  std::optional<std::size_t> reached;        // the first record at the common accuracy
  bool dead() const { return !dead_reason.empty(); }
};

struct Flag {
  std::string kind;  // "saturation" or "collapse"
  std::string text;
};

struct Summary {
  std::string attention;
  bool control = false;
  std::int64_t runs = 0, dead = 0, reached = 0;
  double accuracy_mean = 0, accuracy_sd = 0, extra_mean = 0, extra_sd = 0;  // over all runs, dead ones included
  double measured_mean = 0;
  double living_mean = 0, living_sd = 0;  // of the measure
  Interval living_sd_interval;            // 95 % bootstrap
  double epochs_to_common = 0, seconds_to_common = 0;
  std::vector<double> share_initial, share_final;
  std::vector<Flag> flags;
  std::vector<Chosen> chosen;  // one per run; empty where it is unknown
};

struct Pair {
  std::string a, b;
  bool against_control = false;
  std::int64_t pairs = 0;
  PairedDifference difference;  // of a - b, all runs, dead ones included
  SignedRank test;
  double p_holm = 1;
  std::int64_t living_pairs = 0;
  PairedDifference living;  // over the seeds where both are alive
  std::string note;
};

struct Baseline {
  const BaselineRecord* record = nullptr;
  double accuracy_mean = 0, accuracy_sd = 0, extra_mean = 0, extra_sd = 0, measured_mean = 0;
};

struct Findings {
  std::string data_name;
  Measure measure = Measure::test_accuracy;
  Judgement judgement;
  std::vector<std::uint64_t> seeds;  // ascending
  std::vector<Outcome> outcomes;     // one per run, in the order given
  std::vector<Summary> summaries;    // in the order of the similarities
  std::vector<Pair> pairs;           // those against the control last
  std::vector<Baseline> baselines;
  // The best baseline against the best similarity, over the same seeds: baseline - similarity.
  std::string best_baseline, best_attention;
  PairedDifference best_difference;
};

Findings find(const std::string& data_name, const std::vector<std::string>& attentions, const std::string& control,
              const std::vector<RunRecord>& runs, const std::vector<BaselineRecord>& baselines,
              const Judgement& judgement);

// The accuracy curve that the measure reads.
const std::vector<double>& measured_curve(const RunRecord& run, Measure measure);
Measure measure_of(const std::vector<RunRecord>& runs);

// Why a run is dead; empty for a living one.
std::string dead_reason(const RunRecord& run, const Judgement& judgement);

std::vector<Flag> flags(const std::vector<const Outcome*>& outcomes, const Judgement& judgement);

// At most five short lines; the first is the headline and names the data.
std::vector<std::string> verdict(const Findings& findings);

}  // namespace calor::analyse
