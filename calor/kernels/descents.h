// What an instruction set provides for descents of low-dimensional points: forces over all pairs and Fourier transforms.
// Plain functions on raw pointers; the headers named below bound their errors and give them their loops.
#pragma once

#include <cstdint>

#include "calor/kernels/rational_moves.h"

namespace calor::kernels {

struct Descents {
  // student_sums.h: point `row` against the points before it.
  double (*student_row)(std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride, double freedom, double* pushes);

  // pull = sum over `count` edges of p (y - other) / (1 + share |y - other|^2) in two dimensions, others being the points [..][2] at `columns`.  In
  // floats: within 1e-6 of the sum of magnitudes, beside the rounding of the points' own differences.
  void (*student_pull)(const float* points, const float* y, const std::int32_t* columns, const float* p, std::int64_t count, float share, double* pull);

  // gaussian_pushes.h: row i.
  double (*gaussian_log)(std::int64_t row, std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride);
  void (*gaussian_push)(std::int64_t row, std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, const double* logs,
                        const double* sums, double* pushes);

  // fft.h: one pass of `radix` over `groups` * `radix` * `span` elements of fft_lanes floats.
  void (*fft_pass)(int radix, std::int64_t groups, std::int64_t span, const float* turns, const float* re, const float* im, float* re_out,
                   float* im_out);

  // rational_moves.h.
  void (*rational_moves)(const RationalMoves& moves, const MovingPoints& moving);
};

}  // namespace calor::kernels
