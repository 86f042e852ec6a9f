// Points seen from a place: every one once, sums as over all of them.
#include "calor/engine/point_tree.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support.h"

namespace calor::engine {
namespace {

Matrix cloud(std::int64_t n, std::int64_t dims, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Matrix points(n, dims);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < dims; ++c) points(i, c) = 6 * static_cast<double>(i % 5) + random.normal();
  return points;
}

TEST(PointTreeTest, SeesEveryPointOnce) {
  for (const std::int64_t n : {1, 2, 4, 5, 63, 1000})
    for (const std::int64_t dims : {1, 2, 3}) {
      const Matrix points = cloud(n, dims, 3);
      const PointTree tree(points);
      SeenPoints seen;
      for (const double angle : {0.0, 0.3, 1.0, 100.0}) {
        tree.seen_from(points.row(n / 2).data(), angle, seen);
        ASSERT_EQ(std::ssize(seen.at), seen.count() * dims);
        double number = 0;
        Eigen::RowVectorXd sum = Eigen::RowVectorXd::Zero(dims);
        for (std::int64_t j = 0; j < seen.count(); ++j) {
          number += seen.number[j];
          sum += seen.number[j] * Eigen::Map<const Eigen::RowVectorXd>(seen.at.data() + j * dims, dims);
        }
        EXPECT_EQ(number, static_cast<double>(n));
        EXPECT_LT((sum - points.colwise().sum()).cwiseAbs().maxCoeff(), 1e-9 * static_cast<double>(n));
        EXPECT_TRUE(angle > 0 || seen.count() == n);
      }
    }
}

TEST(PointTreeTest, SumsOverGroupsAreThoseOverPoints) {
  const Matrix points = cloud(20000, 2, 4);
  const PointTree tree(points);
  SeenPoints seen;
  for (const double x : {-3.0, 0.5, 12.0, 40.0}) {
    const Eigen::RowVector2d y(x, 9);
    const auto similar = [&](const Eigen::RowVector2d& other) { return 1 / (1 + (other - y).squaredNorm()); };
    double whole = 0;
    for (std::int64_t i = 0; i < points.rows(); ++i) whole += similar(points.row(i));
    for (const double angle : {0.6, 0.3, 0.1}) {
      tree.seen_from(y.data(), angle, seen);
      double sum = 0;
      for (std::int64_t j = 0; j < seen.count(); ++j) sum += seen.number[j] * similar(Eigen::Map<const Eigen::RowVector2d>(seen.at.data() + j * 2));
      EXPECT_LT(std::abs(sum - whole), angle * angle / 8 * whole) << x << ", angle " << angle;
    }
    tree.seen_from(y.data(), 0.3, seen);
    EXPECT_LT(seen.count(), 3000) << x;
  }
}

TEST(PointTreeTest, CopiesAreOneGroupWhereverTheyAreSeenFrom) {
  const Matrix points = Matrix::Constant(50, 2, 1.5);
  SeenPoints seen;
  PointTree(points).seen_from(points.row(0).data(), 0.3, seen);
  ASSERT_EQ(seen.count(), 1);
  EXPECT_EQ(seen.number[0], 50);
  EXPECT_EQ(seen.at, (std::vector<double>{1.5, 1.5}));
  PointTree(Matrix(0, 2)).seen_from(points.row(0).data(), 0.3, seen);
  EXPECT_EQ(seen.count(), 0);
}

}  // namespace
}  // namespace calor::engine
