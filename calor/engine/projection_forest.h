// Approximate nearest neighbours of many points: what lies together in one of several random partitions, then neighbours of neighbours.
#pragma once

#include <cstdint>

#include "calor/core/progress.h"
#include "calor/engine/recall.h"

namespace calor::engine {

struct ForestSize {
  std::int64_t trees = 24;
  std::int64_t part = 2048;  // most points of a part, 8 k where that is more
};

// The k nearest others of every point but for some misses.  Each of a few random projection trees (near_parts.h) cuts the points into parts, within
// which neighbours are found exactly; then a point looks at the neighbours of its nearest neighbours, and of those that have it among theirs,
// until hardly any come nearer (Tang et al. 2016, "Visualizing large-scale and high-dimensional data"; Dong et al. 2011, NN-descent).  Up to a part's
// points the answer is exact.  Candidates are screened by float products and ordered by distances in double precision, in rounds that
// read the lists of the round before: the same seed gives the same graph for any number of threads.
// About O(N (trees part + k) d) time and N (4 d + 17 k + 4 trees + 220) bytes, 8 N d more for cosines.  Euclidean or cosine.  Throws Fault::memory.
ApproximateNeighbours neighbours_by_forest(const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context,
                                          const ForestSize& size = {});

}  // namespace calor::engine
