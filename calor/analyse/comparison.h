// From the records of single runs to what a comparison says: summaries, paired tests, flags and a verdict in words.
// Field meanings: docs/formats/compare.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calor/analyse/chosen.h"

namespace calor::analyse {

// One training run: one similarity, one seed.  The vectors have one entry per recorded epoch, at least one.
struct RunRecord {
  std::string attention;
  std::uint64_t seed = 0;
  std::int64_t parameters = 0;
  std::vector<std::int64_t> epoch;
  std::vector<double> loss, train_accuracy, test_accuracy, seconds;
  std::vector<double> extra_accuracy;            // empty when there is no extra test set
  std::vector<std::vector<double>> share;        // per recorded epoch, per layer: exp(entropy) / keys
  std::vector<std::vector<double>> temperature;  // per recorded epoch, per layer: the factor of the score
  std::string preprocessing;                     // of the points: "standardised"; "": unknown
};

struct BaselineRecord {
  std::string name;
  std::vector<double> accuracy;        // one per seed, in ascending order of the seeds
  std::vector<double> extra_accuracy;  // the same, or empty
  std::optional<std::int64_t> parameters;
  std::vector<Chosen> chosen = {};     // one per seed, or empty
  Method kind = Method::baseline;
};

// What a run is judged by.
struct Judgement {
  double dead_below = 0;       // a run whose final test accuracy is lower is dead
  double common_accuracy = 0;  // "epochs to a common accuracy"; 0: there is none
  double ln_classes = 0;       // a loss within 2 % of it at the end is stuck
  std::int64_t keys = 0;       // keys a training token attends to; 0: unknown, saturation is not judged
};

// Dead below half way between the majority class's share and the best final test accuracy of any run, at most 0.7; when no run
// comes a tenth of the way from the majority's share to 1, half way to 1 instead (at most 0.7): then nothing learned.
// Common accuracy: the largest of .5, .6, .7, .8, .9, .95, .99 that at least half of the living runs of every similarity but
// the control reach; 0 when none is.
Judgement judge(const std::vector<RunRecord>& runs, const std::string& control, double majority_share,
                std::int64_t classes, std::int64_t keys);

// The rule for dead runs in words, for the protocol.
std::string dead_rule(const Judgement& judgement);

// The fields "measure", "runs", "summary", "pairs", "baselines", "best_baseline" and "verdict" of an experiment.  `attentions`
// gives the order; every run names one of them; a similarity and seed occurs once.  Throws Fault::internal for records that
// do not fit together.
nlohmann::json summarise(const std::string& data_name, const std::vector<std::string>& attentions,
                         const std::string& control, const std::vector<RunRecord>& runs,
                         const std::vector<BaselineRecord>& baselines, const Judgement& judgement);

}  // namespace calor::analyse
