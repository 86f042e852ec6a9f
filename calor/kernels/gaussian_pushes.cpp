#include "calor/kernels/gaussian_pushes.h"

#include <algorithm>

#include "calor/core/threads.h"
#include "calor/kernels/descents.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

static constexpr std::int64_t rows_at_once = 32;

void gaussian_logs(std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, double* logs, const Context& context) {
  const auto kernel = current_isa().descents().gaussian_log;
  parallel_for((n + rows_at_once - 1) / rows_at_once, context.threads, [&](std::int64_t p) {
    for (std::int64_t i = p * rows_at_once; i < std::min(n, (p + 1) * rows_at_once); ++i) logs[i] = kernel(i, n, dims, points, stride);
  });
}

void gaussian_pushes(std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, const double* logs, const double* sums,
                     double* pushes, const Context& context) {
  const auto kernel = current_isa().descents().gaussian_push;
  std::fill_n(pushes, stride * dims, 0.0);
  parallel_for((n + rows_at_once - 1) / rows_at_once, context.threads, [&](std::int64_t p) {
    for (std::int64_t i = p * rows_at_once; i < std::min(n, (p + 1) * rows_at_once); ++i) kernel(i, n, dims, points, stride, logs, sums, pushes);
  });
}

}  // namespace calor::kernels
