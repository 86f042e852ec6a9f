// The comparison as a document: the same for one worker and two (seconds apart), complete by docs/formats/compare.md, and
// its refusals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/learn/compare/compare.h"
#include "small_data.h"

namespace calor::learn {
namespace {

using nlohmann::json;

CompareOptions quick() {
  CompareOptions options;
  options.seeds = 3;
  options.protocol.epochs = 6;
  options.protocol.width = 5;
  options.protocol.learning_rate = 0.02;
  return options;
}

json run(const io::Dataset& data, const CompareOptions& options, int threads,
         const std::optional<io::Dataset>& test = std::nullopt) {
  Context context;
  context.threads = threads;
  return compare(data, test, options, context);
}

// Without what a clock decides.
json without_seconds(json experiment) {
  for (json& r : experiment["runs"]) r.erase("seconds"), r.erase("seconds_to_common");
  for (json& s : experiment["summary"]) s.erase("seconds_to_common");
  experiment.erase("verdict");  // names seconds
  return experiment;
}

std::string refusal(const std::function<void(CompareOptions&)>& change) {
  CompareOptions options = quick();
  change(options);
  try {
    run(clouds(60, 3, 3), options, 1);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::usage);
    return error.what();
  }
  return "no error";
}

TEST(Compare, OneWorkerAndTwoGiveTheSameBits) {
  const io::Dataset data = clouds(90, 3, 3);
  const json one = without_seconds(run(data, quick(), 1)), two = without_seconds(run(data, quick(), 2));
  EXPECT_EQ(json::diff(one, two), json::array());
}

TEST(Compare, DocumentIsComplete) {
  const json e = run(io::two_moons(100, 0.2, 0), quick(), 2);
  EXPECT_EQ(e.at("runs").size(), 12u);
  EXPECT_EQ(e.at("attentions"), json({"self", "l2", "metric", "uniform"}));
  EXPECT_EQ(e.at("pipelines").at("l2"), "score(l2) | exp | row | apply");
  EXPECT_EQ(e.at("data").at("train"), 80);
  EXPECT_EQ(e.at("data").at("extra_test"), 2000);  // two moons can be drawn
  EXPECT_EQ(e.at("protocol").at("seeds"), json({0, 1, 2}));
  EXPECT_EQ(e.at("protocol").at("tokens"), 80);
  for (const char* field : {"dead_below", "dead_rule", "common_accuracy", "seed_means", "optimizer", "reading"}) {
    EXPECT_TRUE(e.at("protocol").contains(field)) << field;
  }
  EXPECT_EQ(e.at("baselines").size(), 7u);
  ASSERT_EQ(e.at("standing").size(), 11u);
  for (const json& row : e.at("standing")) EXPECT_EQ(row.at("difference").is_null(), row.at("name") == "propagator") << row;
  for (const json& row : e.at("standing")) {
    const std::string name = row.at("name");
    const bool attention = name == "self" || name == "l2" || name == "metric" || name == "uniform";
    EXPECT_EQ(row.at("kind"), attention ? "attention" : name == "propagator" || name == "propagator, untrained" ? "propagator" : "baseline") << row;
  }
  EXPECT_EQ(e.at("remarks"), json::array());
  for (const json& row : e.at("standing")) {
    const std::string chosen = row.at("chosen");
    EXPECT_TRUE(chosen.starts_with("as it is") || chosen.starts_with("standardised") || chosen.starts_with("whitened")) << row;
  }
  int vector_machines = 0;
  for (const json& baseline : e.at("baselines")) {
    ASSERT_EQ(baseline.at("chosen").size(), 3u);
    if (baseline.at("name") != "SVM") continue;
    ++vector_machines;
    for (const char* field : {"preprocessing", "C", "gamma"}) EXPECT_TRUE(baseline.at("chosen")[0].contains(field)) << field;
  }
  EXPECT_EQ(vector_machines, 1);
  EXPECT_TRUE(e.at("verdict").back().get<std::string>().starts_with("methods: ")) << e.at("verdict");
  EXPECT_EQ(e.at("similarity").size(), 8u);  // four similarities of two layers
  for (const json& picture : e.at("similarity")) {
    ASSERT_EQ(picture.at("matrix").size(), 80u);
    EXPECT_TRUE(std::is_sorted(picture.at("labels").begin(), picture.at("labels").end()));
    for (const json& row : picture.at("matrix")) {
      double sum = 0;
      for (const json& value : row) sum += value.get<double>();
      EXPECT_NEAR(sum, 1, 80 * 5e-5);  // numbers are kept to four digits
    }
  }
  ASSERT_EQ(e.at("regions").size(), 4u);
  EXPECT_EQ(e.at("regions")[0].at("probability").size(), 60u);
  EXPECT_EQ(e.at("regions")[0].at("points").at("x").size(), 100u);
}

// A column is a Unix time that varies by minutes: nothing changes but the last digits of what each method works on.
TEST(Compare, AnOffsetOfABillionChangesNothing) {
  io::Dataset data = clouds(150, 2, 2);
  CompareOptions options = quick();
  options.attentions = {"metric"};
  options.protocol.epochs = 40;
  const json here = run(data, options, 2);
  for (std::size_t i = 0; i < data.values.size(); i += 2) data.values[i] = 1e9 + 60 * data.values[i];
  for (std::size_t i = 1; i < data.values.size(); i += 2) data.values[i] = 60 * data.values[i];
  const json there = run(data, options, 2);
  EXPECT_EQ(there.at("data").at("constant_columns"), json::array());
  const auto alike = [](const json& a, const json& b) {
    // One test point of 30 may lie on the other side of a border that moved by rounding.
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i].get<double>(), b[i].get<double>(), 1.01 / 30) << a << b;
  };
  for (std::size_t b = 0; b < here.at("baselines").size(); ++b) {
    SCOPED_TRACE(here.at("baselines")[b].at("name"));
    alike(here.at("baselines")[b].at("accuracy"), there.at("baselines")[b].at("accuracy"));
    EXPECT_GT(there.at("baselines")[b].at("accuracy_mean").get<double>(), 0.85);
  }
  for (std::size_t r = 0; r < here.at("runs").size(); ++r) alike(json::array({here.at("runs")[r].at("final_accuracy")}), json::array({there.at("runs")[r].at("final_accuracy")}));
  EXPECT_GT(there.at("summary")[0].at("accuracy_mean").get<double>(), 0.85);
  const json& x = there.at("regions")[0].at("x");
  EXPECT_LT(x[0].get<double>(), x[30].get<double>());
}

// Two classes of two rows: half of them is one row a class, which leave one out cannot judge.
TEST(Compare, SaysWhyThePropagatorIsLeftOut) {
  CompareOptions options = quick();
  options.attentions = {"metric"};
  options.protocol.test_share = 0.5;
  const json e = run(clouds(4, 2, 2), options, 1);
  ASSERT_EQ(e.at("remarks").size(), 2u);
  EXPECT_EQ(e.at("remarks")[1].at("name"), "propagator");
  EXPECT_TRUE(e.at("remarks")[1].at("left_out").get<bool>());
  const std::string said = e.at("verdict").back();
  EXPECT_TRUE(said.starts_with("propagator: left out, [")) << said;
  for (const json& baseline : e.at("baselines")) EXPECT_FALSE(baseline.at("name").get<std::string>().starts_with("propagator"));
  EXPECT_EQ(e.at("standing").size(), 6u) << "the others stand against the best of them";
}

TEST(Compare, NetworksChooseTheirPreprocessingUnlessItIsGiven) {
  // One feature in thousandths tells the classes apart; as it is, nothing of it is left beside the noise of the other.
  io::Dataset data = clouds(200, 2, 2);
  for (std::size_t i = 0; i < data.values.size(); i += 2) {
    data.values[i] = data.labels[i / 2] + 0.1 * data.values[i + 1] - 0.1 * data.values[i];
    data.values[i + 1] = 1000 * std::sin(static_cast<double>(i));
  }
  CompareOptions options = quick();
  options.attentions = {"metric"};
  options.protocol.epochs = 60;
  options.baselines = false;
  const json chosen = run(data, options, 2);
  EXPECT_EQ(chosen.at("protocol").at("preprocessing"), "each network chooses");
  for (const json& r : chosen.at("runs")) EXPECT_NE(r.at("preprocessing"), "as it is");
  options.choose_preprocessing = false;
  for (const json& r : run(data, options, 2).at("runs")) EXPECT_EQ(r.at("preprocessing"), "standardised");
  options.protocol.standardise = false;
  for (const json& r : run(data, options, 2).at("runs")) EXPECT_EQ(r.at("preprocessing"), "untouched");
}

TEST(Compare, RegionsPredictThePointsOfTheirClass) {
  CompareOptions options = quick();
  options.attentions = {"metric"};
  options.protocol.epochs = 60;
  options.seeds = 1;
  const json e = run(clouds(120, 2, 2), options, 1);
  EXPECT_GT(e.at("runs")[0].at("final_accuracy").get<double>(), 0.85);
  // The grid cell nearest to a cloud's corner has that cloud's class: (2, 0) is class 0, (0, 2) is class 1.
  const json& region = e.at("regions")[0];
  const auto nearest = [](const json& axis, double value) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < axis.size(); ++i) {
      if (std::abs(axis[i].get<double>() - value) < std::abs(axis[best].get<double>() - value)) best = i;
    }
    return best;
  };
  EXPECT_EQ(region.at("winner")[nearest(region.at("y"), 0)][nearest(region.at("x"), 2)], 0);
  EXPECT_EQ(region.at("winner")[nearest(region.at("y"), 2)][nearest(region.at("x"), 0)], 1);
}

TEST(Compare, ATestFileIsTheSameForAllSeeds) {
  const json e = run(clouds(60, 3, 3, 1), quick(), 2, clouds(30, 3, 3, 2));
  EXPECT_EQ(e.at("data").at("train"), 60);
  EXPECT_EQ(e.at("data").at("test"), 30);
  EXPECT_EQ(e.at("data").at("test_source"), "clouds");
  const json& logistic = e.at("baselines")[0].at("accuracy");
  EXPECT_EQ(logistic[0], logistic[2]);
  EXPECT_EQ(e.at("regions"), json::array());
}

TEST(Compare, ReportsARunThatFailsAsDead) {
  CompareOptions options = quick();
  options.attentions = {"metric"};
  options.protocol.learning_rate = 1e38;
  options.protocol.epochs = 50;
  options.baselines = false;
  const json e = run(clouds(60, 3, 3), options, 1);
  for (const json& r : e.at("runs")) EXPECT_TRUE(r.at("dead").get<bool>());
}

TEST(Compare, RefusesBadOptions) {
  const auto holds = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(holds(refusal([](auto& o) { o.seeds = 0; }), "found 0"));
  EXPECT_TRUE(holds(refusal([](auto& o) { o.attentions = {"metrik"}; }), "did you mean 'metric'"));
  EXPECT_TRUE(holds(refusal([](auto& o) { o.attentions = {"l2", "l2"}; }), "found 'l2' twice"));
  EXPECT_TRUE(holds(refusal([](auto& o) { o.attentions = {}; }), "at least one attention"));
  EXPECT_TRUE(holds(refusal([](auto& o) { o.protocol.epochs = -1; }), "epochs"));
  EXPECT_TRUE(holds(refusal([](auto& o) { o.protocol.width = 600; }), "width from 0 to 512"));
}

TEST(Compare, StopsWhenAsked) {
  StopFlag flag;
  Context context;
  context.stop = &flag;
  context.progress = [&](double done, double total, std::string_view) {
    EXPECT_LE(done, total);
    if (done > 5) flag.request();
  };
  try {
    compare(clouds(60, 3, 3), std::nullopt, quick(), context);
    FAIL() << "expected an interruption";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::interrupted);
  }
}

}  // namespace
}  // namespace calor::learn
