// Guttman's transform over all pairs: what each point is pulled by, and the stress.
#pragma once

#include <cstdint>

#include "calor/core/progress.h"
#include "calor/kernels/symmetric.h"

namespace calor::kernels {

// pulls_i = sum_j (delta_ij / |y_i - y_j|) (y_i - y_j), coinciding points pulling each other nowhere; points and pulls are [dims][n].
// Returns sum_{i<j} (|y_i - y_j| - delta_ij)^2.  The same bits for any number of threads.  O(n^2 dims).
double stress_pulls(const SymmetricMatrix& delta, std::int64_t dims, const double* points, double* pulls, const Context& context);

}  // namespace calor::kernels
