// Points in parts of near ones: a random projection tree whose leaves are the parts.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"

namespace calor::engine {

struct NearParts {
  std::vector<std::int32_t> order;     // all points, part by part
  std::vector<std::int64_t> begin{0};  // where in the order each part begins, and where the last one ends
};

// Cuts n points, at[..][dim], in two until no part has more than `most`: across the line between two centres, those of a few steps of 2-means on
// a random sample, where fewest of the middle half of the points lie (after Dasgupta & Freund 2008).  Another `tree` draws other samples, so that
// what one cuts apart another has together.  A part that is not all of them has a quarter of `most` or more.  O(n d log(n / most)) time, O(n)
// memory, one thread.
NearParts near_parts(const float* at, std::int64_t n, std::int64_t dim, std::int64_t most, std::uint64_t seed, std::uint32_t tree, const Context& context);

}  // namespace calor::engine
