// Sums of sparse rows for several results at once, one a lane: what a product of two sparse matrices is made of (Gustavson 1978), where
// rows that have much in common share the reading.
#pragma once

#include <cstdint>

namespace calor::kernels {

inline constexpr std::int64_t walk_lanes = 16;

// sums[column[e]][lane] += values[e] weights[lane] for the edges e = 0, 1, .. up to the first with column[e] >= end, at most `count`.
// Returns how many those were.  Sums and weights are aligned to 64 bytes; a product is rounded before the addition or not.
struct WalkSums {
  std::int64_t (*add_row)(const std::int32_t* column, const double* values, std::int64_t count, std::int32_t end, const double* weights, double* sums);
};

}  // namespace calor::kernels
