// Every recipe: the same bits for any number of threads, and for whatever labels its fit does not ask for.
#include <gtest/gtest.h>

#include <algorithm>

#include "support.h"

namespace calor::pipeline {
namespace {

constexpr std::int64_t rows = 240;  // above 200, where eigenvectors come from Lanczos's method

std::shared_ptr<Data> spiral(std::uint64_t labels_seed = 0) {
  Matrix points(rows, 3);
  const Matrix noise = random_points(rows, 3, 5);
  for (std::int64_t i = 0; i < rows; ++i) {
    const double angle = 4.0 * static_cast<double>(i) / rows;
    points.row(i) << angle * std::cos(angle), angle * std::sin(angle), noise(i, 2);
  }
  points += 0.05 * noise;
  auto data = data_of_points(std::move(points));
  data->classes = {"0", "1", "2"};
  for (std::int64_t i = 0; i < rows; ++i) data->labels.push_back(i * 3 / rows);
  if (labels_seed) {
    Random random(labels_seed, Purpose::test);
    std::vector<std::int64_t> shuffled;
    for (const std::int64_t i : permutation(rows, random)) shuffled.push_back(data->labels[static_cast<std::size_t>(i)]);
    data->labels = shuffled;
  }
  data->targets.resize(rows);
  for (std::int64_t i = 0; i < rows; ++i) data->targets[i] = static_cast<double>(data->labels[static_cast<std::size_t>(i)]);
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < rows; ++i)
    for (const std::int64_t step : {1, 7, 31}) edges.push_back({i, (i * step + step) % rows, 1.0 + static_cast<double>(i % 5)});
  data->graph = std::make_shared<const Csr>(from_edges(rows, rows, std::move(edges)));
  return data;
}

void expect_same_bits(const State& a, const State& b) {
  EXPECT_EQ(*a.points, *b.points);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.scores, b.scores);
  EXPECT_EQ(a.spectrum, b.spectrum);
  ASSERT_EQ(a.field == nullptr, b.field == nullptr);
  if (a.field) {
    EXPECT_EQ(*a.field, *b.field);
  }
}

bool asks_for_labels(const std::string& recipe) {
  return recipe.starts_with("knn-") || recipe.starts_with("propagator") || recipe == "nadaraya-watson" || recipe == "label-spreading" || recipe == "svm" || recipe == "svm-regressor";
}

template <class Predicate>
std::vector<std::string> names(Predicate&& wanted) {
  std::vector<std::string> some;
  for (const recipes::Recipe& recipe : recipes::all_recipes())
    if (wanted(std::string(recipe.name))) some.emplace_back(recipe.name);
  return some;
}

// Eigen cuts products by them, so that sums over more than 504 terms would have other bits where the first cache has 48 KiB.
TEST(EveryProcessor, HasCachesOfTheSameSizesForEigen) {
  EXPECT_EQ(Eigen::l1CacheSize(), 32 << 10);
  EXPECT_EQ(Eigen::l2CacheSize(), 1 << 20);
  EXPECT_EQ(Eigen::l3CacheSize(), 32 << 20);
}

class EveryRecipe : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryRecipe, TheSameBitsForAnyNumberOfThreads) {
  const auto data = spiral();
  const Fit one = run_text(GetParam(), data, 1);
  for (const int threads : {2, 3}) expect_same_bits(one.result, run_text(GetParam(), data, threads).result);
}

class RecipesOfPoints : public ::testing::TestWithParam<std::string> {};

TEST_P(RecipesOfPoints, LabelsDoNotLeakIntoTheFit) {
  const Fit own = run_text(GetParam(), spiral(), 1), other = run_text(GetParam(), spiral(9), 1);
  expect_same_bits(own.result, other.result);
}

class RecipesOfLabels : public ::testing::TestWithParam<std::string> {};

TEST_P(RecipesOfLabels, OtherLabelsGiveOtherPredictions) {
  const Fit own = run_text(GetParam(), spiral(), 1), other = run_text(GetParam(), spiral(9), 1);
  EXPECT_NE(own.result.scores, other.result.scores);
}

std::string name_of(const ::testing::TestParamInfo<std::string>& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Recipes, EveryRecipe, ::testing::ValuesIn(names([](const std::string&) { return true; })), name_of);
INSTANTIATE_TEST_SUITE_P(Recipes, RecipesOfPoints, ::testing::ValuesIn(names([](const std::string& name) { return !asks_for_labels(name); })), name_of);
INSTANTIATE_TEST_SUITE_P(Recipes, RecipesOfLabels, ::testing::ValuesIn(names(asks_for_labels)), name_of);

}  // namespace
}  // namespace calor::pipeline
