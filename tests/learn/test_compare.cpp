// The comparison as a document: the same for one worker and two (seconds apart), complete by docs/formats/compare.md, and
// its refusals.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/learn/compare.h"
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
