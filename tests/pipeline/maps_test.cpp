// The maps of match: awkward data with few points, the same bits for any number of threads, and points that are placed.  The descents
// themselves are tested in engine/maps_test.cpp, digits against the peers in test_maps.py.
#include <gtest/gtest.h>

#include <cmath>

#include "calor/core/error.h"
#include "support.h"

namespace calor::pipeline {
namespace {

const std::vector<std::string> maps{"knn(9) | distance(2) | exp(perplexity=3) | row | mean | global | match(student, kl)",
                                    "knn(9) | distance(2) | exp(perplexity=3) | row | mean | global | match(student, kl, sums=grid)",
                                    "knn(9) | distance(2) | exp(perplexity=3) | row | mean | global | match(student, kl, dims=3, freedom=0.5)",
                                    "knn(9) | distance(1, from=nearest) | exp(cardinality=3) | union | match(rational, cross_entropy)",
                                    "knn(9) | distance(1, from=nearest) | exp(cardinality=3) | union | match(rational, cross_entropy, dims=5)",
                                    "distance(2) | exp(perplexity=3) | row | match(gaussian, kl)",
                                    "knn(9) | distance(2) | exp(perplexity=3) | row | match(gaussian, kl, dims=1)"};

Matrix blobs(std::int64_t each, double apart) {
  Matrix points = random_points(3 * each, 4, 12);
  for (std::int64_t i = 0; i < 3 * each; ++i) points(i, i / each) += apart;
  return points;
}

class EveryMap : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryMap, IsFiniteForAwkwardPoints) {
  Matrix copies = random_points(40, 3, 1);
  copies.bottomRows(20) = copies.topRows(20);
  Matrix line = Matrix::Zero(30, 1);
  for (int i = 0; i < 30; ++i) line(i, 0) = i;
  for (const Matrix& points : {copies, line, Matrix(Matrix::Ones(20, 2)), Matrix(random_points(10, 2, 3)), blobs(12, 1e6), Matrix(1e-100 * random_points(30, 3, 4))}) {
    const Fit fit = run_text(GetParam(), points);
    ASSERT_EQ(fit.result.points->rows(), points.rows());
    EXPECT_TRUE(fit.result.points->allFinite()) << points.rows() << " points";
  }
}

TEST_P(EveryMap, TheSameBitsForAnyNumberOfThreads) {
  const Matrix points = blobs(100, 3);
  const Fit one = run_text(GetParam(), points, 1);
  EXPECT_EQ(*one.result.points, *run_text(GetParam(), points, 3).result.points);
}

// Blobs ten deviations apart stay apart: the nearest on the map is of the same blob.  New points land in theirs, whoever comes with them,
// and points of the fit where they are.
TEST_P(EveryMap, KeepsBlobsApartAndPlacesNewPointsInTheirs) {
  const Matrix points = blobs(40, 10);
  const Fit fit = run_text(GetParam(), points);
  const auto nearest = [&](const Eigen::RowVectorXd& y, Eigen::Index without) {
    Vector far = (fit.result.points->rowwise() - y).rowwise().squaredNorm();
    if (without >= 0) far[without] = std::numeric_limits<double>::infinity();
    Eigen::Index found = 0;
    far.minCoeff(&found);
    return found / 40;
  };
  int same = 0;
  for (Eigen::Index i = 0; i < 120; ++i) same += nearest(fit.result.points->row(i), i) == i / 40;
  EXPECT_GE(same, 118);
  Matrix fresh = points;
  fresh += 0.3 * random_points(120, 4, 9);
  fresh.row(5) = points.row(5);
  const State placed = place(fit, std::make_shared<const Matrix>(fresh), Context());
  same = 0;
  for (Eigen::Index i = 0; i < 120; ++i) same += nearest(placed.points->row(i), -1) == i / 40;
  EXPECT_GE(same, 118);
  EXPECT_EQ(placed.points->row(5), fit.result.points->row(5));
  const State alone = place(fit, std::make_shared<const Matrix>(fresh.middleRows(70, 1)), Context());
  EXPECT_EQ(alone.points->row(0), placed.points->row(70));
}

INSTANTIATE_TEST_SUITE_P(Families, EveryMap, ::testing::ValuesIn(maps), [](const auto& test) { return "Map" + std::to_string(test.index); });

TEST(Maps, ComponentsOfAGraphAreLaidOutApart) {
  const Fit fit = run_text(maps[3], blobs(30, 1e3));
  const Matrix& y = *fit.result.points;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < a; ++b)
      EXPECT_GT((y.middleRows(30 * a, 30).colwise().mean() - y.middleRows(30 * b, 30).colwise().mean()).norm(), 1);
}

TEST(Maps, APointWithoutNeighboursIsNamed) {
  auto data = data_of_points(Matrix(4, 0));
  data->graph = std::make_shared<const Csr>(from_edges(4, 4, {{0, 1, 1.0}, {1, 0, 1.0}, {1, 2, 1.0}, {2, 1, 1.0}}));
  expect_fault(Fault::input, "found none for row 4", [&] { run_text("adjacency | global | match(student, kl)", data); });
}

}  // namespace
}  // namespace calor::pipeline
