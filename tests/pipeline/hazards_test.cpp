// Every recipe on every kind of awkward data: a result that is finite and has a row for each point, or an error that says what is
// wrong and what to do.  The table below is the contract; what it expects was decided by hand, case by case.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "support.h"

namespace calor::pipeline {
namespace {

// Points with two classes and a path graph, so that every recipe can run.
std::shared_ptr<Data> dressed(Matrix points) {
  auto data = data_of_points(std::move(points));
  const std::int64_t n = data->rows();
  data->classes = {"0", "1"};
  data->targets.resize(n);
  for (std::int64_t i = 0; i < n; ++i) {
    data->labels.push_back(i % 2);
    data->targets[i] = static_cast<double>(i % 2);
  }
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i + 1 < n; ++i) edges.push_back({i, i + 1, 1});
  if (n == 1) edges.push_back({0, 0, 1});
  data->graph = std::make_shared<const Csr>(from_edges(n, n, std::move(edges)));
  return data;
}

Matrix with_duplicates() {
  Matrix x = random_points(60, 3, 14);
  for (int i = 0; i < 20; ++i) x.row(40 + i) = x.row(i);
  return x;
}

Matrix with_constant_column() {
  Matrix x = random_points(60, 3, 15);
  x.col(1).setConstant(5);
  return x;
}

Matrix far_blobs() {
  Matrix x = random_points(80, 2, 16);
  x.bottomRows(40).col(0).array() += 1000;
  return x;
}

std::shared_ptr<Data> one_class() {
  auto data = dressed(random_points(60, 3, 17));
  data->labels.assign(60, 0);
  data->classes = {"0"};
  data->targets.setZero();
  return data;
}

std::shared_ptr<Data> with_weights(double first) {
  auto data = dressed(random_points(60, 3, 18));
  std::vector<Edge> edges{{0, 1, first}};
  for (std::int64_t i = 1; i + 1 < 50; ++i) edges.push_back({i, i + 1, 1});  // the last ten nodes are isolated
  data->graph = std::make_shared<const Csr>(from_edges(60, 60, std::move(edges)));
  return data;
}

using Refusals = std::map<std::string, std::string>;

struct Hazard {
  std::string name;
  std::shared_ptr<Data> data;
  Refusals refusals;  // recipe -> what its error says; every other recipe gives a result
  std::vector<std::string> settings;
};

Refusals together(Refusals first, const Refusals& second) {
  first.insert(second.begin(), second.end());
  return first;
}

// What recipes on a neighbour graph say with too few points for it, and the others that need some number of points.
Refusals too_few_neighbours(const std::string& others) {
  const std::string text = "[knn] expected k of at most " + others + " (the other points)";
  return {{"isomap", text}, {"lle", text}, {"laplacian-eigenmaps", text}, {"spectral-clustering", text}, {"label-spreading", text}};
}
Refusals too_few_points(const std::string& points) {
  const std::string text = "[knn] expected k of at most " + points + " (the labelled training rows)";
  return {{"knn-classifier", text}, {"knn-regressor", text}, {"k-means", "at most as many centres as points, found 8 for " + points}};
}

// What an automatic bandwidth says when there is no distance to learn it from.
Refusals no_bandwidth() {
  const std::string everywhere = "[exp] expected points at different places, found all at one: give a bandwidth";
  const std::string graph = "[exp] expected neighbours at other places";
  return {{"diffusion-map", everywhere}, {"nadaraya-watson", everywhere}, {"mean-shift", everywhere},
          {"laplacian-eigenmaps", graph}, {"spectral-clustering", graph}, {"label-spreading", graph},
          {"propagator", "[loo] expected labelled rows at different places, found all at one"},
          {"propagator-regressor", "[loo] expected labelled rows at different places, found all at one"}};
}

Refusals one_point() {
  const std::string graph = "[knn] expected at least 2 points, found 1: give more points";
  const std::string bandwidth = "[exp] expected points at different places, found all at one: give a bandwidth";
  return {{"mds", "[eigen] expected at least 2 points, found 1"}, {"isomap", graph}, {"lle", graph}, {"laplacian-eigenmaps", graph},
          {"spectral-clustering", graph}, {"label-spreading", graph}, {"knn-classifier", graph}, {"knn-regressor", graph},
          {"diffusion-map", bandwidth}, {"nadaraya-watson", bandwidth}, {"mean-shift", bandwidth},
          {"k-means", "at most as many centres as points, found 8 for 1"}};
}

// What leave-one-out says where nothing can be left out, or nothing told apart.
Refusals nobody_to_judge() {
  const std::string text = "[loo] expected a class with at least two labelled rows, found none";
  return {{"propagator", text}, {"propagator-regressor", text}};
}

// What the recipes of maps say of their neighbours and perplexity, in turn; maps_test.cpp has them with fewer.
Refusals no_map(const std::string& tsne, const std::string& umap, const std::string& sne) {
  Refusals refusals;
  if (!tsne.empty()) refusals["tsne"] = tsne;
  if (!umap.empty()) refusals["umap"] = umap;
  if (!sne.empty()) refusals["sne"] = sne;
  return refusals;
}
Refusals no_map(std::int64_t points) {
  const std::string graph = points == 1 ? "[knn] expected at least 2 points, found 1" : "[knn] expected k of at most " + std::to_string(points - 1);
  return no_map(points <= 90 ? graph : "", points <= 14 ? graph : "", points <= 30 ? "[exp] expected at least 30 values in a row" : "");
}
Refusals no_map_of_few_neighbours() {
  const std::string perplexity = "[exp] expected at least 30 values in a row";
  return no_map(perplexity, "[exp] expected more than 3.907 neighbours", perplexity);
}

const std::vector<Hazard>& hazards() {
  static const std::vector<Hazard> all{
      {"OnePoint", dressed(random_points(1, 2, 1)), together(together(one_point(), nobody_to_judge()), no_map(1)), {}},
      {"TwoPoints", dressed(random_points(2, 2, 2)), together(together(together(too_few_neighbours("1"), too_few_points("2")), nobody_to_judge()), no_map(2)), {}},
      {"ThreePoints", dressed(random_points(3, 2, 3)), together(together(too_few_neighbours("2"), too_few_points("3")), no_map(3)), {}},
      {"TwoPointsWithSmallK", dressed(random_points(2, 2, 2)), together(nobody_to_judge(), no_map_of_few_neighbours()), {"knn.k=1", "k=2"}},
      {"ThreePointsWithSmallK", dressed(random_points(3, 2, 3)), no_map_of_few_neighbours(), {"knn.k=2", "k=2"}},
      {"AsManyNeighboursAsPoints", dressed(random_points(12, 2, 4)), together(too_few_neighbours("11"), no_map(12)), {"knn.k=12"}},
      {"DuplicatePoints", dressed(with_duplicates()), no_map(60), {}},
      {"AllPointsAtOnePlace", dressed(Matrix::Ones(40, 2)), together(no_bandwidth(), no_map(40)), {}},
      {"AConstantColumn", dressed(with_constant_column()), no_map(60), {}},
      {"TwoFarBlobs", dressed(far_blobs()), no_map(80), {}},
      {"OneClass", one_class(), no_map(60), {}},
      {"ABandwidthThatUnderflowsEveryRow", dressed(random_points(60, 3, 19)), no_map(60), {"exp.bandwidth=1e-200"}},
      {"HugeValues", dressed(1e30 * random_points(60, 3, 20)), no_map(60), {}},
      {"TinyValues", dressed(1e-30 * random_points(60, 3, 21)), no_map(60), {}},
      {"TwoWideRows", dressed(random_points(2, 10000, 22)), together(nobody_to_judge(), no_map_of_few_neighbours()), {"knn.k=1", "k=2"}},
      {"AZeroWeightAndIsolatedNodes", with_weights(0), no_map(60), {}},
      {"ANegativeWeight", with_weights(-1), together({{"pagerank", "not negative, found -1 from node 1 to node 2"}}, no_map(60)), {}},
  };
  return all;
}

class Hazards : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

// The settings that name stages or parameters which the recipe has.
std::vector<std::string> settings_for(const recipes::Recipe& recipe, const std::vector<std::string>& settings) {
  std::vector<std::string> fitting;
  for (const std::string& setting : settings) {
    const std::string name = setting.substr(0, setting.find_first_of(".="));
    const bool parameter = setting.find('.') == std::string::npos || setting.find('.') > setting.find('=');
    const bool has = parameter ? std::any_of(recipe.parameters.begin(), recipe.parameters.end(), [&](const auto& p) { return p.name == name; })
                               : recipe.pipeline.find(name + "(") != std::string_view::npos;
    if (has) fitting.push_back(setting);
  }
  return fitting;
}

TEST_P(Hazards, AResultOrAClearError) {
  const recipes::Recipe& recipe = recipes::all_recipes()[std::get<0>(GetParam())];
  const Hazard& hazard = hazards()[std::get<1>(GetParam())];
  const auto refusal = hazard.refusals.find(std::string(recipe.name));
  Context context;
  context.threads = 1;
  Fit fit;
  try {
    fit = pipeline::fit(bind_stages(recipes::resolve(recipe.name, settings_for(recipe, hazard.settings)), recipes::all_stages()), hazard.data, 0, context);
  } catch (const Error& error) {
    ASSERT_NE(refusal, hazard.refusals.end()) << error.what();
    EXPECT_NE(std::string(error.what()).find(refusal->second), std::string::npos) << error.what();
    EXPECT_NE(error.fault(), Fault::internal) << error.what();
    return;
  }
  ASSERT_EQ(refusal, hazard.refusals.end()) << "expected a refusal: " << refusal->second;
  const State& state = fit.result;
  const std::int64_t n = hazard.data->rows();
  if (state.type == types::labels) {
    EXPECT_EQ(static_cast<std::int64_t>(state.labels.size()), n);
    for (const std::int64_t label : state.labels) EXPECT_GE(label, 0);
  } else if (state.type == types::prediction) {
    EXPECT_EQ(state.scores.rows(), n);
    EXPECT_TRUE(state.scores.allFinite());
  } else if (state.field) {
    EXPECT_EQ(state.field->rows(), n);
    EXPECT_TRUE(state.field->allFinite());
  } else {
    EXPECT_EQ(state.points->rows(), n);
    EXPECT_TRUE(state.points->allFinite());
  }
}

std::string name_of(const ::testing::TestParamInfo<std::tuple<std::size_t, std::size_t>>& info) {
  std::string name = hazards()[std::get<1>(info.param)].name + "_" + std::string(recipes::all_recipes()[std::get<0>(info.param)].name);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(AllRecipes, Hazards,
                         ::testing::Combine(::testing::Range<std::size_t>(0, recipes::all_recipes().size()),
                                            ::testing::Range<std::size_t>(0, hazards().size())),
                         name_of);

// Scores of 1e16 beside a bandwidth of 1: their logarithms have no digit left for the sum of a row, but weights still add up to 1.
TEST(Hazards, MeansStayBetweenThePointsWhateverTheScores) {
  for (const double offset : {1e4, 1e6, 1e8, 1e9}) {
    Matrix points(3, 2);
    points << offset, 0, offset, 1, offset, 0.5;
    for (const char* text : {"dot | exp(1) | row | apply", "knn(2) | dot | exp(1) | row | apply", "dot | exp(1) | column | row | apply"}) {
      const Matrix moved = *run_text(text, points).result.points;
      EXPECT_LE((moved.col(0).array() - offset).abs().maxCoeff(), 1e-12 * offset) << text << " at " << offset;
      EXPECT_GE(moved.col(1).minCoeff(), 0) << text;
      EXPECT_LE(moved.col(1).maxCoeff(), 1) << text;
    }
  }
}

}  // namespace
}  // namespace calor::pipeline
