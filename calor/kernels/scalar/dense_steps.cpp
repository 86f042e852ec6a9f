#include "calor/kernels/dense_steps.h"

#include <cmath>

#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {

static void multiply(const DenseProduct& p) {
  for (std::int64_t r = 0; r < p.rows; ++r)
    for (std::int64_t j = 0; j < p.width; ++j) {
      float sum = 0;
      for (std::int64_t k = 0; k < p.depth; ++k) sum += p.a[r * p.a_stride + k] * p.b[k * p.width + j];
      p.c[r * p.width + j] = sum;
    }
}

static void add_transposed(const DenseProduct& p) {
  for (std::int64_t r = 0; r < p.rows; ++r)
    for (std::int64_t j = 0; j < p.width; ++j) {
      float sum = 0;
      for (std::int64_t k = 0; k < p.depth; ++k) sum += p.a[k * p.a_stride + r] * p.b[k * p.width + j];
      p.c[r * p.width + j] += sum;
    }
}

static void finish(const float* from, const float* bias, const float* added, std::int64_t count, Activation activation, float* to) {
  for (std::int64_t c = 0; c < count; ++c) {
    const float sum = from[c] + (bias ? bias[c] : 0.0F);
    to[c] = (activation == Activation::tanh ? std::tanh(sum) : sum) + (added ? added[c] : 0.0F);
  }
}

static void through_tanh(const float* y, const float* d_y, std::int64_t count, float* d) {
  for (std::int64_t c = 0; c < count; ++c) d[c] = d_y[c] * (1 - y[c] * y[c]);
}

static void add(const float* from, std::int64_t count, float* to) {
  for (std::int64_t c = 0; c < count; ++c) to[c] += from[c];
}

const DenseSteps* dense_steps() {
  static const DenseSteps table{multiply, add_transposed, finish, through_tanh, add};
  return &table;
}

}  // namespace calor::kernels::scalar
