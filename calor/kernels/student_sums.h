// The repulsion of t-SNE's map over all pairs: sums with the heavy-tailed weight w = (1 + d^2 / a)^-a.
#pragma once

#include <cstdint>

#include "calor/core/progress.h"

namespace calor::kernels {

// pushes_i = sum_{j != i} w_ij b_ij (y_i - y_j), b = 1 / (1 + d^2 / a), a > 0 the freedom: 1 gives Student's t with one degree of freedom,
// w = b.  Points and pushes are [dims][stride], stride a multiple of point_lanes and at least n; what lies beyond n is neither read into a
// sum nor left other than 0.  Returns sum_{i != j} w_ij.  Each pair once; sums of n terms in double; the same bits for any number of threads.
// O(n^2 dims) time, 16 n dims numbers of memory.  Kobak, Linderman, Steinerberger, Kluger & Berens 2019, eq. 5.
double student_sums(std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, double freedom, double* pushes,
                    const Context& context);

inline constexpr std::int64_t point_lanes = 8;
inline std::int64_t padded(std::int64_t n) { return (n + point_lanes - 1) / point_lanes * point_lanes; }

}  // namespace calor::kernels
