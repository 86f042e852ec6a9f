#include "calor/kernels/metric_steps.h"

#include <algorithm>
#include <cmath>

#include "calor/core/random.h"
#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {
namespace {

// Calls put(r, j, sum) with the sum over the depth, started at start(r, j).
template <class Start, class Put>
void each_product(const BatchProduct& p, bool transposed, const Start& start, const Put& put) {
  for (std::int64_t r = 0; r < p.rows; ++r)
    for (std::int64_t j = 0; j < p.width; ++j) {
      float sum = start(r, j);
      for (std::int64_t k = 0; k < p.depth; ++k) sum += (transposed ? p.a[k * p.a_stride + r] : p.a[r * p.a_stride + k]) * p.b[k * p.b_stride + j];
      put(r, j, sum);
    }
}

void add_product(const BatchProduct& p) {
  const auto at = [&](std::int64_t r, std::int64_t j) -> float& { return p.c[r * p.c_stride + j]; };
  each_product(p, false, at, [&](std::int64_t r, std::int64_t j, float sum) { at(r, j) = sum; });
}

void rectified_product(const BatchProduct& p, const float* bias) {
  each_product(p, false, [&](std::int64_t r, std::int64_t) { return bias[r]; },
               [&](std::int64_t r, std::int64_t j, float sum) { p.c[r * p.c_stride + j] = std::max(sum, 0.0F); });
}

void gated_product(const BatchProduct& p, const float* gate) {
  each_product(p, true, [](std::int64_t, std::int64_t) { return 0.0F; },
               [&](std::int64_t r, std::int64_t j, float sum) { p.c[r * p.c_stride + j] = gate[r * p.c_stride + j] > 0 ? sum : 0; });
}

void inner_products(const float* a, std::int64_t a_stride, std::int64_t rows, const float* b, std::int64_t b_stride, std::int64_t columns,
                    std::int64_t width, float* c, std::int64_t c_row, std::int64_t c_column) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t s = 0; s < columns; ++s) {
      float sum = 0;
      for (std::int64_t j = 0; j < width; ++j) sum += a[r * a_stride + j] * b[s * b_stride + j];
      c[r * c_row + s * c_column] = sum;
    }
}

void affinities(const MutualPass& pass, std::int64_t first, std::int64_t rows, float* affinity, float* sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = first + r;
    sums[r] = 0;
    for (std::int64_t j = 0; j < pass.stride; ++j) {
      float product = 0;
      for (std::int64_t c = 0; c < pass.dim; ++c) product += pass.points[c * pass.stride + i] * pass.points[c * pass.stride + j];
      const float exponent = 2 * pass.temperature * product + (pass.norms[i] + pass.norms[j]);
      affinity[r * pass.stride + j] = i == j ? 0 : std::exp(std::min(exponent, 0.0F) + pass.shift);
      sums[r] += affinity[r * pass.stride + j];
    }
  }
}

void affinity_sums(const MutualPass& pass, const float* affinity, const float* one, const float* other, float* all, float* ranged) {
  for (std::int64_t i = 0; i < pass.count; ++i) {
    const float* row = affinity + i * pass.stride;
    all[i] = ranged[i] = 0;
    for (std::int64_t j = 0; j < pass.stride; ++j) all[i] += row[j] * one[j];
    for (std::int64_t j = pass.begin[i]; j < pass.end[i]; ++j) ranged[i] += row[j] * other[j];
  }
}

void pair_weights(const MutualPass& pass, const float* affinity, const PairWeights& by, std::int64_t first, std::int64_t rows, float* weights, float* sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = first + r;
    sums[r] = 0;
    for (std::int64_t j = 0; j < pass.stride; ++j) {
      float weight = by.first[i] * by.second[j] + by.second[i] * by.first[j] + by.own[i] + by.own[j];
      if (j >= pass.begin[i] && j < pass.end[i]) weight -= by.third[i] * by.fourth[j] + by.fourth[i] * by.third[j];
      weights[r * pass.stride + j] = affinity[i * pass.stride + j] * weight;
      sums[r] += weights[r * pass.stride + j];
    }
  }
}

void normals(std::uint64_t seed, std::uint32_t purpose, std::uint64_t index, std::uint64_t first, std::int64_t count, double* numbers) {
  Random random(seed, static_cast<Purpose>(purpose), index);
  random.seek(4 * first);
  for (std::int64_t i = 0; i < count; ++i) numbers[i] = random.normal();
}

}  // namespace

const MetricSteps* metric_steps() {
  static const MetricSteps table{add_product, rectified_product, gated_product, inner_products, affinities, affinity_sums, pair_weights, normals};
  return &table;
}

}  // namespace calor::kernels::scalar
