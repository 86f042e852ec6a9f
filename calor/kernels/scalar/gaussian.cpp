#include <algorithm>
#include <cmath>

#include "calor/kernels/gaussian_sums.h"
#include "calor/kernels/left_out.h"
#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {

static void gaussian_row(const double* x, std::int64_t dim, double rate, double own, const std::int32_t* leaves, std::int64_t count,
                         const double* coordinates, const double* weights, const double* values, double* sums) {
  constexpr std::int64_t size = GaussianSums::leaf_size;
  sums[0] = sums[1] = 0;
  for (std::int64_t n = 0; n < count; ++n)
    for (std::int64_t j = 0; j < size; ++j) {
      double square = 0;
      for (std::int64_t c = 0; c < dim; ++c) square += std::pow(coordinates[(leaves[n] * dim + c) * size + j] - x[c], 2);
      const double weight = weights[leaves[n] * size + j] * std::exp(rate * square);
      sums[0] += weight;
      sums[1] += weight * (values[leaves[n] * size + j] - own);
    }
}

template <class T>
static double powers(const T* offsets, T rate, const T* before, std::int64_t count, T* powers) {
  double sum = 0;
  for (std::int64_t j = 0; j < count; ++j) sum += powers[j] = before ? before[j] * before[j] : std::exp(rate * offsets[j]);
  return sum;
}

template <class T>
static void weigh_left_out(const T* powers, const T* thin, T share, const T* counts, std::int64_t count, double* all, double* own) {
  std::fill_n(all, density_exponents, 0.0);
  std::fill_n(own, density_exponents, 0.0);
  for (std::int64_t j = 0; j < count; ++j) {
    const double square = static_cast<double>(thin[j]) * thin[j], kept = 1 - static_cast<double>(share) * powers[j] * square * square;
    double weight = powers[j];
    for (int k = 0; k < density_exponents; ++k, weight *= thin[j] / std::sqrt(std::sqrt(kept))) {
      all[k] += weight;
      own[k] += weight * counts[j];
    }
  }
}

const Gaussian* gaussian() {
  static const Gaussian table{gaussian_row, powers<float>, powers<double>, weigh_left_out<float>, weigh_left_out<double>};
  return &table;
}

}  // namespace calor::kernels::scalar
