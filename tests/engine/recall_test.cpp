// The recall of approximate neighbours counts distances: which of several copies was found does not matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "calor/engine/hnsw.h"
#include "support.h"

namespace calor::engine {
namespace {

TEST(Recall, OfCopiesIsThatOfTheirDistances) {
  for (const Metric metric : {Metric::euclidean, Metric::cosine})
    for (const std::int64_t k : {5, 15, 40}) {
      // Thirty copies of each of twenty places: up to 29 neighbours at distance 0, then ties at that of the next place.
      const Matrix places = random_points(20, 4, 31);
      Matrix points(600, 4);
      for (std::int64_t i = 0; i < 600; ++i) points.row(i) = places.row(i % 20);
      if (metric == Metric::cosine)
        for (std::int64_t i = 0; i < 600; ++i) points.row(i) *= 1 + static_cast<double>(i / 20);
      NeighbourOptions options;
      options.k = k;
      options.metric = metric;
      const auto found = approximate_neighbours(points, options, 0, Context());
      EXPECT_EQ(found.recall, 1) << k;
    }
}

// Against a count of its own: found distances up to that of the k-th neighbour, where no two distances are equal.
TEST(Recall, OfDifferentDistancesIsTheShareOfTheNearest) {
  const Matrix points = random_points(1500, 60, 32);
  NeighbourOptions options;
  options.k = 150;
  const auto found = approximate_neighbours(points, options, 0, Context());
  double hits = 0;
  for (std::int64_t i = 0; i < 1500; ++i) {
    std::vector<double> far;
    for (std::int64_t j = 0; j < 1500; ++j)
      if (j != i) far.push_back((points.row(i) - points.row(j)).norm());
    std::nth_element(far.begin(), far.begin() + 149, far.end());
    for (std::int64_t e = found.graph.begin[i]; e < found.graph.begin[i + 1]; ++e)
      hits += (points.row(i) - points.row(found.graph.column[e])).norm() <= far[149] * (1 + 1e-12);
  }
  const double recall = hits / (1500 * 150.0);
  ASSERT_LT(recall, 0.9999) << "too easy to tell anything";
  EXPECT_NEAR(found.recall, recall, 0.02);  // of 100 sampled rows
}

}  // namespace
}  // namespace calor::engine
