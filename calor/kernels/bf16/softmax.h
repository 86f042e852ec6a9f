// The part of a tile that is not a product: the online softmax and the score gradients, which leave pairs of bfloat16 behind.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "calor/kernels/bf16/pack.h"
#include "calor/kernels/tile_masks.h"

CALOR_BF16_BEGIN
namespace calor::kernels::bf16 {

// Rows of a tile of weights, in pairs, are so many words apart: off the power of two.
inline constexpr std::int64_t weight_stride = key_block / 2 + lanes, pair_stride = key_block + lanes;

// 2^x for x up to about 1, relative error below 1.1e-4, a twentieth of bfloat16's rounding; exactly 1 at 0 and exactly 0 for x <= -127, -infinity
// included.  As exp2 of highway/softmax-inl.h, with a polynomial of degree 3.
CALOR_BF16_INLINE __m512 exp2(__m512 x) {
  const __m512 shift = _mm512_set1_ps(12582912.0f);
  x = _mm512_max_ps(x, _mm512_set1_ps(-127.0f));
  const __m512 shifted = _mm512_add_ps(x, shift), r = _mm512_sub_ps(x, _mm512_sub_ps(shifted, shift));
  __m512 p = _mm512_set1_ps(5.50090578e-2f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.42210975e-1f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.93282898e-1f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), _mm512_slli_epi32(_mm512_castps_si512(shifted), 23)));
}

CALOR_BF16_INLINE __m512i rounded(__m512 low, __m512 high) { return (__m512i)_mm512_cvtne2ps_pbh(high, low); }

// A block of queries as its softmax grows: each row's largest score so far, and its weights' sum relative to that, lane by lane.
struct RowStates {
  float most[query_block];
  alignas(64) float sums[query_block * lanes];
  alignas(64) float tile_most[query_block * lanes];  // of the tile at hand

  CALOR_BF16_INLINE void clear(std::int64_t rows) {
    for (std::int64_t i = 0; i < rows; ++i) {
      most[i] = -std::numeric_limits<float>::infinity();
      _mm512_store_ps(sums + i * lanes, _mm512_setzero_ps());
    }
  }
};

CALOR_BF16_INLINE __m512 largest(const float* row, std::int64_t width) {
  __m512 a = _mm512_load_ps(row), b = _mm512_load_ps(row + lanes);
  for (std::int64_t j = panel; j < width; j += panel) {
    a = _mm512_max_ps(a, _mm512_load_ps(row + j));
    b = _mm512_max_ps(b, _mm512_load_ps(row + j + lanes));
  }
  return _mm512_max_ps(a, b);
}

// Forward: scores become weights relative to each row's running maximum, rounded for their product with the values; what has been
// summed so far is rescaled when the maximum moves.  changed: whether scores were hidden after their maxima were found.
CALOR_BF16_NOINLINE inline void absorb(const TilePlace& at, bool changed, const float* tile, RowStates& states, Word* weights, float* values, std::int64_t value_width,
                                       const HeadB* ahead) {
  for (std::int64_t i = 0; i < at.rows; ++i) {
    if (ahead && i < ahead->params().keys) fetch_row(ahead->k(i), ahead->params().dim);
    const float* row = tile + i * tile_stride;
    const float before = states.most[i];
    const float most = std::max(before, _mm512_reduce_max_ps(changed ? largest(row, at.width) : _mm512_load_ps(states.tile_most + i * lanes)));
    float* sums = states.sums + i * lanes;
    __m512 sum = _mm512_load_ps(sums);
    if (before == -std::numeric_limits<float>::infinity()) {
      states.most[i] = most;  // nothing is summed yet
    } else if (most != before) {
      const __m512 factor = _mm512_set1_ps(std::exp2(before - most));
      sum = _mm512_mul_ps(sum, factor);
      for (std::int64_t c = 0; c < value_width; c += lanes)
        _mm512_store_ps(values + i * value_width + c, _mm512_mul_ps(factor, _mm512_load_ps(values + i * value_width + c)));
      states.most[i] = most;
    }
    // A row that has seen nothing yet subtracts a finite number, so that its hidden scores stay hidden.
    const __m512 offset = _mm512_set1_ps(std::max(most, std::numeric_limits<float>::lowest()));
    Word* own = weights + i * weight_stride;
    __m512 other = _mm512_setzero_ps();
    for (std::int64_t j = 0; j < at.width; j += panel) {
      const __m512 x = exp2(_mm512_sub_ps(_mm512_load_ps(row + j), offset)), y = exp2(_mm512_sub_ps(_mm512_load_ps(row + j + lanes), offset));
      _mm512_store_si512(own + j / 2, rounded(x, y));
      sum = _mm512_add_ps(sum, x);
      other = _mm512_add_ps(other, y);
    }
    _mm512_store_ps(sums, _mm512_add_ps(sum, other));
  }
}

// What backward makes of a tile of scores and one of d_out.v: P and dS in pairs of rows [words(rows)][pair_stride], dS also in pairs of keys
// [rows][weight_stride].
struct TileGradients {
  Word *weight_pairs, *gradient_pairs, *gradient_rows;
};

// columns += column sums of dS.
CALOR_BF16_NOINLINE inline void differentiate(const TilePlace& at, const float* lse, const float* through_row, const float* scores, const float* products,
                                              const TileGradients& to, float* columns, const HeadB* ahead) {
  alignas(64) static constexpr std::uint16_t lower_half[32] = {0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47};
  const __m512i low = _mm512_load_si512(lower_half), high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
  for (std::int64_t i = 0; i < at.rows; i += 2) {
    if (ahead && i < ahead->params().keys) {
      fetch_row(ahead->k(i), ahead->params().dim);
      fetch_row(ahead->v(i), ahead->params().value_dim);
    }
    const bool both = i + 1 < at.rows;
    const float *s = scores + i * tile_stride, *g = products + i * tile_stride;
    const __m512 lse0 = _mm512_set1_ps(lse[i]), term0 = _mm512_set1_ps(through_row[i]);
    const __m512 lse1 = _mm512_set1_ps(both ? lse[i + 1] : 0.0f), term1 = _mm512_set1_ps(both ? through_row[i + 1] : 0.0f);
    Word *weights = to.weight_pairs + i / 2 * pair_stride, *gradients = to.gradient_pairs + i / 2 * pair_stride, *rows = to.gradient_rows + i * weight_stride;
    for (std::int64_t j = 0; j < at.width; j += panel) {
      __m512 w[2][2], d[2][2];
#pragma GCC unroll 2
      for (int n = 0; n < 2; ++n) {
        const std::int64_t c = j + n * lanes;
        w[0][n] = exp2(_mm512_sub_ps(_mm512_load_ps(s + c), lse0));
        d[0][n] = _mm512_mul_ps(w[0][n], _mm512_add_ps(_mm512_load_ps(g + c), term0));
        w[1][n] = d[1][n] = _mm512_setzero_ps();
        if (both) {
          w[1][n] = exp2(_mm512_sub_ps(_mm512_load_ps(s + tile_stride + c), lse1));
          d[1][n] = _mm512_mul_ps(w[1][n], _mm512_add_ps(_mm512_load_ps(g + tile_stride + c), term1));
        }
        _mm512_store_ps(columns + c, _mm512_add_ps(_mm512_load_ps(columns + c), _mm512_add_ps(d[0][n], d[1][n])));
      }
      const __m512i w0 = rounded(w[0][0], w[0][1]), w1 = rounded(w[1][0], w[1][1]), d0 = rounded(d[0][0], d[0][1]), d1 = rounded(d[1][0], d[1][1]);
      _mm512_store_si512(weights + j, _mm512_permutex2var_epi16(w0, low, w1));
      _mm512_store_si512(weights + j + lanes, _mm512_permutex2var_epi16(w0, high, w1));
      _mm512_store_si512(gradients + j, _mm512_permutex2var_epi16(d0, low, d1));
      _mm512_store_si512(gradients + j + lanes, _mm512_permutex2var_epi16(d0, high, d1));
      _mm512_store_si512(rows + j / 2, d0);
      if (both) _mm512_store_si512(rows + weight_stride + j / 2, d1);
    }
  }
}

}  // namespace calor::kernels::bf16
CALOR_BF16_END
