// What a comparison says about runs whose truth is known by construction: planted differences, planted collapse, equal
// runs.  Expected numbers are worked by hand beside each case or come from the scipy call that stands there.
#include "calor/analyse/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"

namespace calor::analyse {
namespace {

using nlohmann::json;

const std::vector<std::string> all = {"self", "l2", "metric", "uniform"};

// A run that climbs from `start` to `final` at epoch 10, one layer, 400 keys.
RunRecord run(const std::string& attention, std::uint64_t seed, double final_accuracy, double final_loss = 0.1) {
  RunRecord record;
  record.attention = attention;
  record.seed = seed;
  record.parameters = 342;
  record.epoch = {0, 5, 10};
  record.loss = {0.69, 0.5 * (0.69 + final_loss), final_loss};
  record.train_accuracy = record.test_accuracy = {0.5, 0.5 * (0.5 + final_accuracy), final_accuracy};
  record.seconds = {0, 0.5, 1.0};
  record.share = {{0.5}, {0.4}, {0.3}};
  record.temperature = {{1.0}, {1.0}, {1.0}};
  return record;
}

// Ten seeds: metric = self + 2.7 points with seed-dependent jitter, l2 = metric +- 0.1.
std::vector<RunRecord> planted() {
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const double jitter = 0.001 * static_cast<double>(seed);
    runs.push_back(run("self", seed, 0.940 + jitter));
    runs.push_back(run("l2", seed, 0.967 + jitter + (seed % 2 ? 0.001 : -0.001)));
    runs.push_back(run("metric", seed, 0.967 + jitter + 0.0005 * (static_cast<double>(seed) - 4.5)));
    runs.push_back(run("uniform", seed, 0.88));
  }
  return runs;
}

json experiment(const std::vector<RunRecord>& runs, const std::vector<BaselineRecord>& baselines = {}) {
  return summarise("digits", all, "uniform", runs, baselines, judge(runs, "uniform", 0.5, 2, 400));
}

std::string lines(const json& result) {
  std::string text;
  for (const auto& line : result["verdict"]) text += line.get<std::string>() + "\n";
  return text;
}

testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "\"" << part << "\" is not in\n" << text;
}

TEST(Comparison, PairsReadClaimMinusPlainAndControlComesLast) {
  const json result = experiment(planted());
  std::string order;
  for (const auto& pair : result["pairs"])
    order += pair["a"].get<std::string>() + "-" + pair["b"].get<std::string>() + " ";
  EXPECT_EQ(order, "metric-self metric-l2 l2-self metric-uniform l2-uniform self-uniform ");
  const json& first = result["pairs"][0];
  EXPECT_EQ(first["pairs"], 10);
  EXPECT_NEAR(first["difference"], 0.027, 1e-12);
  // All ten positive: p = 2 / 2^10; six tests under Holm, all but one at the minimum: 6 * 2 / 1024.
  EXPECT_NEAR(first["p"], 2.0 / 1024, 1e-15);
  EXPECT_NEAR(first["p_holm"], 12.0 / 1024, 1e-15);
  // scipy.stats.ttest_1samp(0.027 + 0.0005 * (np.arange(10) - 4.5), 0).confidence_interval(.95)
  EXPECT_NEAR(first["low"], 0.025917074705165917, 1e-9);
  EXPECT_NEAR(first["high"], 0.02808292529483409, 1e-9);
  EXPECT_TRUE(first["note"].is_null());
  EXPECT_EQ(result["measure"], "test_accuracy");
}

TEST(Comparison, VerdictNamesThePlantedDifferenceAndTheAbsentOne) {
  const json result = experiment(planted(), {{"5-NN", std::vector<double>(10, 0.99), {}, std::nullopt},
                                             {"logistic regression", std::vector<double>(10, 0.9), {}, 6}});
  const std::string text = lines(result);
  EXPECT_TRUE(
      contains(result["verdict"][0],
               "digits: metric beats self by 2.7 percentage points (95 % interval 2.6 to 2.8, p = 0.012 after Holm, 10 seeds)"));
  EXPECT_TRUE(contains(text, "no difference seen between metric and l2"));
  EXPECT_TRUE(contains(text, "no dead runs"));
  EXPECT_TRUE(contains(text, "the best baseline, 5-NN (99.0 %), beats every attention network"));
  EXPECT_LE(result["verdict"].size(), 5u);
}

TEST(Comparison, EqualRunsGiveNoDifference) {
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const double noise = 0.001 * static_cast<double>((seed * 7) % 5);
    runs.push_back(run("self", seed, 0.95 + noise));
    runs.push_back(run("l2", seed, 0.95 + 0.001 * static_cast<double>((seed * 3) % 5)));
    runs.push_back(run("metric", seed, 0.95 + 0.001 * static_cast<double>((seed * 11 + 2) % 5)));
  }
  const json result = experiment(runs);
  EXPECT_TRUE(contains(result["verdict"][0], "digits: no difference seen between self, l2 and metric"));
  EXPECT_TRUE(contains(result["verdict"][0], "detectable by this run"));
  EXPECT_TRUE(contains(lines(result), "no difference seen (95 % intervals overlap)"));
  EXPECT_TRUE(result["summary"][3]["accuracy_mean"].is_null());  // uniform has no runs: no numbers
}

TEST(Comparison, TooFewSeedsAreSaidPlainly) {
  std::vector<RunRecord> runs = planted();
  std::erase_if(runs, [](const RunRecord& r) { return r.seed > 2; });
  const json result = experiment(runs);
  EXPECT_NEAR(result["pairs"][0]["smallest_p"], 0.25, 1e-15);
  EXPECT_TRUE(contains(result["pairs"][0]["note"], "too few seeds: with 3 the smallest possible p is 0.25"));
  EXPECT_TRUE(contains(result["verdict"][0], "no test of accuracy is possible with 3 seeds"));
  EXPECT_EQ(lines(result).find("beats self"), std::string::npos);

  // Six seeds: p itself could be small, Holm over six tests cannot (6 * 2 / 64).
  runs = planted();
  std::erase_if(runs, [](const RunRecord& r) { return r.seed > 5; });
  const json six = experiment(runs);
  EXPECT_TRUE(contains(six["pairs"][0]["note"], "0.031, and 0.19 after Holm over 6 tests"));
}

TEST(Comparison, OneSeedGivesNullsAndNoInterval) {
  std::vector<RunRecord> runs = planted();
  std::erase_if(runs, [](const RunRecord& r) { return r.seed > 0; });
  const json result = experiment(runs, {{"5-NN", {0.99}, {}, std::nullopt}});
  EXPECT_TRUE(result["summary"][0]["accuracy_sd"].is_null());
  EXPECT_TRUE(result["summary"][0]["living_sd_low"].is_null());
  EXPECT_TRUE(result["pairs"][0]["low"].is_null());
  EXPECT_TRUE(result["pairs"][0]["detectable"].is_null());
  EXPECT_TRUE(contains(lines(result), "with 1 seed "));
  EXPECT_EQ(lines(result).find("nan"), std::string::npos);
}

TEST(Comparison, DeadRunsAreCountedApart) {
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const double jitter = 0.001 * static_cast<double>(seed);
    runs.push_back(run("self", seed, 0.5 - jitter, std::log(2.0)));
    runs.push_back(run("l2", seed, seed < 4 ? 0.55 : 0.95 + jitter, seed < 4 ? 0.4 : 0.1));
    runs.push_back(run("metric", seed, 0.96 + jitter));
  }
  const json result = experiment(runs);
  const json& self = result["summary"][0];
  const json& l2 = result["summary"][1];
  EXPECT_EQ(self["dead"], 10);
  EXPECT_TRUE(self["living_mean"].is_null());
  EXPECT_EQ(l2["dead"], 4);
  EXPECT_NEAR(l2["living_mean"], 0.95 + 0.001 * 6.5, 1e-12);                       // seeds 4 .. 9
  EXPECT_NEAR(l2["accuracy_mean"], (4 * 0.55 + 6 * (0.95 + 0.0065)) / 10, 1e-12);  // dead ones included
  EXPECT_EQ(result["runs"][0]["dead_reason"], "loss stuck at ln C");
  EXPECT_EQ(result["runs"][1]["dead_reason"], "test accuracy below 70 %");
  EXPECT_TRUE(result["runs"][2]["dead_reason"].is_null());
  const json& metric_l2 = result["pairs"][1];
  EXPECT_EQ(metric_l2["living_pairs"], 6);
  EXPECT_NEAR(metric_l2["living_difference"], 0.01, 1e-12);
  EXPECT_TRUE(contains(metric_l2["note"], "a dead run in 4 of 10 pairs"));
  EXPECT_TRUE(contains(lines(result), "dead runs: self 10 of 10, l2 4 of 10"));
  EXPECT_TRUE(contains(result["verdict"][0], "which died in 10 of 10 runs"));
  bool stuck = false;
  for (const auto& flag : self["flags"])
    stuck |= contains(flag["text"], "loss stuck at ln C = 0.693 in all 10 runs") == true;
  EXPECT_TRUE(stuck);
}

TEST(Comparison, DeadRunsReachTheHeadlineWhenTheMeanHidesThem) {
  // self is a point better where it lives and dies in 2 of 10 seeds: no significant rank test, a large mean difference.
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const double jitter = 0.001 * static_cast<double>(seed % 3);
    runs.push_back(run("self", seed, seed < 2 ? 0.5 : 0.97, seed < 2 ? std::log(2.0) : 0.1));
    runs.push_back(run("metric", seed, 0.96 + jitter));
  }
  const json result = experiment(runs);
  EXPECT_TRUE(contains(result["verdict"][0], "no difference seen between self and metric"));
  EXPECT_TRUE(contains(result["verdict"][0], ", but runs died: self 2 of 10"));
  EXPECT_TRUE(contains(result["verdict"][1], "where both lived (8 seeds): metric - self -0.9 percentage points"));
}

TEST(Comparison, NothingLearnedIsSaid) {
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (const char* name : {"self", "metric"}) runs.push_back(run(name, seed, 0.5, std::log(2.0)));
  EXPECT_TRUE(contains(experiment(runs)["verdict"][0],
                       "digits: nothing learned: every run of self and metric is dead (8 seeds)"));
}

TEST(Comparison, FlagsSaturationAndCollapse) {
  auto saturated = run("metric", 0, 0.9), uniform = run("self", 0, 0.9), control = run("uniform", 0, 0.8);
  saturated.share = {{0.5}, {0.1}, {1.2 / 400}};
  uniform.share = {{0.999}, {0.999}, {0.6}};
  control.share = {{1}, {1}, {1}};
  const json result = experiment({saturated, uniform, control});
  ASSERT_EQ(result["summary"][2]["flags"].size(), 1u);
  EXPECT_EQ(result["summary"][2]["flags"][0]["kind"], "saturation");
  EXPECT_TRUE(contains(result["summary"][2]["flags"][0]["text"],
                       "layer 1 attends to little but itself at the end in the run: 1.2 of 400 keys"));
  ASSERT_EQ(result["summary"][0]["flags"].size(), 1u);
  EXPECT_EQ(result["summary"][0]["flags"][0]["kind"], "collapse");
  EXPECT_TRUE(contains(result["summary"][0]["flags"][0]["text"], "at initialisation"));
  EXPECT_TRUE(result["summary"][3]["flags"].empty());  // uniform by construction
  // The threshold is 1.5 keys: just above it, silence.
  saturated.share = {{0.5}, {0.1}, {1.51 / 400}};
  EXPECT_TRUE(experiment({saturated})["summary"][2]["flags"].empty());
}

TEST(Comparison, EpochsAndSecondsToTheCommonAccuracyAreMediansOverRunsThatReachIt) {
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    auto slow = run("self", seed, 0.95);
    slow.epoch = {0, 50 + 10 * static_cast<std::int64_t>(seed), 100};
    slow.seconds = {0, 5.0 + static_cast<double>(seed), 10};
    slow.test_accuracy = {0.5, 0.92, 0.95};
    if (seed == 2) slow.test_accuracy = {0.5, 0.85, 0.88};
    runs.push_back(slow);
    runs.push_back(run("metric", seed, 0.93));
  }
  const Judgement judgement = judge(runs, "uniform", 0.5, 2, 400);
  EXPECT_EQ(judgement.common_accuracy, 0.9);
  const json self = experiment(runs)["summary"][0];
  EXPECT_EQ(self["reached"], 2);
  EXPECT_EQ(self["epochs_to_common"], 55.0);  // of 50 and 60
  EXPECT_EQ(self["seconds_to_common"], 5.5);
}

TEST(Judge, DeadLineFollowsWhatTheDataAllow) {
  EXPECT_NEAR(judge({run("self", 0, 0.97)}, "uniform", 0.5, 2, 400).dead_below, 0.7, 1e-12);
  EXPECT_NEAR(judge({run("self", 0, 0.95)}, "uniform", 0.1, 10, 400).dead_below, 0.525, 1e-12);
  // Noisy labels: 60 % is the best there is, and no reason to call a run dead.
  EXPECT_NEAR(judge({run("self", 0, 0.60)}, "uniform", 0.5, 2, 400).dead_below, 0.55, 1e-12);
  // Nothing learned: every run is dead.
  EXPECT_NEAR(judge({run("self", 0, 0.51)}, "uniform", 0.5, 2, 400).dead_below, 0.7, 1e-12);
  EXPECT_EQ(judge({run("self", 0, 0.51)}, "uniform", 0.5, 2, 400).common_accuracy, 0);
  EXPECT_NEAR(judge({run("self", 0, 0.97)}, "uniform", 0.5, 3, 400).ln_classes, 1.0986122886681098, 1e-15);
  EXPECT_EQ(dead_rule(judge({run("self", 0, 0.97)}, "uniform", 0.5, 2, 400)),
            "a run is dead when its final test accuracy is below 70.0 %, or its loss is not finite");
}

TEST(Comparison, ExtraAccuracyDecidesWhenPresent) {
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (const char* name : {"self", "metric"}) {
      auto record = run(name, seed, 0.9);
      const double better = name[0] == 'm' ? 0.02 + 0.001 * static_cast<double>(seed) : 0;
      record.extra_accuracy = {0.5, 0.7, 0.9 + better};
      runs.push_back(record);
    }
  const json result = experiment(runs);
  EXPECT_EQ(result["measure"], "extra_accuracy");
  EXPECT_NEAR(result["pairs"][0]["difference"], 0.0235, 1e-12);
  EXPECT_TRUE(contains(result["verdict"][0], "metric beats self by 2."));
}

TEST(Comparison, TiesOfAccuraciesSurviveRounding) {
  // .94 - .93 is a little less than .91 - .90 in doubles; as counts out of 100 they are the same.  Five times a point up,
  // once down: every rank 3.5, P(no or one minus of six) * 2 = 14 / 64.  Untied, the minus would have rank 1: 4 / 64.
  ASSERT_LT(0.94 - 0.93, 0.91 - 0.90);
  std::vector<RunRecord> runs;
  const int base[] = {90, 89, 88, 87, 86};
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    runs.push_back(run("self", seed, seed == 5 ? 0.94 : base[seed] / 100.0));
    runs.push_back(run("metric", seed, seed == 5 ? 0.93 : (base[seed] + 1) / 100.0));
  }
  EXPECT_NEAR(experiment(runs)["pairs"][0]["p"], 14.0 / 64, 1e-15);
}

TEST(Comparison, SmallPThatHolmDoesNotAcceptIsAHint) {
  // Seven seeds up, three down with the ranks 1 to 3: W = 6, two-sided exact p = 2 * 14 / 1024 = 0.027 (14 subsets of the ranks
  // sum to at most 6).  With l2 and the control in the family Holm takes it past 5 %.
  std::vector<RunRecord> runs;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const double step = 0.001 * static_cast<double>(seed + 1);
    runs.push_back(run("self", seed, 0.95));
    runs.push_back(run("l2", seed, 0.95 + (seed % 2 ? 0.001 : -0.001)));
    runs.push_back(run("metric", seed, 0.95 + (seed < 3 ? -step : step)));
    runs.push_back(run("uniform", seed, 0.90));
  }
  const json result = experiment(runs);
  EXPECT_NEAR(result["pairs"][0]["p"], 28.0 / 1024, 1e-15);
  EXPECT_GT(result["pairs"][0]["p_holm"], 0.05);
  EXPECT_GT(result["pairs"][0]["low"], 0);
  EXPECT_TRUE(contains(result["verdict"][0], "no difference seen between self, l2 and metric"));
  EXPECT_TRUE(contains(result["verdict"][1], "a hint, not a finding: metric - self"));
}

TEST(Comparison, RefusesRecordsThatDoNotFitTogether) {
  auto ragged = run("self", 0, 0.9);
  ragged.loss.pop_back();
  EXPECT_THROW(summarise("d", all, "uniform", {ragged}, {}, {}), Error);
  EXPECT_THROW(summarise("d", all, "uniform", {run("self", 0, 0.9), run("self", 0, 0.9)}, {}, {}), Error);
  EXPECT_THROW(summarise("d", all, "uniform", {run("unknown", 0, 0.9)}, {}, {}), Error);
  EXPECT_THROW(summarise("d", all, "uniform", {run("self", 0, 0.9)}, {{"5-NN", {0.9, 0.8}, {}, std::nullopt}}, {}),
               Error);
}

TEST(Comparison, LossNotFiniteIsDeadAndStaysValidJson) {
  std::vector<RunRecord> runs = {run("self", 0, 0.95), run("metric", 0, 0.95, std::nan(""))};
  const json result = experiment(runs);
  EXPECT_EQ(result["runs"][1]["dead_reason"], "loss not finite");
  EXPECT_TRUE(result["runs"][1]["final_loss"].is_null());
}

}  // namespace
}  // namespace calor::analyse
