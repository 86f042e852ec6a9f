// Random projection trees: parts of bounded size that keep near points together.
#include "calor/engine/near_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "support.h"

namespace calor::engine {
namespace {

std::vector<float> as_floats(const Matrix& points) { return {points.data(), points.data() + points.size()}; }

NearParts parts_of(const Matrix& points, std::int64_t most, std::uint64_t seed = 1, std::uint32_t tree = 0) {
  return near_parts(as_floats(points).data(), points.rows(), points.cols(), most, seed, tree, Context());
}

void expect_partition(const NearParts& parts, std::int64_t n, std::int64_t most) {
  std::vector<std::int32_t> all = parts.order;
  std::sort(all.begin(), all.end());
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  EXPECT_EQ(all, numbers);
  EXPECT_EQ(parts.begin.front(), 0);
  EXPECT_EQ(parts.begin.back(), n);
  for (std::size_t p = 0; p + 1 < parts.begin.size(); ++p) {
    EXPECT_LE(parts.begin[p + 1] - parts.begin[p], most);
    if (n > most) {
      EXPECT_GE(4 * (parts.begin[p + 1] - parts.begin[p]), most);
    }
  }
}

TEST(NearParts, HaveEveryPointOnceAndABoundedSize) {
  for (const std::int64_t n : {1, 99, 100, 101, 1000, 3000}) expect_partition(parts_of(random_points(n, 7, 5), 100), n, 100);
}

TEST(NearParts, OfPointsInOnePlaceAreCutByNumber) {
  for (const double place : {0.0, 3.0}) expect_partition(parts_of(Matrix::Constant(1000, 3, place), 100), 1000, 100);
  Matrix few = Matrix::Zero(1000, 2);  // two points elsewhere
  few(17, 0) = 1;
  few(400, 1) = -2;
  expect_partition(parts_of(few, 100), 1000, 100);
}

// Two groups far from each other, one a third of the points: the first cut goes between them.
TEST(NearParts, AreCutWherePointsAreFewest) {
  Matrix points = random_points(900, 5, 6);
  for (Eigen::Index i = 0; i < 900; i += 3) points.row(i).array() += 20;
  for (const std::uint64_t seed : {1, 2, 3}) {
    const NearParts parts = parts_of(points, 700, seed);
    ASSERT_EQ(parts.begin.size(), 3U);
    std::set<bool> sides[2];
    for (std::int64_t p = 0; p < 900; ++p) sides[p >= parts.begin[1]].insert(parts.order[static_cast<std::size_t>(p)] % 3 == 0);
    EXPECT_EQ(sides[0].size(), 1U);
    EXPECT_EQ(sides[1].size(), 1U);
  }
}

TEST(NearParts, AreThoseOfTheSeedAndTheTree) {
  const Matrix points = random_points(2000, 6, 8);
  const NearParts first = parts_of(points, 100, 1, 0);
  EXPECT_EQ(first.order, parts_of(points, 100, 1, 0).order);
  EXPECT_NE(first.order, parts_of(points, 100, 1, 1).order);
  EXPECT_NE(first.order, parts_of(points, 100, 2, 0).order);
}

}  // namespace
}  // namespace calor::engine
