// What a search screens pairs by is never farther than the truth, and blocks are never farther apart than their points.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/leading_points.h"
#include "calor/kernels/near_blocks.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

constexpr std::int64_t count = 90, dim = 40;

// Points near a plane of `flat` dimensions, `thickness` about it.
std::vector<double> near_a_plane(std::int64_t flat, double thickness, double offset, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  std::vector<double> axes(static_cast<std::size_t>(flat * dim)), points(static_cast<std::size_t>(count * dim));
  for (double& value : axes) value = random.normal();
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t c = 0; c < dim; ++c) points[i * dim + c] = offset + thickness * random.normal();
    for (std::int64_t f = 0; f < flat; ++f) {
      const double along = random.normal();
      for (std::int64_t c = 0; c < dim; ++c) points[i * dim + c] += along * axes[f * dim + c];
    }
  }
  return points;
}

// Orthonormal rows by Gram and Schmidt, the first ones along the given points, less `centre`.
LeadingDirections along(const std::vector<double>& points, double centre, std::int64_t number) {
  LeadingDirections result;
  result.count = number;
  for (std::int64_t m = 0; m < number; ++m) {
    std::vector<double> row(points.begin() + m * dim, points.begin() + (m + 1) * dim);
    for (double& value : row) value -= centre;
    for (int twice = 0; twice < 2; ++twice)
      for (std::int64_t other = 0; other < m; ++other) {
        double product = 0;
        for (std::int64_t c = 0; c < dim; ++c) product += row[c] * result.at[other * dim + c];
        for (std::int64_t c = 0; c < dim; ++c) row[c] -= product * result.at[other * dim + c];
      }
    double square = 0;
    for (const double value : row) square += value * value;
    for (double& value : row) value /= std::sqrt(square);
    result.at.insert(result.at.end(), row.begin(), row.end());
  }
  result.defect = 1e-14;
  return result;
}

double squared(const double* x, const double* y, double scale) {
  double sum = 0;
  for (std::int64_t c = 0; c < dim; ++c) sum += (x[c] - y[c]) * scale * ((x[c] - y[c]) * scale);
  return sum;
}

// Lower bounds of all pairs as the search forms them; the least slack and the mean share of the truth that they reach.
struct Tightness {
  double least_slack = 1e300, share = 0;
};

Tightness tightness(const std::vector<double>& points, const LeadingDirections& directions, bool unit) {
  const PointsView view{points.data(), count, dim, nullptr};
  const Frame frame(view, view, unit, Context());
  const LeadingPoints leading(view, frame, directions, Context());
  Tightness result;
  double pairs = 0;
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < i; ++j) {
      float product = 0;
      for (std::int64_t c = 0; c < leading.dim(); ++c) product += leading.point(i)[c] * leading.point(j)[c];
      // Fewer coordinates leave more, and what they say is never nearer.
      for (std::int64_t used = 1; used + 1 < leading.dim(); used += 3) {
        float some = leading.rest(i, used) * leading.rest(j, used);
        for (std::int64_t c = 0; c < used; ++c) some += leading.point(i)[c] * leading.point(j)[c];
        EXPECT_GE(some, product - 1e-6F * static_cast<float>(leading.square(i) + leading.square(j))) << used << " of " << leading.dim() - 1;
        const double shorter = leading.square(i) + leading.square(j), below = shorter - 2 * static_cast<double>(some) - leading.relative() * shorter - frame.absolute;
        EXPECT_LE(below, squared(view.point(i), view.point(j), frame.scale)) << used << " of " << leading.dim() - 1;
      }
      const double squares = leading.square(i) + leading.square(j);
      const double lower = squares - 2 * static_cast<double>(product) - leading.relative() * squares - frame.absolute;
      const double truth = squared(view.point(i), view.point(j), frame.scale);
      result.least_slack = std::min(result.least_slack, truth - lower);
      result.share += lower / truth;
      ++pairs;
    }
  result.share /= pairs;
  return result;
}

TEST(LeadingPoints, NeverFartherThanTheTruth) {
  for (const double offset : {0.0, 1e6}) {
    for (const double thickness : {0.0, 1e-3, 0.3, 3.0})
      for (const std::int64_t number : {1, 4, 20}) {
        const std::vector<double> points = near_a_plane(4, thickness, offset, 1);
        const Tightness found = tightness(points, along(points, offset, number), false);
        EXPECT_GE(found.least_slack, 0) << "offset " << offset << ", thickness " << thickness << ", " << number << " directions";
        // The plane is held by four directions: but for rounding the bound is the truth.
        if (number >= 4 && thickness <= 1e-3) {
          EXPECT_GT(found.share, 0.99) << "thickness " << thickness;
        }
      }
  }
}

// On one line through the centre the first direction says all, and the bound of points on opposite sides has nothing to spare but what rounding takes.
TEST(LeadingPoints, OnALine) {
  const std::vector<double> points = near_a_plane(1, 0, 0, 3);
  const Tightness found = tightness(points, along(points, 0, 1), false);
  EXPECT_GE(found.least_slack, 0);
  EXPECT_GT(found.share, 0.98);
}

// Directions off by their stated defect move coordinates; the bound allows for it.
TEST(LeadingPoints, DirectionsThatAreNotQuiteOrthonormal) {
  const std::vector<double> points = near_a_plane(4, 0, 0, 5);
  for (const double scale : {1 - 1e-4, 1 + 1e-4}) {
    LeadingDirections directions = along(points, 0, 4);
    for (double& value : directions.at) value *= scale;
    directions.defect = 2 * std::abs(scale * scale - 1);  // the Frobenius norm of four times that on the diagonal
    EXPECT_GE(tightness(points, directions, false).least_slack, 0) << scale;
    directions.defect = 1e-14;
    if (scale > 1) {
      EXPECT_LT(tightness(points, directions, false).least_slack, 0) << "the defect is what it takes";
    }
  }
}

TEST(LeadingPoints, UnitVectorsAndZero) {
  std::vector<double> points = near_a_plane(3, 0.1, 0, 7);
  for (std::int64_t i = 0; i < count; ++i) {
    double square = 0;
    for (std::int64_t c = 0; c < dim; ++c) square += points[i * dim + c] * points[i * dim + c];
    for (std::int64_t c = 0; c < dim; ++c) points[i * dim + c] /= std::sqrt(square);
  }
  std::fill_n(points.begin() + 50 * dim, dim, 0.0);
  const PointsView view{points.data(), count, dim, nullptr};
  const Frame frame(view, view, true, Context());
  const LeadingPoints leading(view, frame, along(points, 0, 5), Context());
  for (std::int64_t c = 0; c < leading.dim(); ++c) EXPECT_EQ(leading.point(50)[c], 0);
  EXPECT_EQ(leading.square(50), frame.scale * frame.scale);  // at squared distance 2 from every other
  for (std::int64_t i = 0; i < count; ++i) {
    if (i != 50) {
      EXPECT_NEAR(leading.square(i), frame.scale * frame.scale, 1e-12);
    }
  }
}

TEST(NearBlocks, GapsAreNoMoreThanDistances) {
  constexpr std::int64_t points = 700, size = 64, dims = 3;
  Random random(9, Purpose::test);
  std::vector<float> at(points * dims), other_at(points * dims);
  for (auto* values : {&at, &other_at})
    for (float& value : *values) value = static_cast<float>(random.uniform() + 4 * std::round(random.uniform()));
  constexpr double error = 0.25;
  const NearBlocks blocks({at.data(), points, dims, dims, error, 0}, size), others({other_at.data(), points, dims, dims, error, 0}, size);
  std::vector<std::int32_t> order = blocks.order();
  std::sort(order.begin(), order.end());
  for (std::int64_t i = 0; i < points; ++i) ASSERT_EQ(order[i], i);
  ASSERT_EQ(blocks.count(), 11);
  std::int64_t apart = 0;
  for (std::int64_t a = 0; a < blocks.count(); ++a)
    for (std::int64_t b = 0; b < others.count(); ++b) {
      double least = 1e300, without_error = 1e300;
      for (std::int64_t i = a * size; i < std::min(points, (a + 1) * size); ++i)
        for (std::int64_t j = b * size; j < std::min(points, (b + 1) * size); ++j) {
          double nearest = 0, sum = 0;  // coordinates may both be off by the error
          for (std::int64_t c = 0; c < dims; ++c) {
            const double difference = std::abs(static_cast<double>(at[blocks.order()[i] * dims + c]) - other_at[others.order()[j] * dims + c]);
            nearest += std::pow(std::max(0.0, difference - 2 * error), 2);
            sum += difference * difference;
          }
          least = std::min(least, nearest);
          without_error = std::min(without_error, sum);
        }
      EXPECT_LE(blocks.gap(a, others, b), least);
      EXPECT_EQ(blocks.gap(a, others, b), others.gap(b, blocks, a));
      apart += blocks.gap(a, others, b) > 0.25 * without_error;
    }
  EXPECT_GT(apart, 40);  // of 121
}

TEST(NearBlocks, HoldNearPoints) {
  // A line of points in disorder: each block is a piece of it, and the nearest blocks are the pieces beside it.
  constexpr std::int64_t points = 1000, size = 100;
  std::vector<float> at(points);
  for (std::int64_t i = 0; i < points; ++i) at[i] = static_cast<float>(i * 371 % points);
  const NearBlocks blocks({at.data(), points, 1, 1, 0, 0}, size);
  for (std::int64_t b = 0; b < blocks.count(); ++b) {
    float low = 1e9f, high = -1;
    for (std::int64_t i = b * size; i < (b + 1) * size; ++i) {
      low = std::min(low, at[blocks.order()[i]]);
      high = std::max(high, at[blocks.order()[i]]);
    }
    EXPECT_EQ(high - low, size - 1) << b;
  }
  const std::vector<std::int32_t> nearest = blocks.nearest(4, blocks, 3);
  ASSERT_EQ(nearest.size(), 3u);
  EXPECT_EQ(nearest[0], 4);
  EXPECT_EQ(nearest[1] + nearest[2], 8);
  EXPECT_NEAR(blocks.gap(2, blocks, 5), 201.0 * 201.0, 0.001);
  const NearBlocks noisy({at.data(), points, 1, 1, 0, 100.0}, size);
  EXPECT_NEAR(noisy.gap(2, blocks, 5), 201.0 * 201.0 - 100, 0.001);
  EXPECT_NEAR(noisy.gap(2, noisy, 5), 201.0 * 201.0 - 200, 0.001);
  EXPECT_EQ(noisy.gap(2, noisy, 3), 0);
}

TEST(NearBlocks, WithoutCoordinatesPointsStayAsTheyAre) {
  const NearBlocks blocks({nullptr, 300, 0, 0, 0, 0}, 256);
  EXPECT_FALSE(blocks.ordered());
  for (std::int32_t i = 0; i < 300; ++i) ASSERT_EQ(blocks.order()[i], i);
  EXPECT_EQ(blocks.gap(0, blocks, 1), 0);
}

}  // namespace
}  // namespace calor::kernels::test
