#include "calor/kernels/student_sums.h"

#include <algorithm>
#include <vector>

#include "calor/core/threads.h"
#include "calor/kernels/descents.h"
#include "calor/kernels/isa.h"
#include "calor/kernels/symmetric.h"

namespace calor::kernels {

double student_sums(std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, double freedom, double* pushes,
                    const Context& context) {
  const auto kernel = current_isa().descents().student_row;
  const std::vector<std::int64_t> begin = triangle_pieces(n);
  const auto pieces = static_cast<std::int64_t>(begin.size()) - 1;
  std::vector<std::vector<double>> parts(static_cast<std::size_t>(pieces));
  std::vector<double> sums(parts.size(), 0.0);
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    parts[p].assign(static_cast<std::size_t>(stride * dims), 0.0);
    for (std::int64_t i = begin[p]; i < begin[p + 1]; ++i) sums[p] += kernel(i, dims, points, stride, freedom, parts[p].data());
  });
  std::fill_n(pushes, stride * dims, 0.0);
  double sum = 0;
  for (std::int64_t p = 0; p < pieces; ++p) {
    for (std::int64_t e = 0; e < stride * dims; ++e) pushes[e] += parts[p][e];
    sum += sums[p];
  }
  return 2 * sum;
}

}  // namespace calor::kernels
