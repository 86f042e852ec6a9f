// Rungs 1 and 2: no vectors but those that the compiler finds, exponentials of the C library.
#if defined(CALOR_BENCH_LADDER_PLAIN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_BENCH_LADDER_PLAIN_INL_H_
#undef CALOR_BENCH_LADDER_PLAIN_INL_H_
#else
#define CALOR_BENCH_LADDER_PLAIN_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "bench/ladder/rungs.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::bench::ladder {
namespace HWY_NAMESPACE {

// A matrix in memory, or its transpose.
struct Matrix {
  const float* at;
  std::int64_t row, column;  // how far apart
  float operator()(std::int64_t i, std::int64_t j) const { return at[i * row + j * column]; }
  Matrix transposed() const { return {at, column, row}; }
};

inline Matrix matrix(const float* at, std::int64_t width) { return {at, width, 1}; }

// c = factor a b.
HWY_NOINLINE void multiply(const Matrix a, const Matrix b, std::int64_t rows, std::int64_t columns, std::int64_t depth, float factor, float* c) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      float sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) sum += a(i, k) * b(k, j);
      c[i * columns + j] = factor * sum;
    }
}

inline float dot(const float* a, const float* b) {
  float sum = 0;
  for (std::int64_t c = 0; c < dim; ++c) sum += a[c] * b[c];
  return sum;
}

// A row of scores becomes one of weights.
HWY_NOINLINE void softmax(float* row, std::int64_t count) {
  const float most = *std::max_element(row, row + count);
  float sum = 0;
  for (std::int64_t j = 0; j < count; ++j) sum += row[j] = std::exp(row[j] - most);
  for (std::int64_t j = 0; j < count; ++j) row[j] /= sum;
}

// A row of the weights' gradients becomes one of the scores'.
HWY_NOINLINE void softmax_gradient(const float* weights, float common, float* gradients, std::int64_t count) {
  for (std::int64_t j = 0; j < count; ++j) gradients[j] = weights[j] * (gradients[j] - common);
}

// d_out . out of each row, which the softmax's gradient subtracts.
HWY_NOINLINE void common_terms(const Head& h, float* common) {
  for (std::int64_t i = 0; i < h.rows; ++i) common[i] = dot(h.d_out + i * dim, h.out + i * dim);
}

// Rung 1.  The formulas as they stand: all scores in memory, three loops a product.
inline void naive(const Head& h, bool backward, Scratch& scratch) {
  const std::int64_t n = h.rows;
  const Matrix q = matrix(h.q, dim), k = matrix(h.k, dim), v = matrix(h.v, dim), d_out = matrix(h.d_out, dim);
  float* p = scratch.take(n * n);
  multiply(q, k.transposed(), n, n, dim, h.scale, p);
  for (std::int64_t i = 0; i < n; ++i) softmax(p + i * n, n);
  const Matrix weights = matrix(p, n);
  multiply(weights, v, n, dim, n, 1, h.out);
  if (!backward) return;

  float *g = scratch.take(n * n), *common = scratch.take(n);
  common_terms(h, common);
  multiply(d_out, v.transposed(), n, n, dim, 1, g);
  for (std::int64_t i = 0; i < n; ++i) softmax_gradient(p + i * n, common[i], g + i * n, n);
  const Matrix gradients = matrix(g, n);
  multiply(weights.transposed(), d_out, n, dim, n, 1, h.d_v);
  multiply(gradients, k, n, dim, n, h.scale, h.d_q);
  multiply(gradients.transposed(), q, n, dim, n, h.scale, h.d_k);
}

// The products of a tile of key_block columns, its rows `apart` numbers apart, with its inner loops along memory.
struct PlainProducts {
  static constexpr std::int64_t stride = key_block;

  static const float* columns(const float* keys, std::int64_t, Scratch&) { return keys; }  // as they are

  // tile[i][j] = a_i . b_j
  static HWY_NOINLINE void scores(const float* a, std::int64_t rows, const float* b, float* HWY_RESTRICT tile, std::int64_t apart = stride) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < key_block; ++j) tile[i * apart + j] = dot(a + i * dim, b + j * dim);
  }

  // to_i += sum_j tile[i][j] from_j
  static HWY_NOINLINE void add_rows(const float* tile, std::int64_t rows, const float* from, float* HWY_RESTRICT to, std::int64_t apart = stride) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < key_block; ++j)
        for (std::int64_t c = 0; c < dim; ++c) to[i * dim + c] += tile[i * apart + j] * from[j * dim + c];
  }

  // to_j += sum_i tile[i][j] from_i
  static HWY_NOINLINE void add_columns(const float* tile, std::int64_t rows, const float* from, float* HWY_RESTRICT to, std::int64_t apart = stride) {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < key_block; ++j)
        for (std::int64_t c = 0; c < dim; ++c) to[j * dim + c] += tile[i * apart + j] * from[i * dim + c];
  }
};

inline void scale_all(float factor, std::int64_t count, float* x) {
  for (std::int64_t n = 0; n < count; ++n) x[n] *= factor;
}

// Rung 2.  Tiles whose queries, keys and values stay in cache.  A row's weights need all of its scores first, so that a band of them is kept, and for
// the gradients all bands.
inline void tiled(const Head& h, bool backward, Scratch& scratch) {
  using Products = PlainProducts;
  const std::int64_t n = h.rows;
  float* weights = scratch.take(backward ? n * n : query_block * n);
  std::fill_n(h.out, n * dim, 0.0f);
  for (std::int64_t i = 0; i < n; i += query_block) {
    const std::int64_t rows = std::min(query_block, n - i);
    float* band = weights + (backward ? i * n : 0);
    for (std::int64_t j = 0; j < n; j += key_block) Products::scores(h.q + i * dim, rows, h.k + j * dim, band + j, n);
    for (std::int64_t r = 0; r < rows; ++r) {
      scale_all(h.scale, n, band + r * n);
      softmax(band + r * n, n);
    }
    for (std::int64_t j = 0; j < n; j += key_block) Products::add_rows(band + j, rows, h.v + j * dim, h.out + i * dim, n);
  }
  if (!backward) return;

  float *gradients = scratch.take(query_block * key_block), *common = scratch.take(n);
  common_terms(h, common);
  for (float* zero : {h.d_q, h.d_k, h.d_v}) std::fill_n(zero, n * dim, 0.0f);
  for (std::int64_t j = 0; j < n; j += key_block)
    for (std::int64_t i = 0; i < n; i += query_block) {
      const std::int64_t rows = std::min(query_block, n - i);
      const float* tile = weights + i * n + j;
      Products::scores(h.d_out + i * dim, rows, h.v + j * dim, gradients);
      for (std::int64_t r = 0; r < rows; ++r) softmax_gradient(tile + r * n, common[i + r], gradients + r * key_block, key_block);
      Products::add_columns(tile, rows, h.d_out + i * dim, h.d_v + j * dim, n);
      Products::add_columns(gradients, rows, h.q + i * dim, h.d_k + j * dim);
      Products::add_rows(gradients, rows, h.k + j * dim, h.d_q + i * dim);
    }
  scale_all(h.scale, n * dim, h.d_q);
  scale_all(h.scale, n * dim, h.d_k);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::bench::ladder
HWY_AFTER_NAMESPACE();

#endif
