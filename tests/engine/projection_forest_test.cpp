// Neighbours by projection trees against all distances: how many are found, of which rows and columns, with which bits.
#include "calor/engine/projection_forest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "isa.h"
#include "support.h"

namespace calor::engine {
namespace {

constexpr ForestSize small{8, 300};

// Groups of Gaussian points that touch.
Matrix groups(std::int64_t n, std::int64_t dim) {
  const Matrix centres = random_points(12, dim, 41);
  Matrix points = 0.4 * random_points(n, dim, 42);
  for (std::int64_t i = 0; i < n; ++i) points.row(i) += centres.row(i % 12);
  return points;
}

double share(const Csr& found, const Csr& exact) {
  double both = 0;
  for (std::int64_t i = 0; i < exact.rows; ++i)
    for (std::int64_t e = exact.begin[i]; e < exact.begin[i + 1]; ++e)
      both += std::binary_search(found.column.begin() + found.begin[i], found.column.begin() + found.begin[i + 1], exact.column[e]);
  return both / static_cast<double>(exact.edges());
}

TEST(ProjectionForest, FindsNearlyAllNeighboursOfManyPoints) {
  const Matrix points = groups(3000, 30);
  for (const Metric metric : {Metric::euclidean, Metric::cosine}) {
    NeighbourOptions options;
    options.k = 15;
    options.metric = metric;
    const Csr exact = nearest(points, points, options, Context());
    const ApproximateNeighbours found = neighbours_by_forest(points, options, 3, Context(), small);
    ASSERT_EQ(found.graph.edges(), 3000 * 15);
    EXPECT_GE(share(found.graph, exact), 0.97);
    EXPECT_NEAR(found.recall, share(found.graph, exact), 0.02);
    for (std::int64_t i = 0; i < 3000; ++i)
      for (std::int64_t e = found.graph.begin[i]; e < found.graph.begin[i + 1]; ++e) ASSERT_NE(found.graph.column[e], i);
  }
}

TEST(ProjectionForest, IsExactForFewPoints) {
  const Matrix points = groups(300, 8);
  NeighbourOptions options;
  options.k = 10;
  const ApproximateNeighbours found = neighbours_by_forest(points, options, 0, Context(), small);
  EXPECT_EQ(found.graph.column, nearest(points, points, options, Context()).column);
  EXPECT_EQ(found.recall, 1);
}

TEST(ProjectionForest, HasTheSameBitsForAnyThreads) {
  const Matrix points = groups(1500, 20);
  NeighbourOptions options;
  options.k = 7;
  Context one;
  one.threads = 1;
  const std::vector<std::int32_t> expected = neighbours_by_forest(points, options, 5, one, {2, 100}).graph.column;
  for (const int threads : {2, 3}) {
    Context several;
    several.threads = threads;
    EXPECT_EQ(neighbours_by_forest(points, options, 5, several, {2, 100}).graph.column, expected) << threads;
  }
  EXPECT_NE(neighbours_by_forest(points, options, 6, one, {2, 100}).graph.column, expected) << "too easy to tell anything";
}

// Neighbours are measured in double, so that another offset, scale or instruction set finds the same but for those that trees miss.
TEST(ProjectionForest, FindsThemOnEveryInstructionSetWhateverTheScale) {
  const Matrix points = groups(1500, 10);
  NeighbourOptions options;
  options.k = 10;
  const Csr exact = nearest(points, points, options, Context());
  for (const std::string& name : kernels::isa_names()) {
    const WithIsa forced(name);
    EXPECT_GE(share(neighbours_by_forest(points, options, 1, Context(), small).graph, exact), 0.97) << name;
  }
  for (const double scale : {1e-200, 1e200}) EXPECT_GE(share(neighbours_by_forest(points * scale, options, 1, Context(), small).graph, exact), 0.97) << scale;
  EXPECT_GE(share(neighbours_by_forest((points.array() + 1e4).matrix(), options, 1, Context(), small).graph, exact), 0.97);
}

// Only every fiftieth may be a neighbour: parts have fewer than k, and rows with too few are searched whole.
TEST(ProjectionForest, KeepsToTheColumnsThatMayBeNeighbours) {
  const Matrix points = groups(2000, 6);
  std::vector<std::uint8_t> allowed(2000, 0);
  for (std::size_t j = 0; j < 2000; j += 50) allowed[j] = 1;
  NeighbourOptions options;
  options.k = 25;
  options.allowed = &allowed;
  const ApproximateNeighbours found = neighbours_by_forest(points, options, 2, Context(), small);
  EXPECT_EQ(found.graph.edges(), 2000 * 25);
  for (const std::int32_t column : found.graph.column) ASSERT_EQ(column % 50, 0);
  EXPECT_GE(share(found.graph, nearest(points, points, options, Context())), 0.97);
}

TEST(ProjectionForest, IsRefusedBeyondTheLimit) {
  Context context;
  context.memory = MemoryLimit(1 << 20);
  NeighbourOptions options;
  expect_fault(Fault::memory, "--max-memory", [&] { neighbours_by_forest(groups(20000, 4), options, 0, context, small); });
}

}  // namespace
}  // namespace calor::engine
