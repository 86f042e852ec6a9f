// How many of the nearest an approximate search has found.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/neighbours.h"

namespace calor::engine {

struct ApproximateNeighbours {
  Csr graph;
  double recall = 0;         // share of the exact neighbours' distances that those found have, on `sampled` rows
  std::int64_t sampled = 0;
};

// With the recall of the graph of a search among points and themselves, on 100 random rows (all, where there are fewer), which are searched exactly:
// O(100 n d) time at most.
ApproximateNeighbours with_recall(Csr graph, const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context);

// The neighbours of one row of points, by computing all its distances in double; ascending.
std::vector<std::int32_t> neighbours_of_row(const Matrix& points, std::int64_t row, const NeighbourOptions& options);

}  // namespace calor::engine
