// What an instruction set provides for numbers over all pairs of points: shortest paths from several sources at once, a symmetric
// matrix times a block of vectors, a majorisation step of the stress, sums with Gaussian weights, and weights with one point left out.
// Plain functions on raw pointers; the headers named below bound their errors and give them their loops.
#pragma once

#include <cstdint>

namespace calor::kernels {

struct AllPairs {
  // paths.h: shortens reached[node][path_lanes] for each node of `order` over its edges until no edge shortens any.  `pending` (one a
  // node) must be 1 for the nodes of the order.
  void (*shorten_paths)(const std::int64_t* begin, const std::int32_t* column, const double* length, const std::int32_t* order,
                        std::int64_t count, double* reached, std::uint8_t* pending);

  // symmetric.h: y += A x for rows first..first+row_count of the lower triangle (row_count of 1 to 8, rows[r][c] for c <= first + r) and
  // their mirror images; x and y are [n][block_width].
  void (*symmetric_rows)(const double* const* rows, std::int64_t row_count, std::int64_t first, const double* x, double* y);

  // stress.h: point `row` against the points before it.
  double (*stress_row)(const double* distances, std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride,
                       double* pulls);

  // gaussian_sums.h: sums[0] = sum of w exp(rate |x - y|^2) over the `count` leaves listed, sums[1] = that of w exp(..) (h - own).
  void (*gaussian_row)(const double* x, std::int64_t dim, double rate, double own, const std::int32_t* leaves, std::int64_t count,
                       const double* coordinates, const double* weights, const double* values, double* sums);

  // left_out.h, in float and in double.
  double (*powers)(const float* offsets, float rate, const float* before, std::int64_t count, float* powers);
  double (*double_powers)(const double* offsets, double rate, const double* before, std::int64_t count, double* powers);
  void (*weigh_left_out)(const float* powers, const float* thin, float share, const float* counts, std::int64_t count, double* all,
                         double* own);
  void (*double_weigh_left_out)(const double* powers, const double* thin, double share, const double* counts, std::int64_t count,
                                double* all, double* own);
};

}  // namespace calor::kernels
