// The repulsion of SNE's map: rows of Gaussian weights over all pairs, each adding up to 1.
#pragma once

#include <cstdint>

#include "calor/core/progress.h"

namespace calor::kernels {

// logs[i] = log sum_{j != i} exp(-|y_i - y_j|^2), relative to the nearest so that no row underflows.  Points are [dims][stride] as
// student_sums.h has them; what lies beyond n is not read into a sum.  O(n^2 dims); the same bits for any number of threads.
void gaussian_logs(std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, double* logs, const Context& context);

// pushes_i = sum_j (r_i q_j|i + r_j q_i|j) (y_i - y_j), q_j|i = exp(-|y_i - y_j|^2 - logs[i]), r the rows' sums in the given similarity.
void gaussian_pushes(std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, const double* logs, const double* sums,
                     double* pushes, const Context& context);

}  // namespace calor::kernels
