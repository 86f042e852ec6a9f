// What an instruction set provides for descents of low-dimensional points: forces over all pairs and Fourier transforms.
// Plain functions on raw pointers; the headers named below bound their errors and give them their loops.
#pragma once

#include <cstdint>

#include "calor/kernels/rational_moves.h"

namespace calor::kernels {

struct Descents {
  // student_sums.h: point `row` against the points before it.
  double (*student_row)(std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride, double freedom, double* pushes);

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
