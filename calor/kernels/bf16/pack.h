// From strided rows of bfloat16 to the pairs that the products read (tiles.h says how they lie).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numbers>

#include "calor/kernels/bf16/product.h"
#include "calor/kernels/key_bias.h"
#include "calor/kernels/pairwise.h"

CALOR_BF16_BEGIN
namespace calor::kernels::bf16 {

using HeadB = Head<Bf16>;
using Keys = KeySideOf<Bf16>;
using Queries = QuerySideOf<Bf16>;

inline constexpr std::int64_t words(std::int64_t n) { return Packing<Bf16>::words(n); }

CALOR_BF16_INLINE __mmask16 first_16(std::int64_t count) { return static_cast<__mmask16>(count >= 16 ? 0xffffu : (1u << std::max<std::int64_t>(count, 0)) - 1u); }
CALOR_BF16_INLINE __mmask32 first_32(std::int64_t count) { return static_cast<__mmask32>(count >= 32 ? ~0u : (1u << std::max<std::int64_t>(count, 0)) - 1u); }

// Sixteen numbers in words of their own; those past count are 0.
CALOR_BF16_INLINE __m512i load_16(const Bf16* from, std::int64_t count) { return _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(first_16(count), from)); }
CALOR_BF16_INLINE __m512 as_floats(__m512i numbers) { return _mm512_castsi512_ps(_mm512_slli_epi32(numbers, 16)); }
CALOR_BF16_INLINE void store_16(__m512 numbers, Bf16* to, std::int64_t count) { _mm256_mask_storeu_epi16(to, first_16(count), (__m256i)_mm512_cvtneps_pbh(numbers)); }

// For the first-level cache: a row that will be read or written soon.
CALOR_BF16_INLINE void fetch_row(const Bf16* row, std::int64_t count) {
  for (std::int64_t c = 0; c < count; c += 32) __builtin_prefetch(row + c, 0, 2);
}

// The largest magnitude seen, as a float: that of NaN and infinity is not below tame_limit.
class Magnitude {
 public:
  CALOR_BF16_INLINE Magnitude() : most_(_mm512_setzero_si512()) {}  // an implicit one would be compiled for other machines
  CALOR_BF16_INLINE void see_words(__m512i pairs) { most_ = _mm512_max_epu16(most_, _mm512_and_si512(pairs, _mm512_set1_epi16(0x7fff))); }
  CALOR_BF16_INLINE void see(const Bf16* row, std::int64_t count) {
    for (std::int64_t c = 0; c < count; c += 32) see_words(_mm512_maskz_loadu_epi16(first_32(count - c), row + c));
  }
  CALOR_BF16_INLINE float most() const {
    const __m512i words = _mm512_max_epu32(_mm512_and_si512(most_, _mm512_set1_epi32(0xffff)), _mm512_srli_epi32(most_, 16));
    Bf16 number;
    number.bits = static_cast<std::uint16_t>(_mm512_reduce_max_epu32(words));
    return static_cast<float>(number);
  }

 private:
  __m512i most_;
};

// Below it as a comparison that NaN fails.
CALOR_BF16_INLINE bool is_tame(float magnitude) { return magnitude < tame_limit; }

// to [words(count)] = from - centre in pairs, an odd last one beside 0; centre null: 0.
CALOR_BF16_INLINE void pack_row(const Bf16* from, const float* centre, std::int64_t count, Word* to) {
  for (std::int64_t c = 0; c < count; c += 32) {
    __m512i pairs;
    if (centre) {
      const __m512 low = _mm512_sub_ps(as_floats(load_16(from + c, count - c)), _mm512_maskz_loadu_ps(first_16(count - c), centre + c));
      const __m512 high = count - c <= 16 ? _mm512_setzero_ps()
                                          : _mm512_sub_ps(as_floats(load_16(from + c + 16, count - c - 16)), _mm512_maskz_loadu_ps(first_16(count - c - 16), centre + c + 16));
      pairs = (__m512i)_mm512_cvtne2ps_pbh(high, low);
    } else {
      pairs = _mm512_maskz_loadu_epi16(first_32(count - c), from + c);
    }
    _mm512_mask_storeu_epi32(to + c / 2, first_16(words(count - c)), pairs);
  }
}

// to [width] = numbers of two rows side by side; a null row is 0, and so is what is past count.
CALOR_BF16_INLINE void pair_rows(const Bf16* first, const Bf16* second, std::int64_t count, std::int64_t width, Word* to) {
  for (std::int64_t c = 0; c < width; c += lanes) {
    const __m512i low = first ? load_16(first + c, count - c) : _mm512_setzero_si512(), high = second ? load_16(second + c, count - c) : _mm512_setzero_si512();
    _mm512_store_si512(to + c, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
}

// Sixteen rows of words as columns: to[w][r] = from[r][w], rows `panel` words apart, for w < count.
CALOR_BF16_INLINE void turn_16(const Word* from, std::int64_t stride, std::int64_t count, Word* to) {
  __m512i a[16], b[16];
#pragma GCC unroll 16
  for (int r = 0; r < 16; ++r) a[r] = _mm512_load_si512(from + r * stride);
#pragma GCC unroll 8
  for (int r = 0; r < 16; r += 2) b[r] = _mm512_unpacklo_epi32(a[r], a[r + 1]), b[r + 1] = _mm512_unpackhi_epi32(a[r], a[r + 1]);
#pragma GCC unroll 4
  for (int r = 0; r < 16; r += 4) {
    a[r] = _mm512_unpacklo_epi64(b[r], b[r + 2]), a[r + 1] = _mm512_unpackhi_epi64(b[r], b[r + 2]);
    a[r + 2] = _mm512_unpacklo_epi64(b[r + 1], b[r + 3]), a[r + 3] = _mm512_unpackhi_epi64(b[r + 1], b[r + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    b[i] = _mm512_shuffle_i32x4(a[i], a[4 + i], 0x88), b[4 + i] = _mm512_shuffle_i32x4(a[i], a[4 + i], 0xdd);
    b[8 + i] = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0x88), b[12 + i] = _mm512_shuffle_i32x4(a[8 + i], a[12 + i], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512i columns[4] = {_mm512_shuffle_i32x4(b[i], b[8 + i], 0x88), _mm512_shuffle_i32x4(b[4 + i], b[12 + i], 0x88),
                                _mm512_shuffle_i32x4(b[i], b[8 + i], 0xdd), _mm512_shuffle_i32x4(b[4 + i], b[12 + i], 0xdd)};
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q)
      if (4 * q + i < count) _mm512_store_si512(to + (4 * q + i) * panel, columns[q]);
  }
}

// Packed rows of a panel, `stride` words apart and filled up with 0 to whole vectors, as columns [words][panel].
CALOR_BF16_INLINE void turn_panel(const Word* rows, std::int64_t stride, std::int64_t depth, Word* columns) {
  for (std::int64_t half = 0; half < panel; half += lanes)
    for (std::int64_t w = 0; w < depth; w += lanes) turn_16(rows + half * stride + w, stride, depth - w, columns + w * panel + half);
}

// Words between rows that turn_panel reads.
CALOR_BF16_INLINE std::int64_t turning_stride(std::int64_t dim) { return round_up(words(dim), lanes); }

// Rows of a panel of keys from `first` on into `rows`; hidden ones are 0.  row(j): where row j lies.
template <class Row>
CALOR_BF16_INLINE void pack_panel_rows(const Keys& side, std::int64_t first, const Row& row, const float* centre, std::int64_t dim, Word* rows) {
  const std::int64_t stride = turning_stride(dim);
  for (std::int64_t r = 0; r < panel; ++r) {
    Word* to = rows + r * stride;
    for (std::int64_t w = 0; w < stride; w += lanes) _mm512_store_si512(to + w, _mm512_setzero_si512());
    if (!key_hidden(side, first + r)) pack_row(row(first + r), centre, dim, to);
  }
}

// bias_j += factor * |key j|^2 for one panel of columns.
CALOR_BF16_INLINE void add_norms(const Word* columns, std::int64_t depth, float factor, float* bias) {
  __m512 a = _mm512_setzero_ps(), b = _mm512_setzero_ps();
  for (std::int64_t w = 0; w < depth; ++w) {
    const __m512i x = _mm512_load_si512(columns + w * panel), y = _mm512_load_si512(columns + w * panel + lanes);
    a = add_product(a, x, x);
    b = add_product(b, y, y);
  }
  const __m512 factors = _mm512_set1_ps(factor);
  _mm512_store_ps(bias, _mm512_fmadd_ps(factors, a, _mm512_load_ps(bias)));
  _mm512_store_ps(bias + lanes, _mm512_fmadd_ps(factors, b, _mm512_load_ps(bias + lanes)));
}

// |row|^2 of `depth` words.
CALOR_BF16_INLINE float norm_of(const Word* row, std::int64_t depth) {
  __m512 sum = _mm512_setzero_ps();
  for (std::int64_t w = 0; w < depth; w += lanes) {
    const __m512i x = _mm512_maskz_loadu_epi32(first_16(depth - w), row + w);
    sum = add_product(sum, x, x);
  }
  return _mm512_reduce_add_ps(sum);
}

// |row - centre|^2.
CALOR_BF16_INLINE float distance_of(const Bf16* row, const float* centre, std::int64_t dim) {
  __m512 sum = _mm512_setzero_ps();
  for (std::int64_t c = 0; c < dim; c += lanes) {
    const __m512 x = _mm512_sub_ps(as_floats(load_16(row + c, dim - c)), _mm512_maskz_loadu_ps(first_16(dim - c), centre + c));
    sum = _mm512_fmadd_ps(x, x, sum);
  }
  return _mm512_reduce_add_ps(sum);
}

// What rows are taken relative to: null for products.
CALOR_BF16_INLINE const float* centre_of(const Keys& side) { return side.norm != 0 ? side.centre : nullptr; }

// What packed scores lack to the true ones, in natural units.
CALOR_BF16_INLINE double row_constant(const Keys& side, const Bf16* q, std::int64_t dim) {
  return side.norm == 0 ? 0 : side.scale * side.norm * static_cast<double>(distance_of(q, side.centre, dim));
}

// Along each dimension the mean of the keys that are seen, as a bfloat16, where they lie farther from 0 than from it: gradients are sums of rounded numbers
// times rows, to which what is common to the rows adds nothing but rounding.  Differences of numbers within a factor of two are exact, and those of farther
// queries are rounded only where they are multiplied by keys.  A few keys may lie together by chance: they must do so closely.  Elsewhere 0, which is exact.
CALOR_BF16_INLINE void choose_centre(const HeadB& head, const Keys& side, Workspace& workspace, std::int64_t seen) {
  const std::int64_t dim = head.params().dim, width = round_up(dim, lanes);
  auto* sums = workspace.take<float>(2 * width);
  float* squares = sums + width;
  std::fill_n(sums, 2 * width, 0.0f);
  for (std::int64_t j = 0; j < side.keys; ++j) {
    if (key_hidden(side, j)) continue;
    for (std::int64_t c = 0; c < dim; c += lanes) {
      const __m512 x = as_floats(load_16(head.k(j) + c, dim - c));
      _mm512_store_ps(sums + c, _mm512_add_ps(x, _mm512_load_ps(sums + c)));
      _mm512_store_ps(squares + c, _mm512_fmadd_ps(x, x, _mm512_load_ps(squares + c)));
    }
  }
  for (std::int64_t c = 0; c < dim; ++c) {
    const float mean = seen ? sums[c] / static_cast<float>(seen) : 0, square = seen ? squares[c] / static_cast<float>(seen) : 0;
    const float offset = mean * mean, spread = square - offset;
    const bool far = offset > (seen >= panel ? 2 : 16) * spread;
    side.centre[c] = far ? static_cast<float>(Bf16(mean)) : 0.0f;
  }
}

CALOR_BF16_NOINLINE inline void prepare(const HeadB& head, Workspace& workspace, Keys& side) {
  const AttentionParams<Bf16>& p = head.params();
  with_score(p.score, [&](auto score) {
    side.product = score.product;
    side.norm = score.norm;
  });
  side.scale = head.scale();
  side.fold = static_cast<float>(side.scale * side.product * std::numbers::log2e);
  prepare_bias(head, panel, workspace, side);
  Magnitude magnitude;
  float bias = std::abs(side.fold);
  std::int64_t seen = 0;
  for (std::int64_t j = 0; j < side.keys; ++j) {
    if (key_hidden(side, j)) continue;
    magnitude.see(head.k(j), p.dim);
    magnitude.see(head.v(j), p.value_dim);
    bias = std::abs(side.bias[j]) <= bias ? bias : std::abs(side.bias[j]);  // NaN stays
    ++seen;
  }
  side.tame = is_tame(magnitude.most()) && is_tame(bias);
  if (side.norm != 0) choose_centre(head, side, workspace, seen);
}

// Columns of keys [begin, end), and their bias completed; begin is a multiple of the panel's width.
CALOR_BF16_NOINLINE inline void pack_key_columns(const HeadB& head, const Keys& side, std::int64_t begin, std::int64_t end, Word* columns) {
  alignas(64) Word rows[panel * max_dim / 2];
  const std::int64_t dim = head.params().dim, depth = words(dim);
  const auto norm = static_cast<float>(side.scale * side.norm * std::numbers::log2e);
  for (std::int64_t j = begin; j < end; j += panel, columns += depth * panel) {
    pack_panel_rows(side, j, [&](std::int64_t key) { return head.k(key); }, centre_of(side), dim, rows);
    turn_panel(rows, turning_stride(dim), depth, columns);
    if (norm != 0) add_norms(columns, depth, norm, side.bias + j);
  }
}

CALOR_BF16_NOINLINE inline void pack_keys(const HeadB& head, const Keys& side, std::int64_t begin, std::int64_t end) {
  const AttentionParams<Bf16>& p = head.params();
  pack_key_columns(head, side, begin, end, side.columns + begin * words(p.dim));
  const std::int64_t width = round_up(p.value_dim, lanes);
  const auto row = [&](std::int64_t j) { return j < end && !key_hidden(side, j) ? head.v(j) : nullptr; };
  for (std::int64_t j = begin; j < end; j += 2) pair_rows(row(j), row(j + 1), p.value_dim, width, side.values + j / 2 * width);
}

}  // namespace calor::kernels::bf16
CALOR_BF16_END
