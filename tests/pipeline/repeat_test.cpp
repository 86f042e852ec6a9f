// repeat: what a stage of the body chooses by the data it chooses once, and what it says it says once.
#include <gtest/gtest.h>

#include <algorithm>

#include "labelled.h"

namespace calor::pipeline {
namespace {

double chosen(const std::string& text, const Matrix& points) { return run_text(text, points).result.figures.at("bandwidth"); }

TEST(Repeat, ChoosesABandwidthOnce) {
  const Matrix points = random_points(60, 2, 20);
  for (const char* word : {"auto", "groups"}) {
    const double scale = chosen(fmt::format("distance(2) | exp({})", word), points);
    const State by_word = run_text(fmt::format("repeat(distance(2) | exp({}) | row | apply)", word), points).result;
    const State by_number = run_text(fmt::format("repeat(distance(2) | exp({:.17g}) | row | apply)", scale), points).result;
    EXPECT_EQ(by_word.figures.at("bandwidth"), scale) << word;
    EXPECT_EQ(*by_word.points, *by_number.points) << word;
    EXPECT_GT(by_word.figures.at("repetitions"), 3) << word;
  }
}

TEST(Repeat, InsideAnotherChoosesInTheOutermostsFirstTurn) {
  const Matrix points = random_points(60, 2, 20);
  const double scale = chosen("distance(2) | exp(auto)", points);
  const char* nested = "repeat(repeat(distance(2) | exp({}) | row | apply, tolerance=0.1) | distance(2) | exp(1) | row | apply)";
  EXPECT_EQ(*run_text(fmt::format(fmt::runtime(nested), "auto"), points).result.points,
            *run_text(fmt::format(fmt::runtime(nested), fmt::format("{:.17g}", scale)), points).result.points);
}

TEST(Repeat, NewPointsMeetTheBandwidthOfTheFit) {
  const Matrix points = random_points(60, 2, 20);
  const auto fresh = std::make_shared<const Matrix>(random_points(9, 2, 5));
  const double scale = chosen("distance(2, to=data) | exp(auto)", points);
  const Fit by_word = run_text("repeat(distance(2, to=data) | exp(auto) | row | apply)", points);
  const Fit by_number = run_text(fmt::format("repeat(distance(2, to=data) | exp({:.17g}) | row | apply)", scale), points);
  EXPECT_EQ(*place(by_word, fresh, Context()).points, *place(by_number, fresh, Context()).points);
}

TEST(Repeat, ChoosesByLabelsOnce) {
  const auto data = three_clouds(60);
  const State once = run_text("distance(2) | exp(loo) | two_side(loo, of=keys)", data).result;
  const State repeated = run_text("repeat(distance(2) | exp(loo) | two_side(loo, of=keys) | row | apply)", data).result;
  ASSERT_GT(repeated.figures.at("repetitions"), 2);
  for (const char* name : {"bandwidth", "alpha", "leave_one_out"}) EXPECT_EQ(repeated.figures.at(name), once.figures.at(name)) << name;
}

// The note of row comes with every turn.
TEST(Repeat, SaysOnceWhatEveryTurnSays) {
  const auto said = [](const State& state, const char* stage) {
    return std::count_if(state.notes.begin(), state.notes.end(), [&](const Note& note) { return note.stage == stage; });
  };
  const auto graph = std::make_shared<Data>();
  graph->features = std::make_shared<const Matrix>(4, 0);
  graph->graph = std::make_shared<const Csr>(from_edges(4, 4, {{0, 0, 2}, {0, 1, 1}, {1, 0, 1}, {1, 2, 3}, {2, 2, 1}, {2, 1, 1}}));
  const State walked = run_text("adjacency | column | repeat(expand(2) | inflate(2) | column | row)", graph).result;
  ASSERT_GT(walked.figures.at("repetitions"), 2);
  EXPECT_EQ(said(walked, "row"), 1);
}

}  // namespace
}  // namespace calor::pipeline
