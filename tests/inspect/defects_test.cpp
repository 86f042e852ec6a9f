// Defects of planted scores against what follows from their definition by hand, and against the definition on the whole N x N matrix.
#include <gtest/gtest.h>

#include "calor/engine/solve/dense.h"
#include "calor/inspect/defects.h"
#include "calor/inspect/lipschitz.h"
#include "calor/inspect/rows.h"
#include "planted.h"

namespace calor::inspect {
namespace {

Defects defects_at(const Head& head, const Matrix& tokens) { return defects_of(head, features_of(head, tokens), {}, Context()); }

// All three are 0 for a squared distance, up to rounding of products of 50 x 5 numbers.
TEST(Defects, AnExactMetricHasNone) {
  const Matrix tokens = random_matrix(50, 5, 1);
  for (const Head& head : {distance_head(random_matrix(4, 5, 2)), metric_head(5, 3, 0.4), bilinear_head(Matrix::Identity(5, 5))}) {
    const Defects found = defects_at(head, tokens);
    EXPECT_LT(found.symmetry, 1e-13);
    EXPECT_LT(found.euclidean, 1e-13);
    EXPECT_EQ(found.triangle, 0);
    EXPECT_LT(found.triangle_interval.high, 1e-3);
  }
}

// A = B + t R with B the identity and R a rotation by 90 degrees on centred tokens with covariance 1: ||F - F'|| / ||F + F'|| = t.
TEST(Defects, APlantedAsymmetryIsMeasured) {
  Matrix tokens(4, 2);
  tokens << 1, 1, 1, -1, -1, 1, -1, -1;
  Matrix turn(2, 2);
  turn << 0, 1, -1, 0;
  for (const double t : {0.25, 1.0, 3.0}) EXPECT_NEAR(defects_at(bilinear_head(Matrix::Identity(2, 2) + t * turn), tokens).symmetry, t, 1e-14);
}

// The symmetric part diag(3, -1) on the same tokens: a quarter of the spectrum has the wrong sign.
TEST(Defects, AWrongSignIsMeasured) {
  Matrix tokens(4, 2);
  tokens << 1, 1, 1, -1, -1, 1, -1, -1;
  const Matrix a = Eigen::Vector2d(3, -1).asDiagonal().toDenseMatrix();
  EXPECT_NEAR(defects_at(bilinear_head(a), tokens).euclidean, 0.25, 1e-14);
  EXPECT_LT(defects_at(bilinear_head(a), tokens).symmetry, 1e-14);
}

// Three points of which one pair is apart under an indefinite form and the other two pairs coincide:
// d(a, c) > 0 = d(a, b) = d(b, c).
TEST(Defects, ABrokenTriangleIsFound) {
  Matrix tokens(3, 2);
  tokens << 0, 0, 1, 1, 2, 0;  // under diag(1, -1): |a b|^2 = 0, |b c|^2 = 0, |a c|^2 = 4
  const Matrix a = Eigen::Vector2d(1, -1).asDiagonal().toDenseMatrix();
  const Defects found = defects_at(bilinear_head(a), tokens);
  EXPECT_EQ(found.triangle, 1);
  EXPECT_NEAR(found.excess, 1, 1e-12);
  EXPECT_GT(found.triangle_interval.low, 0.999);
}

// Features against the definition on the full matrix F, doubly centred, with biases, rotary positions and a distance of untied sides.
TEST(Defects, FeaturesAgreeWithTheWholeMatrix) {
  Head dot = bilinear_head(random_matrix(6, 6, 11), 0.7);
  dot.query.bias = random_matrix(6, 1, 12).col(0);
  dot.key.bias = random_matrix(6, 1, 13).col(0);
  Head rotary = dot;
  rotary.rotary_base = 10000;
  Head untied = distance_head(random_matrix(4, 6, 14), 0.3);
  untied.key.weight = random_matrix(4, 6, 15);
  Head additive = distance_head(random_matrix(1, 6, 16));
  additive.pairing = Pairing::additive;
  additive.key.weight = random_matrix(1, 6, 17);
  const Matrix tokens = random_matrix(37, 6, 10);
  for (const Head& head : {dot, rotary, untied, additive}) {
    const Features f = features_of(head, tokens);
    Eigen::MatrixXd score(37, 37);
    for (Eigen::Index i = 0; i < 37; ++i) {
      for (Eigen::Index j = 0; j < 37; ++j) {
        const double sum = f.query(i, 0) + f.key(j, 0);
        score(i, j) = head.scale * (head.pairing == Pairing::dot                ? f.query.row(i).dot(f.key.row(j))
                                    : head.pairing == Pairing::squared_distance ? -(f.query.row(i) - f.key.row(j)).squaredNorm()
                                    : sum > 0                                   ? sum
                                                                                : 0.2 * sum);
      }
    }
    const Eigen::MatrixXd centre = Eigen::MatrixXd::Identity(37, 37) - Eigen::MatrixXd::Constant(37, 37, 1.0 / 37);
    const Eigen::MatrixXd centred = centre * score * centre;
    const Eigen::VectorXd values = engine::symmetric_eigenvalues(0.5 * (centred + centred.transpose()));
    const Defects found = defects_of(head, f, {}, Context());
    EXPECT_NEAR(found.symmetry, (centred - centred.transpose()).norm() / (centred + centred.transpose()).norm(), 1e-10);
    EXPECT_NEAR(found.euclidean, -values.cwiseMin(0.0).sum() / values.cwiseAbs().sum(), 1e-10);
    // The streamed rows are the softmax of that matrix.
    const Matrix rows = AttentionRows(head, f, true, Context()).apply(Matrix::Identity(37, 37));
    const Eigen::MatrixXd weights = (score.colwise() - Eigen::VectorXd(score.rowwise().maxCoeff())).array().exp();
    for (Eigen::Index i = 0; i < 37; ++i) EXPECT_LT((rows.row(i) - weights.row(i) / weights.row(i).sum()).norm(), 1e-12);
  }
}

// The null keeps singular values: for a square form with equal ones and isotropic tokens it is near symmetry defect 1 and Euclidean 1/2.
TEST(Defects, TheNullIsThatOfRandomDirections) {
  const Matrix tokens = random_matrix(300, 24, 5);
  const auto null = null_defects(bilinear_head(Matrix::Identity(24, 24)), tokens, {}, Context());
  ASSERT_TRUE(null.has_value());
  EXPECT_NEAR(null->symmetry.middle, 1, 0.1);
  EXPECT_NEAR(null->euclidean.middle, 0.5, 0.1);
  EXPECT_LT(null->symmetry.interval.low, null->symmetry.middle);
  EXPECT_FALSE(null_defects(metric_head(24, 1, 0.1), tokens, {}, Context()).has_value());
}

// The Jacobian's products against central differences of the output, and its transpose against itself; every score and mask.
TEST(Lipschitz, JacobianAgreesWithDifferences) {
  Head dot = bilinear_head(random_matrix(4, 4, 31), 0.5);
  Head rotary = dot;
  rotary.rotary_base = 100;
  rotary.causal = true;
  Head additive = dot;
  additive.pairing = Pairing::additive;
  additive.query.weight = random_matrix(1, 4, 33);
  additive.key.weight = random_matrix(1, 4, 34);
  for (const Head& head : {dot, rotary, additive, distance_head(random_matrix(3, 4, 35)), metric_head(4, 36, 0.5)}) {
    const Matrix tokens = random_matrix(9, 4, 30), change = random_matrix(9, 4, 38), gradient = random_matrix(9, head.value.weight.rows(), 39);
    const HeadJacobian jacobian(head, tokens);
    constexpr double h = 1e-5;
    const Matrix difference = (HeadJacobian(head, tokens + h * change).output() - HeadJacobian(head, tokens - h * change).output()) / (2 * h);
    EXPECT_LT((jacobian.forward(change) - difference).norm(), 1e-6 * difference.norm());
    EXPECT_NEAR(jacobian.forward(change).cwiseProduct(gradient).sum(), jacobian.backward(gradient).cwiseProduct(change).sum(), 1e-10);
  }
}

// A bound is above every measurement, and there is none for dot products.
TEST(Lipschitz, BoundsHold) {
  for (const double size : {0.1, 1.0, 5.0}) {
    const Matrix tokens = random_matrix(40, 6, 41, size);
    for (const Head& head : {distance_head(random_matrix(6, 6, 42)), metric_head(6, 43, 0.05)}) {
      const Lipschitz found = lipschitz_of(head, tokens, Context());
      ASSERT_TRUE(found.bound.has_value()) << found.no_bound;
      EXPECT_GT(*found.bound, found.measured);
      EXPECT_GT(found.measured, 0);
    }
  }
  EXPECT_FALSE(lipschitz_of(bilinear_head(Matrix::Identity(6, 6)), random_matrix(40, 6, 44), Context()).bound.has_value());
  EXPECT_FALSE(lipschitz_of(metric_head(6, 45, 2), random_matrix(40, 6, 44), Context()).bound.has_value());
}

}  // namespace
}  // namespace calor::inspect
