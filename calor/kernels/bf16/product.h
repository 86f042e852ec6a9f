// Matrix products in registers, of pairs of bfloat16: C = A B with A broadcast word by word and B read in whole vectors, summed in
// float.  As highway/product-inl.h, which does the same for floats; a word holds two numbers that follow each other in the sum.
#pragma once

#include <cstdint>

#include "calor/kernels/bf16/target.h"
#include "calor/kernels/tiles.h"

CALOR_BF16_BEGIN
namespace calor::kernels::bf16 {

using Word = std::uint32_t;
inline constexpr std::int64_t lanes = 16, panel = 2 * lanes;
inline constexpr int accumulators = 24;

// How A is stored: word (row r, step k) at a[r * stride + k], or, transposed, at a[k * stride + r].
enum class Order { rows, columns };

CALOR_BF16_INLINE __m512 add_product(__m512 sum, __m512i a, __m512i b) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }

template <Order order, int rows, int vectors>
CALOR_BF16_INLINE void multiply(const Word* __restrict a, std::int64_t stride, const Word* __restrict b, std::int64_t width, std::int64_t depth,
                                __m512 (&sums)[rows][vectors]) {
  for (std::int64_t k = 0; k < depth; ++k) {
    __m512i line[vectors];
#pragma GCC unroll 4
    for (int n = 0; n < vectors; ++n) line[n] = _mm512_load_si512(b + k * width + n * lanes);
#pragma GCC unroll 12
    for (int r = 0; r < rows; ++r) {
      const __m512i factor = _mm512_set1_epi32(static_cast<int>(order == Order::rows ? a[r * stride + k] : a[k * stride + r]));
#pragma GCC unroll 4
      for (int n = 0; n < vectors; ++n) sums[r][n] = add_product(sums[r][n], line[n], factor);
    }
  }
}

// Calls kernel.run<rows>(first row) until all are done: as many full groups as go, then halves of them.
template <int full, class Kernel>
CALOR_BF16_INLINE void for_row_groups(std::int64_t rows, const Kernel& kernel, std::int64_t r = 0) {
  for (; r + full <= rows; r += full) kernel.template run<full>(r);
  if constexpr (full > 1) for_row_groups<full / 2>(rows, kernel, r);
}

// C [rows][width] += A B, B [depth][width] words and C in rows of `width` numbers, a whole number of vectors.
struct Factors {
  const Word* a;
  std::int64_t a_stride;
  const Word* b;
  std::int64_t width, rows, depth;
  float* c;
};

template <Order order, int vectors>
struct AddingColumns {
  const Factors& p;
  std::int64_t column;

  template <int rows>
  CALOR_BF16_INLINE void run(std::int64_t r) const {
    __m512 sums[rows][vectors];
    float* __restrict c = p.c + r * p.width + column;
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
      for (int n = 0; n < vectors; ++n) sums[i][n] = _mm512_setzero_ps();
    multiply<order>(order == Order::rows ? p.a + r * p.a_stride : p.a + r, p.a_stride, p.b + column, p.width, p.depth, sums);
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
      for (int n = 0; n < vectors; ++n) _mm512_store_ps(c + i * p.width + n * lanes, _mm512_add_ps(_mm512_load_ps(c + i * p.width + n * lanes), sums[i][n]));
  }
};

template <Order order, int vectors>
CALOR_BF16_NOINLINE void add_columns(const Factors& p, std::int64_t column) {
  constexpr int full = accumulators / vectors < 12 ? accumulators / vectors : 12;
  for_row_groups<full>(p.rows, AddingColumns<order, vectors>{p, column});
}

// Four vectors of columns at a time; what remains after the last four is split evenly.
template <Order order>
CALOR_BF16_INLINE void add_matrix_product(const Factors& p) {
  for (std::int64_t left = p.width / lanes, column = 0; left > 0;) {
    const std::int64_t vectors = left >= 8 || left <= 4 ? (left < 4 ? left : 4) : (left + 1) / 2;
    if (vectors == 4) add_columns<order, 4>(p, column);
    if (vectors == 3) add_columns<order, 3>(p, column);
    if (vectors == 2) add_columns<order, 2>(p, column);
    if (vectors == 1) add_columns<order, 1>(p, column);
    column += vectors * lanes;
    left -= vectors;
  }
}

// One panel of a tile, tile_stride numbers a row, from rows of `depth` words and columns [depth][panel].
struct Panel {
  const Word* a;
  const Word* columns;
  std::int64_t depth;
  float* c;

  template <int rows>
  CALOR_BF16_INLINE void products(std::int64_t r, __m512 (&sums)[rows][2]) const {
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) sums[i][0] = sums[i][1] = _mm512_setzero_ps();
    multiply<Order::rows>(a + r * depth, depth, columns, panel, depth, sums);
  }

  template <int rows>
  CALOR_BF16_INLINE void run(std::int64_t r) const {
    __m512 sums[rows][2];
    products(r, sums);
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
      _mm512_store_ps(c + (r + i) * tile_stride, sums[i][0]);
      _mm512_store_ps(c + (r + i) * tile_stride + lanes, sums[i][1]);
    }
  }
};

// A panel of scores, fold * product + bias, and the largest of each row lane by lane: most [rows][lanes].
struct ScorePanel {
  Panel of;
  float fold;
  const float* bias;
  float* most;

  template <int rows>
  CALOR_BF16_INLINE void run(std::int64_t r) const {
    __m512 sums[rows][2];
    of.products(r, sums);
    const __m512 factor = _mm512_set1_ps(fold), bias0 = _mm512_load_ps(bias), bias1 = _mm512_load_ps(bias + lanes);
#pragma GCC unroll 12
    for (int i = 0; i < rows; ++i) {
      const __m512 x = _mm512_fmadd_ps(sums[i][0], factor, bias0), y = _mm512_fmadd_ps(sums[i][1], factor, bias1);
      float* own = most + (r + i) * lanes;
      _mm512_store_ps(of.c + (r + i) * tile_stride, x);
      _mm512_store_ps(of.c + (r + i) * tile_stride + lanes, y);
      _mm512_store_ps(own, _mm512_max_ps(_mm512_load_ps(own), _mm512_max_ps(x, y)));
    }
  }
};

// tile = fold * (rows of a) (columns) + bias over whole panels, and each row's largest by lanes, which begin at minus infinity.
CALOR_BF16_NOINLINE inline void score_tile(const Word* a, const Word* columns, std::int64_t panels, std::int64_t rows, std::int64_t depth, float fold,
                                           const float* bias, float* tile, float* most) {
  for (std::int64_t i = 0; i < rows; ++i) _mm512_store_ps(most + i * lanes, _mm512_set1_ps(-__builtin_inff()));
  for (std::int64_t p = 0; p < panels; ++p)
    for_row_groups<accumulators / 2>(rows, ScorePanel{{a, columns + p * depth * panel, depth, tile + p * panel}, fold, bias + p * panel, most});
}

CALOR_BF16_NOINLINE inline void product_tile(const Word* a, const Word* columns, std::int64_t panels, std::int64_t rows, std::int64_t depth, float* tile) {
  for (std::int64_t p = 0; p < panels; ++p)
    for_row_groups<accumulators / 2>(rows, Panel{a, columns + p * depth * panel, depth, tile + p * panel});
}

}  // namespace calor::kernels::bf16
CALOR_BF16_END
