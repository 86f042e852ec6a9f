// sinkhorn: over all pairs and on a support, symmetric or not, against the plain alternation of row and column sums on a whole
// matrix; its factors; what has no such scaling; and the refusal of score(..), which learns.
// Tolerances: sums are within 1e-10 of 1 by contract; the matrix then within ten times that.
#include <gtest/gtest.h>

#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "support.h"

namespace calor::pipeline {
namespace {

// Sinkhorn and Knopp as they state it, to its end.
Matrix doubly_stochastic(Matrix values) {
  for (int i = 0; i < 5000; ++i) {
    for (Eigen::Index r = 0; r < values.rows(); ++r) values.row(r) /= values.row(r).sum();
    for (Eigen::Index c = 0; c < values.cols(); ++c) values.col(c) /= values.col(c).sum();
  }
  return values;
}

Matrix matrix_of(const State& state) { return materialise(state.similarity, "test", Context()); }

void expect_doubly_stochastic(const std::string& before, const Matrix& points) {
  const Matrix expected = doubly_stochastic(matrix_of(run_text(before, points).result));
  const State state = run_text(before + " | sinkhorn", points).result;
  const Matrix found = matrix_of(state);
  EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-9) << before;
  EXPECT_LT((found.rowwise().sum().array() - 1).abs().maxCoeff(), 2e-10) << before;
  EXPECT_LT((found.colwise().sum().array() - 1).abs().maxCoeff(), 2e-10) << before;
  EXPECT_TRUE(state.notes.empty());
  EXPECT_LE(state.figures.at("deviation"), 1e-10);
}

TEST(Sinkhorn, GivesTheDoublyStochasticMatrix) {
  const Matrix points = random_points(60, 3, 1);
  expect_doubly_stochastic("distance(2) | exp(1)", points);
  expect_doubly_stochastic("distance(2) | exp(1) | row", points);
  expect_doubly_stochastic("distance(2) | exp(perplexity=10)", points);  // a scale for each row: not symmetric
  expect_doubly_stochastic("knn(8) | distance(2) | exp(2) | mean", points);
  expect_doubly_stochastic("knn(8) | distance(2) | exp(2) | self_loops | mean", points);
}

TEST(Sinkhorn, SymmetricInputHasOneFactorForBothSides) {
  for (const char* text : {"distance(2) | exp(1) | two_side(1) | row | sinkhorn", "knn(8) | distance(2) | exp(2) | mean | sinkhorn"}) {
    const State state = run_text(text, random_points(60, 3, 2)).result;
    EXPECT_TRUE(state.similarity.log_row == state.similarity.log_column) << text;
  }
}

TEST(Sinkhorn, RowsFarBelowTheSmallestNumberStillAddUp) {
  Matrix points = random_points(30, 2, 3) * 100;  // exp(-10000) is 0 in double
  const Matrix found = matrix_of(run_text("distance(2) | exp(1) | sinkhorn", points).result);
  EXPECT_LT((found.rowwise().sum().array() - 1).abs().maxCoeff(), 2e-10);
}

TEST(Sinkhorn, SameBitsForAnyThreads) {
  const Matrix points = random_points(300, 3, 4);
  for (const char* text : {"distance(2) | exp(1) | sinkhorn | apply", "distance(2) | exp(perplexity=10) | sinkhorn | apply"})
    EXPECT_TRUE(*run_text(text, points, 1).result.points == *run_text(text, points, 3).result.points);
}

TEST(Sinkhorn, SaysWhereThereIsNoSuchScaling) {
  // A star: leaves reach only the centre, whose column cannot be 1 while each leaf's row is.
  Matrix points(5, 2);
  points << 0, 0, 1, 0, -1.1, 0, 0, 1.2, 0, -1.3;
  const State star = run_text("knn(1) | distance(2) | exp(1) | mean | sinkhorn(50)", points).result;
  ASSERT_EQ(star.notes.size(), 1u);
  EXPECT_NE(star.notes[0].text.find("after 50 iterations"), std::string::npos);
  EXPECT_GT(star.figures.at("deviation"), 1e-3);
  const State one = run_text("distance(2) | exp(1) | sinkhorn", random_points(1, 2, 5)).result;
  EXPECT_NEAR(matrix_of(one)(0, 0), 1, 1e-10);
}

TEST(Sinkhorn, NewRowsMeetTheColumnsOfTheFit) {
  const Matrix points = random_points(40, 2, 6), more = random_points(7, 2, 7);
  const Fit fit = run_text("distance(2) | exp(1) | sinkhorn | apply", points);
  const Matrix found = *place(fit, std::make_shared<const Matrix>(more), Context()).points;
  const Matrix similar = doubly_stochastic(matrix_of(run_text("distance(2) | exp(1)", points).result));
  for (Eigen::Index i = 0; i < more.rows(); ++i) {
    Vector weight(40);
    for (Eigen::Index j = 0; j < 40; ++j)  // the column factor is the square root of the diagonal: value(j, j) was 1
      weight[j] = std::exp(-(more.row(i) - points.row(j)).squaredNorm()) * std::sqrt(similar(j, j));
    EXPECT_LT((found.row(i) - weight.transpose() / weight.sum() * points).cwiseAbs().maxCoeff(), 1e-8);
  }
}

TEST(Score, IsRefusedWhereNothingIsLearned) {
  try {
    run_text("score(metric) | exp | row | apply", random_points(5, 2, 8));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::usage);
    EXPECT_NE(std::string(error.what()).find("calor train DATA --attention"), std::string::npos);
  }
}

}  // namespace
}  // namespace calor::pipeline
