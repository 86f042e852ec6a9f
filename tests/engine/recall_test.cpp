// The recall of approximate neighbours counts distances: which of several copies was found does not matter.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "calor/engine/hnsw.h"
#include "calor/engine/projection_forest.h"
#include "support.h"

namespace calor::engine {
namespace {

ApproximateNeighbours by_small_trees(const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context) {
  return neighbours_by_forest(points, options, seed, context, {6, 200});
}

struct Search {
  const char* name;
  ApproximateNeighbours (*find)(const Matrix&, const NeighbourOptions&, std::uint64_t, const Context&);
};
void PrintTo(const Search& search, std::ostream* out) { *out << search.name; }

class Recall : public testing::TestWithParam<Search> {};

TEST_P(Recall, OfCopiesIsThatOfTheirDistances) {
  constexpr std::int64_t n = 600;
  for (const Metric metric : {Metric::euclidean, Metric::cosine})
    for (const std::int64_t k : {5, 15, 40}) {
      // Thirty copies of each place: up to 29 neighbours at distance 0, then ties at that of the next place.
      const Matrix places = random_points(n / 30, 4, 31);
      Matrix points(n, 4);
      for (std::int64_t i = 0; i < n; ++i) points.row(i) = places.row(i % (n / 30));
      if (metric == Metric::cosine)
        for (std::int64_t i = 0; i < n; ++i) points.row(i) *= 1 + static_cast<double>(i / (n / 30));
      NeighbourOptions options;
      options.k = k;
      options.metric = metric;
      const auto found = GetParam().find(points, options, 0, Context());
      EXPECT_EQ(found.recall, 1) << k;
    }
}

// Against a count of its own: found distances up to that of the k-th neighbour, where no two distances are equal.
TEST_P(Recall, OfDifferentDistancesIsTheShareOfTheNearest) {
  constexpr std::int64_t n = 1500;
  const Matrix points = random_points(n, 60, 32);
  NeighbourOptions options;
  options.k = 150;
  const auto found = GetParam().find(points, options, 0, Context());
  double hits = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    std::vector<double> far;
    for (std::int64_t j = 0; j < n; ++j)
      if (j != i) far.push_back((points.row(i) - points.row(j)).norm());
    std::nth_element(far.begin(), far.begin() + 149, far.end());
    for (std::int64_t e = found.graph.begin[i]; e < found.graph.begin[i + 1]; ++e)
      hits += (points.row(i) - points.row(found.graph.column[e])).norm() <= far[149] * (1 + 1e-12);
  }
  const double recall = hits / (n * 150.0);
  ASSERT_LT(recall, 0.9999) << "too easy to tell anything";
  EXPECT_NEAR(found.recall, recall, 0.02);  // of 100 sampled rows
}

INSTANTIATE_TEST_SUITE_P(Searches, Recall, testing::Values(Search{"hnsw", neighbours_by_hnsw}, Search{"forest", by_small_trees}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace calor::engine
