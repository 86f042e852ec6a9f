#include "calor/kernels/symmetric.h"

#include <cmath>

#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {

static void symmetric_rows(const double* const* rows, std::int64_t row_count, std::int64_t first, const double* x, double* y) {
  for (std::int64_t r = 0; r < row_count; ++r)
    for (std::int64_t c = 0; c <= first + r; ++c)
      for (std::int64_t n = 0; n < block_width; ++n) {
        y[(first + r) * block_width + n] += rows[r][c] * x[c * block_width + n];
        if (c < first + r) y[c * block_width + n] += rows[r][c] * x[(first + r) * block_width + n];
      }
}

static double stress_row(const double* distances, std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride,
                         double* pulls) {
  double stress = 0;
  for (std::int64_t j = 0; j < row; ++j) {
    double square = 0;
    for (std::int64_t c = 0; c < dims; ++c) square += std::pow(points[c * stride + row] - points[c * stride + j], 2);
    const double distance = std::sqrt(square);
    stress += (distance - distances[j]) * (distance - distances[j]);
    if (distance == 0) continue;
    for (std::int64_t c = 0; c < dims; ++c) {
      const double pull = distances[j] / distance * (points[c * stride + row] - points[c * stride + j]);
      pulls[c * stride + row] += pull;
      pulls[c * stride + j] -= pull;
    }
  }
  return stress;
}

const Symmetric* symmetric() {
  static const Symmetric table{symmetric_rows, stress_row};
  return &table;
}

}  // namespace calor::kernels::scalar
