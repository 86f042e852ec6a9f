// What nothing reaches has no result, and a note says how many: rows without a labelled row in their part of the graph, new points whose
// similarity to all points of the fit is 0, points whose edges all weigh nothing.
#include <gtest/gtest.h>

#include <cmath>

#include "support.h"

namespace calor::pipeline {
namespace {

// Three far blobs of twenty.
Matrix three_blobs() {
  Matrix points = 0.3 * random_points(60, 2, 22);
  for (std::int64_t i = 0; i < 60; ++i) points(i, 0) += 30.0 * static_cast<double>(i / 20);
  return points;
}

Matrix far_and_near() {
  Matrix points(4, 2);
  points << 0, 0, 1e4, 1e4, 30, 0, -1e5, 0;
  return points;
}

bool noted(const State& state, const std::string& stage, const std::string& part) {
  for (const Note& note : state.notes)
    if (note.stage == stage && note.text.find(part) != std::string::npos) return true;
  return false;
}

std::shared_ptr<Data> two_blobs_labelled() {
  auto data = data_of_points(three_blobs());
  for (std::int64_t i = 0; i < 60; ++i) data->labels.push_back(i / 20 < 2 ? i / 20 : -1);
  data->classes = {"a", "b"};
  data->targets = Vector::Constant(60, std::nan(""));
  for (std::int64_t i = 0; i < 40; ++i) data->targets[i] = static_cast<double>(i / 20);
  return data;
}

TEST(Reach, RowsWithoutALabelInTheirPartHaveNone) {
  const Fit fit = run_text("label-spreading", two_blobs_labelled());
  EXPECT_TRUE(noted(fit.result, "vote", "no label reached 20 of 60 rows: they have no class; label a row in each component of the graph"));
  EXPECT_EQ(fit.result.scores.bottomRows(20).cwiseAbs().maxCoeff(), 0);
  EXPECT_GT(fit.result.scores.topRows(40).rowwise().sum().minCoeff(), 0.999);
  const State values = run_text("knn(15) | indicator | row | average", two_blobs_labelled()).result;
  EXPECT_TRUE(noted(values, "average", "no label reached 20 of 60 rows: they have no value"));
  for (std::int64_t i = 0; i < 60; ++i) EXPECT_EQ(std::isnan(values.scores(i, 0)), i >= 40) << i;
  auto all = two_blobs_labelled();
  for (std::int64_t i = 40; i < 60; ++i) all->labels[static_cast<std::size_t>(i)] = 1;
  EXPECT_FALSE(noted(run_text("label-spreading", all).result, "vote", "no label"));
}

TEST(Reach, NewPointsFarFromAllHaveNoClass) {
  const Fit fit = run_text("label-spreading", two_blobs_labelled());
  const State placed = place(fit, std::make_shared<const Matrix>(far_and_near()), Context());
  EXPECT_TRUE(noted(placed, "vote", "no label reached 2 of 4 rows: they have no class; they are far"));
  EXPECT_EQ(placed.scores.row(1).sum() + placed.scores.row(3).sum(), 0);
  EXPECT_NEAR(placed.scores(0, 0), 1, 1e-12);
  EXPECT_NEAR(placed.scores(2, 1), 1, 1e-12);
}

TEST(Reach, NewPointsFarFromAllHaveNoCoordinatesAndNoCluster) {
  const Fit maps = run_text("knn(45) | distance(2) | exp(auto) | mean | eigen(2, of=laplacian)", three_blobs());
  const State placed = place(maps, std::make_shared<const Matrix>(far_and_near()), Context());
  EXPECT_TRUE(noted(placed, "eigen", "2 of 4 rows are out of reach"));
  for (const std::int64_t i : {0, 2}) EXPECT_TRUE(placed.points->row(i).allFinite()) << i;
  for (const std::int64_t i : {1, 3}) EXPECT_TRUE(placed.points->row(i).array().isNaN().all()) << i;

  const Fit walk = run_text("knn(45) | distance(2) | exp(auto) | mean | row | eigen(2, time=1)", three_blobs());
  EXPECT_TRUE(place(walk, std::make_shared<const Matrix>(far_and_near()), Context()).points->row(1).array().isNaN().all());

  const Fit clusters = run_text("knn(45) | distance(2) | exp(auto) | mean | eigen(2, of=laplacian, components=together) | cluster(3)", three_blobs());
  const State sorted = place(clusters, std::make_shared<const Matrix>(far_and_near()), Context());
  EXPECT_EQ(sorted.labels[0], clusters.result.labels[0]);
  EXPECT_EQ(sorted.labels[2], clusters.result.labels[20]);
  EXPECT_EQ(sorted.labels[1], -1);
  EXPECT_EQ(sorted.labels[3], -1);
}

// A kernel whose rows add up to 1 by logarithms reaches as far as numbers do.
TEST(Reach, ADiffusionReachesItsNearestPointFromAnywhere) {
  const Fit fit = run_text("diffusion-map", three_blobs());
  const State placed = place(fit, std::make_shared<const Matrix>(far_and_near()), Context());
  EXPECT_TRUE(placed.points->allFinite());
  EXPECT_TRUE(placed.out_of_reach.empty());
  const Fit bare = run_text("distance(2) | exp(1) | eigen(2)", three_blobs());
  EXPECT_TRUE(place(bare, std::make_shared<const Matrix>(far_and_near()), Context()).points->row(1).array().isNaN().all());
}

TEST(Reach, APointWhoseEdgesWeighNothingStaysWhereItIs) {
  Matrix points = three_blobs();
  points.row(59) << 500, 500;
  const State moved = run_text("knn(5) | distance(2) | exp(0.1) | mean | row | apply", points).result;
  EXPECT_EQ(moved.points->row(59), points.row(59));
  EXPECT_NE(moved.points->row(0), points.row(0));
  EXPECT_TRUE(noted(moved, "row", "1 of 60 rows is empty"));
}

TEST(Reach, NeighboursThatCoincideSayNothingOfAPoint) {
  EXPECT_TRUE(noted(run_text("lle", Matrix::Ones(30, 3)).result, "local_weights", "30 of 30 rows coincide with all their neighbours"));
  Matrix some = random_points(60, 3, 2);
  for (int i = 0; i < 20; ++i) some.row(i).setConstant(4);
  EXPECT_TRUE(noted(run_text("lle", some).result, "local_weights", "20 of 60 rows coincide"));
  EXPECT_FALSE(noted(run_text("lle", random_points(60, 3, 2)).result, "local_weights", "coincide"));
}

}  // namespace
}  // namespace calor::pipeline
