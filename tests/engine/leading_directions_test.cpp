#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "calor/core/random.h"
#include "calor/engine/leading_directions.h"
#include "calor/engine/neighbours.h"

namespace calor::engine {
namespace {

// Rows about a `flat`-dimensional plane in `dim` dimensions.
Matrix near_a_plane(std::int64_t rows, std::int64_t dim, std::int64_t flat, double thickness) {
  Random random(3, Purpose::test);
  const auto normal = [&](std::int64_t n, std::int64_t m) { return Matrix(Matrix::NullaryExpr(n, m, [&] { return random.normal(); })); };
  const Matrix axes = normal(flat, dim) / std::sqrt(static_cast<double>(dim));
  return normal(rows, flat) * axes + thickness / std::sqrt(static_cast<double>(dim)) * normal(rows, dim);
}

kernels::NeighboursProblem problem_of(const Matrix& points, std::int64_t k) {
  kernels::NeighboursProblem problem;
  problem.rows = problem.columns = {points.data(), points.rows(), points.cols(), nullptr};
  problem.k = k;
  return problem;
}

TEST(LeadingDirections, AreOrthonormalAndHoldThePlane) {
  const Matrix points = near_a_plane(9000, 200, 5, 0.05);
  const auto found = leading_directions(problem_of(points, 10));
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->screen);
  EXPECT_LE(found->count, 24);
  const Matrix directions = Eigen::Map<const Matrix>(found->at.data(), found->count, 200);
  const double defect = (directions * directions.transpose() - Matrix::Identity(found->count, found->count)).norm();
  EXPECT_LE(defect, found->defect);
  EXPECT_LT(found->defect, 1e-9);
  const Matrix centred = points.rowwise() - points.colwise().mean();
  EXPECT_GT((centred * directions.topRows(5).transpose()).squaredNorm() / centred.squaredNorm(), 0.99);
}

TEST(LeadingDirections, OfNoiseOnlyOrder) {
  const auto found = leading_directions(problem_of(near_a_plane(9000, 100, 1, 100), 10));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->screen);
}

TEST(LeadingDirections, NoneForShortSearchesFewDimensionsOrOnePlace) {
  EXPECT_FALSE(leading_directions(problem_of(near_a_plane(500, 100, 3, 0.1), 10)));
  EXPECT_FALSE(leading_directions(problem_of(near_a_plane(20000, 20, 3, 0.1), 10)));
  EXPECT_FALSE(leading_directions(problem_of(Matrix::Constant(9000, 100, 2.5), 10)));
}

// The whole way, in magnitudes that squares of doubles cannot hold too.
TEST(LeadingDirections, NeighboursAreThoseOfSorting) {
  const Matrix points = near_a_plane(9000, 200, 5, 0.3);
  for (const double scale : {1.0, 0x1p-350, 0x1p350, 0x1p600}) {
    const Matrix scaled = points * scale;
    ASSERT_TRUE(leading_directions(problem_of(points, 8))->screen);
    const Csr found = nearest(scaled, scaled, {8, Metric::euclidean, true, nullptr}, Context());
    for (std::int64_t i = 0; i < points.rows(); i += 97) {
      std::vector<std::pair<double, std::int32_t>> all;
      for (std::int32_t j = 0; j < points.rows(); ++j)
        if (j != i) all.emplace_back((points.row(i) - points.row(j)).squaredNorm(), j);
      std::partial_sort(all.begin(), all.begin() + 8, all.end());
      std::vector<std::int32_t> expected;
      for (int n = 0; n < 8; ++n) expected.push_back(all[static_cast<std::size_t>(n)].second);
      std::sort(expected.begin(), expected.end());
      EXPECT_EQ(std::vector<std::int32_t>(found.column.begin() + found.begin[i], found.column.begin() + found.begin[i + 1]), expected) << "row " << i << ", scale " << scale;
    }
  }
}

// As far as measuring all neighbours says, to the last bit.
TEST(FarthestNeighbour, ComesWithTheNeighbours) {
  for (const Metric metric : {Metric::euclidean, Metric::cosine, Metric::manhattan})
    for (const double scale : {1.0, 0x1p600})
      for (const double thickness : {0.0, 0.3}) {
        Matrix points = scale * near_a_plane(metric == Metric::manhattan || scale > 1 ? 300 : 9000, 120, 3, thickness);
        points.topRows(30) = points.middleRows(30, 30);  // copies
        points.row(77).setZero();
        const Points given{std::make_shared<const Matrix>(points), nullptr, nullptr};
        Vector farthest;
        const Csr graph = nearest(given, given, {9, metric, true, nullptr}, Context(), &farthest);
        EXPECT_EQ(farthest, farthest_neighbour(graph, given, given, metric, Context())) << static_cast<int>(metric) << ", scale " << scale << ", thickness " << thickness;
      }
}

}  // namespace
}  // namespace calor::engine
