// Approximate nearest neighbours for when N^2 is too much: a hierarchy of navigable graphs.
#pragma once

#include <cstdint>

#include "calor/core/progress.h"
#include "calor/engine/recall.h"

namespace calor::engine {

// The k nearest others of every point but for some misses (Malkov & Yashunin 2020, hnswlib with M = 16, 200 candidates); about
// O(N log N d) time and 4 N (d + 48) bytes.  The index is built by one thread in the order of the rows and searched by all, and
// candidates are ordered by distances in double precision, so the same seed gives the same graph for any number of threads.
// Euclidean or cosine.  Throws Fault::memory.
ApproximateNeighbours neighbours_by_hnsw(const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context);

}  // namespace calor::engine
