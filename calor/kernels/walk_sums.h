// Sums of sparse rows for several results at once, one a lane: what a product of two sparse matrices is made of (Gustavson 1978), where
// rows that have much in common share the reading.
#pragma once

#include <cstdint>

namespace calor::kernels {

inline constexpr std::int64_t walk_lanes = 16;
inline constexpr std::int64_t quartet = 4;  // lanes where rows have less in common

// sums[column[e]][lane] += values[e] weights[lane] for the edges e = 0, 1, .. up to the first with column[e] >= end, at most `count`.
// Returns how many those were.  Sums and weights are aligned to 64 bytes; a product is rounded before the addition or not.
struct WalkSums {
  std::int64_t (*add_row)(const std::int32_t* column, const double* values, std::int64_t count, std::int32_t end, const double* weights, double* sums);
  // The same for four lanes, of all `count` edges; no column twice.  Sums and weights are aligned to 32 bytes.
  void (*add_quartet)(const std::uint16_t* column, const double* values, std::int64_t count, const double* weights, double* sums);
  // Lists the columns where the size of one of the four lanes' sums is at least `least` > 0.  Returns how many those are.
  std::int64_t (*reaching)(const double* sums, std::int64_t columns, double least, std::int32_t* listed);
  // A column of the product: sums[lane] = values[e] weights[row[e]][lane], added up as add_quartet adds them, to the same bits.
  void (*add_column)(const std::int32_t* row, const double* values, std::int64_t count, const double* weights, double* sums);
};

}  // namespace calor::kernels
