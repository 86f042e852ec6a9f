#include "calor/kernels/scalar/all_pairs.h"

#include <algorithm>
#include <cmath>

#include "calor/kernels/gaussian_sums.h"
#include "calor/kernels/left_out.h"
#include "calor/kernels/paths.h"
#include "calor/kernels/symmetric.h"

namespace calor::kernels::scalar {

static void shorten_paths(const std::int64_t* begin, const std::int32_t* column, const double* length, const std::int32_t* order,
                          std::int64_t count, double* reached, std::uint8_t* pending) {
  for (bool shortened = true; shortened;) {
    shortened = false;
    for (std::int64_t n = 0; n < count; ++n) {
      const std::int64_t node = order[n];
      if (!pending[node]) continue;
      pending[node] = 0;
      double* own = reached + node * path_lanes;
      bool any = false;
      for (std::int64_t e = begin[node]; e < begin[node + 1]; ++e)
        for (std::int64_t lane = 0; lane < path_lanes; ++lane)
          if (const double through = reached[column[e] * path_lanes + lane] + length[e]; through < own[lane]) {
            own[lane] = through;
            any = true;
          }
      if (!any) continue;
      shortened = true;
      for (std::int64_t e = begin[node]; e < begin[node + 1]; ++e) pending[column[e]] = 1;
    }
  }
}

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

const AllPairs* all_pairs() {
  static const AllPairs table{shorten_paths, symmetric_rows, stress_row, gaussian_row, powers<float>, powers<double>,
                              weigh_left_out<float>, weigh_left_out<double>};
  return &table;
}

}  // namespace calor::kernels::scalar
