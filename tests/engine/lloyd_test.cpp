// k-means against Lloyd's iteration written out: every distance in double, every point looked at in every step, from the
// centres that most=0 gives.  Coordinates are whole numbers, so sums are exact but for the division by the size; the centres
// must agree to rounding and the assignments exactly.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/lloyd.h"
#include "isa.h"

namespace calor::engine {
namespace {

Matrix blobs(int n, int d, int centres, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Matrix points(n, d);
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < d; ++c) points(i, c) = std::round(40 * ((i % centres) * (c + 1) % 5) + 30 * random.normal());
  return points;
}

std::vector<std::int64_t> assign(const Matrix& points, const Matrix& centres, double* inertia) {
  std::vector<std::int64_t> nearest;
  *inertia = 0;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    double least = std::numeric_limits<double>::infinity();
    std::int64_t at = -1;
    for (Eigen::Index c = 0; c < centres.rows(); ++c)
      if (const double far = (points.row(i) - centres.row(c)).squaredNorm(); far < least) {
        least = far;
        at = c;
      }
    nearest.push_back(at);
    *inertia += least;
  }
  return nearest;
}

TEST(Lloyd, EqualsTheIterationWrittenOut) {
  for (const std::string& isa : kernels::isa_names())
    for (const auto& [n, d, k] : {std::tuple{300, 3, 4}, {1000, 17, 10}, {700, 2, 33}, {50, 5, 1}}) {
      SCOPED_TRACE(isa + " " + std::to_string(n));
      const WithIsa forced(isa);
      const Matrix points = blobs(n, d, 7, 3);
      Matrix centres = lloyd(points, {k, 1, 0, 5}, Context()).at;
      std::vector<std::int64_t> before, nearest;
      double inertia = 0;
      int steps = 0;
      while ((nearest = assign(points, centres, &inertia)) != before) {
        ++steps;
        before = nearest;
        Matrix sums = Matrix::Zero(k, d);
        Eigen::VectorXd sizes = Eigen::VectorXd::Zero(k);
        for (Eigen::Index i = 0; i < n; ++i) {
          sums.row(nearest[i]) += points.row(i);
          ++sizes[nearest[i]];
        }
        for (int c = 0; c < k; ++c) {
          ASSERT_GT(sizes[c], 0);
          centres.row(c) = sums.row(c) / sizes[c];
        }
      }
      EXPECT_GT(steps, k > 1 ? 3 : 0) << "too easy to tell anything";
      const Centres found = lloyd(points, {k, 1, 300, 5}, Context());
      EXPECT_EQ(found.nearest, nearest);
      EXPECT_LT((found.at - centres).cwiseAbs().maxCoeff(), 1e-10 * points.cwiseAbs().maxCoeff());
      EXPECT_NEAR(found.inertia, inertia, 1e-11 * inertia);
      EXPECT_EQ(assign_nearest(points, centres, Context()).nearest, nearest);
    }
}

TEST(Lloyd, TheSameBitsForAnyNumberOfThreads) {
  const Matrix points = blobs(2000, 9, 6, 4);
  Context one, two;
  one.threads = 1;
  two.threads = 2;
  const Centres a = lloyd(points, {8, 3, 300, 1}, one), b = lloyd(points, {8, 3, 300, 1}, two);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.nearest, b.nearest);
  EXPECT_EQ(a.inertia, b.inertia);
}

// Halfway between two centres, and an offset that leaves floats nothing of the difference.
TEST(Lloyd, EqualDistancesGoToTheLowerCentreWhereverThePointsAre) {
  for (const double offset : {0.0, 1e6, 1e12}) {
    Matrix points(4, 1), centres(3, 1);
    points << 1, 3, 2, 5;
    centres << 3, 1, 5;
    const Centres found = assign_nearest(points.array() + offset, centres.array() + offset, Context());
    EXPECT_EQ(found.nearest, (std::vector<std::int64_t>{1, 0, 0, 2})) << offset;
    EXPECT_EQ(found.inertia, 1) << offset;
  }
}

// Three places, five centres: every place has one, and what is left over stays where it was drawn.
TEST(Lloyd, MoreCentresThanPlaces) {
  Matrix points(30, 2);
  for (int i = 0; i < 30; ++i) points.row(i) << 10.0 * (i % 3), 1.0;
  const Centres found = lloyd(points, {5, 4, 300, 0}, Context());
  EXPECT_EQ(found.inertia, 0);
  EXPECT_EQ(std::set<std::int64_t>(found.nearest.begin(), found.nearest.end()).size(), 3u);
}

TEST(Lloyd, MoreCentresThanPointsAreRefused) { EXPECT_THROW(lloyd(Matrix::Zero(3, 2), {4, 1, 10, 0}, Context()), Error); }

}  // namespace
}  // namespace calor::engine
