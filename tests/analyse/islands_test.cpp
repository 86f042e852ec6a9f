// Islands of pictures that are made by hand: groups of the data where they are, torn, glued, scattered.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "calor/analyse/islands.h"
#include "calor/core/random.h"
#include "calor/engine/neighbours.h"

namespace calor::analyse {
namespace {

using engine::Matrix;

const Context context;

// `count` points around each centre.
Matrix blobs(const std::vector<std::vector<double>>& centres, std::int64_t count, std::uint64_t seed, double deviation = 1) {
  Random random(seed, Purpose::test);
  Matrix points(static_cast<Eigen::Index>(centres.size()) * count, static_cast<Eigen::Index>(centres[0].size()));
  for (Eigen::Index i = 0; i < points.rows(); ++i)
    for (Eigen::Index c = 0; c < points.cols(); ++c) points(i, c) = centres[static_cast<std::size_t>(i / count)][static_cast<std::size_t>(c)] + deviation * random.normal();
  return points;
}

// A grid of rows x columns points at unit distance.
Matrix sheet(std::int64_t rows, std::int64_t columns) {
  Matrix points(rows * columns, 2);
  for (std::int64_t i = 0; i < rows * columns; ++i) points.row(i) << static_cast<double>(i / columns), static_cast<double>(i % columns);
  return points;
}

const std::vector<std::vector<double>> corners{{0, 0, 0}, {30, 0, 0}, {0, 30, 0}};

TEST(Islands, GroupsOfTheDataThatArePicturedAsTheyAre) {
  const Matrix data = blobs(corners, 60, 1);
  const Islands found = islands(data, data.leftCols(2), nullptr, {}, context);
  EXPECT_EQ(found.sizes.size(), 3U);
  EXPECT_TRUE(found.torn.empty());
  EXPECT_TRUE(found.glued.empty());
  for (std::int64_t group = 0; group < 3; ++group) {
    std::set<std::int64_t> numbers(found.island.begin() + group * 60, found.island.begin() + (group + 1) * 60);
    numbers.erase(-1);  // a few outliers
    EXPECT_EQ(numbers.size(), 1U);
  }
  EXPECT_LE(std::count(found.island.begin(), found.island.end(), -1), 9);
  EXPECT_TRUE(std::is_sorted(found.sizes.rbegin(), found.sizes.rend()));
}

TEST(Islands, TheNeighboursThatEachPointKeeps) {
  const Matrix data = blobs(corners, 40, 3);
  const Matrix picture = data.leftCols(1);
  const auto nearest_by_definition = [](const Matrix& points, Eigen::Index i) {
    std::vector<std::pair<double, Eigen::Index>> others;
    for (Eigen::Index j = 0; j < points.rows(); ++j)
      if (j != i) others.emplace_back((points.row(i) - points.row(j)).squaredNorm(), j);
    std::sort(others.begin(), others.end());
    std::set<Eigen::Index> nearest;
    for (std::size_t n = 0; n < 15; ++n) nearest.insert(others[n].second);
    return nearest;
  };
  const std::vector<double> kept = islands(data, picture, nullptr, {}, context).kept;
  ASSERT_EQ(kept.size(), 120U);
  for (Eigen::Index i = 0; i < 120; ++i) {
    const auto near = nearest_by_definition(data, i), there = nearest_by_definition(picture, i);
    const auto both = std::count_if(near.begin(), near.end(), [&](Eigen::Index j) { return there.count(j) > 0; });
    EXPECT_DOUBLE_EQ(kept[static_cast<std::size_t>(i)], static_cast<double>(both) / 15) << i;
  }
}

TEST(Islands, AGroupThatIsTorn) {
  const Matrix data = sheet(20, 20);
  Matrix picture = data;
  picture.topRows(140).col(0).array() -= 50;  // seven of twenty rows
  const Islands found = islands(data, picture, nullptr, {}, context);
  ASSERT_EQ(found.sizes, (std::vector<std::int64_t>{260, 140}));
  // Neighbours across the cut, counted by the definition.
  engine::NeighbourOptions options;
  options.k = 15;
  const engine::Csr near = engine::nearest(data, data, options, context);
  double across = 0;
  for (std::int64_t i = 0; i < 140; ++i)
    for (std::int64_t e = near.begin[i]; e < near.begin[i + 1]; ++e) across += near.column[e] >= 140;
  const double share = across / (140 * 15);
  ASSERT_GT(share, 0.05);
  IslandOptions sharp;
  sharp.torn_from = share;
  const Islands at = islands(data, picture, nullptr, sharp, context);
  ASSERT_EQ(at.torn.size(), 1U);
  EXPECT_EQ(at.torn[0].smaller, 1);
  EXPECT_EQ(at.torn[0].other, 0);
  EXPECT_DOUBLE_EQ(at.torn[0].share, share);
  sharp.torn_from = share + 1e-9;
  EXPECT_TRUE(islands(data, picture, nullptr, sharp, context).torn.empty());
}

TEST(Islands, GroupsThatAreGlued) {
  const Matrix data = blobs(corners, 60, 2);
  Matrix picture = data.leftCols(2);
  picture.middleRows(60, 60).col(0).array() -= 30;  // the second onto the first
  const Islands found = islands(data, picture, nullptr, {}, context);
  ASSERT_EQ(found.sizes.size(), 2U);
  EXPECT_TRUE(found.torn.empty());
  ASSERT_EQ(found.glued.size(), 1U);
  EXPECT_EQ(found.glued[0].island, 0);
  ASSERT_EQ(found.glued[0].parts.size(), 2U);
  EXPECT_NEAR(static_cast<double>(found.glued[0].parts[0]), 60, 5);
}

TEST(Islands, AGraphStandsForTheData) {
  const Matrix data = blobs(corners, 60, 3);
  engine::NeighbourOptions wide;
  wide.k = 40;
  const engine::Csr graph = engine::nearest(data, data, wide, context);
  Matrix picture = data.leftCols(2);
  picture.topRows(30).col(1).array() -= 40;
  IslandOptions options;
  options.torn_from = 0.01;
  const Islands exact = islands(data, picture, nullptr, options, context), by_graph = islands(data, picture, &graph, options, context);
  EXPECT_EQ(exact.island, by_graph.island);
  ASSERT_FALSE(exact.torn.empty());
  ASSERT_EQ(exact.torn.size(), by_graph.torn.size());
  EXPECT_EQ(exact.torn[0].share, by_graph.torn[0].share);
}

TEST(Islands, AGraphOfFewNeighboursDoesNotServe) {
  engine::NeighbourOptions options;
  options.k = least_neighbours;
  const Matrix data = sheet(20, 20);
  EXPECT_TRUE(serves_islands(engine::nearest(data, data, options, context)));
  options.k = least_neighbours - 1;
  EXPECT_FALSE(serves_islands(engine::nearest(data, data, options, context)));
  options.k = least_neighbours;
  options.leave_itself_out = false;  // its own column is no neighbour
  EXPECT_FALSE(serves_islands(engine::nearest(data, data, options, context)));
  // Ten neighbours of each on a sheet hang together.
  options.leave_itself_out = true;
  const engine::Csr ten = engine::nearest(data, data, options, context);
  EXPECT_TRUE(islands(data, data, &ten, {}, context).glued.empty());
}

TEST(Islands, SharedNeighboursAreCounted) {
  const Matrix points = blobs(corners, 40, 5), moved = blobs(corners, 40, 6);
  EXPECT_EQ(neighbours_shared(points, {points}, 10, context), std::vector<double>(120, 1.0));
  EXPECT_EQ(neighbours_shared(points, {Matrix(3 * points)}, 10, context), std::vector<double>(120, 1.0));
  engine::NeighbourOptions options;
  options.k = 10;
  const engine::Csr a = engine::nearest(points, points, options, context), b = engine::nearest(moved, moved, options, context);
  const std::vector<double> found = neighbours_shared(points, {points, moved}, 10, context);
  for (std::int64_t i = 0; i < 120; ++i) {
    double common = 10;
    for (std::int64_t e = a.begin[i]; e < a.begin[i + 1]; ++e) common += std::count(b.column.begin() + b.begin[i], b.column.begin() + b.begin[i + 1], a.column[e]);
    EXPECT_DOUBLE_EQ(found[static_cast<std::size_t>(i)], common / 20);
  }
}

TEST(Islands, WhatHasNone) {
  for (const std::int64_t rows : {1, 2, 3, 5}) {
    const Matrix few = blobs({{0, 0}}, rows, 4);
    const Islands found = islands(few, few, nullptr, {}, context);
    EXPECT_EQ(found.island.size(), static_cast<std::size_t>(rows));
    EXPECT_TRUE(found.torn.empty() && found.glued.empty());
  }
  const Matrix one_place = Matrix::Zero(50, 2);
  const Islands found = islands(one_place, one_place, nullptr, {}, context);
  EXPECT_TRUE(found.torn.empty() && found.glued.empty());
  // A single sheet is one island, whole.
  const Islands sheet_found = islands(sheet(20, 20), sheet(20, 20), nullptr, {}, context);
  EXPECT_EQ(sheet_found.sizes, std::vector<std::int64_t>{400});
}

}  // namespace
}  // namespace calor::analyse
