#include "calor/kernels/symmetric.h"

#include <algorithm>
#include <cmath>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

static constexpr std::int64_t rows_at_once = 8;

std::vector<std::int64_t> triangle_pieces(std::int64_t n) {
  constexpr std::int64_t least = 256;  // rows: below, a piece is not worth its own sums
  const std::int64_t pieces = std::clamp<std::int64_t>(n / least, 1, 16);
  std::vector<std::int64_t> begin{0};
  for (std::int64_t p = 1; p < pieces; ++p) {
    const double area = static_cast<double>(p) / static_cast<double>(pieces);
    const auto at = static_cast<std::int64_t>(static_cast<double>(n) * std::sqrt(area));
    begin.push_back(at / rows_at_once * rows_at_once);
  }
  begin.push_back(n);
  return begin;
}

void symmetric_product(std::int64_t n, const std::function<const double*(std::int64_t)>& row, const double* x, double* y,
                       const Context& context) {
  const auto kernel = current_isa().symmetric().symmetric_rows;
  const std::vector<std::int64_t> begin = triangle_pieces(n);
  const auto pieces = static_cast<std::int64_t>(begin.size()) - 1;
  std::vector<std::vector<double>> parts(static_cast<std::size_t>(pieces));
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    std::vector<double>& part = parts[p];
    part.assign(static_cast<std::size_t>(begin[p + 1] * block_width), 0.0);
    for (std::int64_t i = begin[p]; i < begin[p + 1]; i += rows_at_once) {
      const std::int64_t count = std::min(rows_at_once, begin[p + 1] - i);
      const double* rows[rows_at_once] = {};
      for (std::int64_t r = 0; r < count; ++r) rows[r] = row(i + r);
      kernel(rows, count, i, x, part.data());
    }
  });
  std::fill_n(y, n * block_width, 0.0);
  for (std::int64_t p = 0; p < pieces; ++p)
    for (std::int64_t e = 0; e < begin[p + 1] * block_width; ++e) y[e] += parts[p][e];
}

}  // namespace calor::kernels
