#include "calor/kernels/stress.h"

#include <algorithm>
#include <vector>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

double stress_pulls(const SymmetricMatrix& delta, std::int64_t dims, const double* points, double* pulls, const Context& context) {
  const auto kernel = current_isa().symmetric().stress_row;
  const std::int64_t n = delta.size();
  const std::vector<std::int64_t> begin = triangle_pieces(n);
  const auto pieces = static_cast<std::int64_t>(begin.size()) - 1;
  std::vector<std::vector<double>> parts(static_cast<std::size_t>(pieces));
  std::vector<double> stress(parts.size(), 0.0);
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    parts[p].assign(static_cast<std::size_t>(n * dims), 0.0);
    for (std::int64_t i = begin[p]; i < begin[p + 1]; ++i) stress[p] += kernel(delta.row(i), i, dims, points, n, parts[p].data());
  });
  std::fill_n(pulls, n * dims, 0.0);
  double sum = 0;
  for (std::int64_t p = 0; p < pieces; ++p) {
    for (std::int64_t e = 0; e < n * dims; ++e) pulls[e] += parts[p][e];
    sum += stress[p];
  }
  return sum;
}

}  // namespace calor::kernels
