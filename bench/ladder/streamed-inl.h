// Rungs 3 to 6: one pass over the keys with a running softmax, and what its exponentials and products are made of.
#if defined(CALOR_BENCH_LADDER_STREAMED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_BENCH_LADDER_STREAMED_INL_H_
#undef CALOR_BENCH_LADDER_STREAMED_INL_H_
#else
#define CALOR_BENCH_LADDER_STREAMED_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "bench/ladder/plain-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::bench::ladder {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;

HWY_INLINE std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Tag())); }

// e^x of the C library, one number at a time.  `unit`: scores come multiplied by it.
struct OneByOne {
  static constexpr float unit = 1;
  static float exponential(float x) { return std::exp(x); }
  static float logarithm(float x) { return std::log(x); }

  // row <- exponential(row - offset) of a tile's row; returns the sum.
  static HWY_NOINLINE float weigh(float* row, float offset) {
    float sum = 0;
    for (std::int64_t j = 0; j < key_block; ++j) sum += row[j] = std::exp(row[j] - offset);
    return sum;
  }
};

// 2^x as the kernel has it: x = n + r with n the nearest integer, which 1.5 2^23 rounds to and which goes into the exponent; 2^r by a polynomial.
HWY_INLINE Vector exp2(Vector x) {
  const Tag tag;
  const hn::RebindToSigned<Tag> integers;
  const Vector shift = hn::Set(tag, 12582912.0f);
  x = hn::Max(x, hn::Set(tag, -127.0f));
  const Vector shifted = hn::Add(x, shift), r = hn::Sub(x, hn::Sub(shifted, shift));
  Vector p = hn::Set(tag, 1.326472731e-3f);
  for (const float term : {9.671512991e-3f, 5.550733581e-2f, 2.402224243e-1f, 6.931470037e-1f, 1.0f}) p = hn::MulAdd(p, r, hn::Set(tag, term));
  return hn::BitCast(tag, hn::Add(hn::BitCast(integers, p), hn::ShiftLeft<23>(hn::BitCast(integers, shifted))));
}

// 2^x a vector at a time; log2(e) goes into the scale of the queries.
struct InVectors {
  static constexpr float unit = std::numbers::log2e_v<float>;
  static float exponential(float x) { return std::exp2(x); }
  static float logarithm(float x) { return std::log2(x); }

  static HWY_NOINLINE float weigh(float* row, float offset) {
    const Tag tag;
    const Vector less = hn::Set(tag, offset);
    Vector sum[2] = {hn::Zero(tag), hn::Zero(tag)};
    for (std::int64_t j = 0; j < key_block; j += 2 * lanes())
      for (int half = 0; half < 2; ++half) {
        float* at = row + j + half * lanes();
        const Vector weight = exp2(hn::Sub(hn::Load(tag, at), less));
        hn::Store(weight, tag, at);
        sum[half] = hn::Add(sum[half], weight);
      }
    return hn::GetLane(hn::SumOfLanes(tag, hn::Add(sum[0], sum[1])));
  }
};

inline float row_max(const float* row) {
  const Tag tag;
  Vector most = hn::Load(tag, row);
  for (std::int64_t j = lanes(); j < key_block; j += lanes()) most = hn::Max(most, hn::Load(tag, row + j));
  return hn::GetLane(hn::MaxOfLanes(tag, most));
}

// Element (r, k) of the left factor: at[r * stride + k], or, by columns, at[k * stride + r].
enum class Order { rows, columns };

struct Factor {
  const float* at;
  std::int64_t stride;
};

// Vector registers for sums: the rest holds a row of the right factor and an element of the left one.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
inline constexpr int accumulators = 24;  // of 32
#else
inline constexpr int accumulators = 12;  // of 16
#endif

// c = a b, or c += a b, for `rows` rows and some vectors of columns.  All sums stay in registers while k runs: each number loaded is used `rows` or `vectors` times.
template <Order order, int rows, int vectors>
HWY_INLINE void register_tile(const Factor a, const Factor b, std::int64_t depth, bool adding, float* HWY_RESTRICT c, std::int64_t c_stride) {
  const Tag tag;
  const std::int64_t n = lanes();
  Vector sums[rows][vectors];
  HWY_UNROLL(12)
  for (int r = 0; r < rows; ++r) {
    HWY_UNROLL(4)
    for (int m = 0; m < vectors; ++m) sums[r][m] = adding ? hn::Load(tag, c + r * c_stride + m * n) : hn::Zero(tag);
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector line[vectors];
    HWY_UNROLL(4)
    for (int m = 0; m < vectors; ++m) line[m] = hn::Load(tag, b.at + k * b.stride + m * n);
    HWY_UNROLL(12)
    for (int r = 0; r < rows; ++r) {
      const Vector factor = hn::Set(tag, order == Order::rows ? a.at[r * a.stride + k] : a.at[k * a.stride + r]);
      HWY_UNROLL(4)
      for (int m = 0; m < vectors; ++m) sums[r][m] = hn::MulAdd(factor, line[m], sums[r][m]);
    }
  }
  HWY_UNROLL(12)
  for (int r = 0; r < rows; ++r) {
    HWY_UNROLL(4)
    for (int m = 0; m < vectors; ++m) hn::Store(sums[r][m], tag, c + r * c_stride + m * n);
  }
}

// Some vectors of columns for any number of rows: full register tiles, then smaller ones.
template <Order order, int vectors>
HWY_NOINLINE void register_tiles(Factor a, const Factor b, std::int64_t rows, std::int64_t depth, bool adding, float* c, std::int64_t c_stride) {
  constexpr int full = accumulators / vectors;
  const std::int64_t a_row = order == Order::rows ? a.stride : 1;
  const auto next = [&](std::int64_t done) {
    a.at += done * a_row;
    c += done * c_stride;
    rows -= done;
  };
  for (; rows >= full; next(full)) register_tile<order, full, vectors>(a, b, depth, adding, c, c_stride);
  for (; rows >= 2; next(2)) register_tile<order, 2, vectors>(a, b, depth, adding, c, c_stride);
  for (; rows > 0; next(1)) register_tile<order, 1, vectors>(a, b, depth, adding, c, c_stride);
}

// Products by register tiles, of tiles whose rows are `apart` numbers apart.
template <std::int64_t apart>
struct RegisterProducts {
  static constexpr std::int64_t stride = apart;

  // Keys as columns, in panels of two vectors: [panel][dim][2 vectors].  Register tiles read them from end to end.
  static HWY_NOINLINE const float* columns(const float* keys, std::int64_t count, Scratch& scratch) {
    float* const panels = scratch.take(count * dim);
    float* to = panels;
    for (std::int64_t first = 0; first < count; first += 2 * lanes())
      for (std::int64_t c = 0; c < dim; ++c)
        for (std::int64_t r = 0; r < 2 * lanes(); ++r) *to++ = keys[(first + r) * dim + c];
    return panels;
  }

  static void scores(const float* a, std::int64_t rows, const float* panels, float* tile) {
    for (std::int64_t j = 0; j < key_block; j += 2 * lanes()) register_tiles<Order::rows, 2>({a, dim}, {panels + j * dim, 2 * lanes()}, rows, dim, false, tile + j, apart);
  }
  static void add_rows(const float* tile, std::int64_t rows, const float* from, float* to) {
    for (std::int64_t c = 0; c < dim; c += 4 * lanes()) register_tiles<Order::rows, 4>({tile, apart}, {from + c, dim}, rows, key_block, true, to + c, dim);
  }
  static void add_columns(const float* tile, std::int64_t rows, const float* from, float* to) {
    for (std::int64_t c = 0; c < dim; c += 4 * lanes()) register_tiles<Order::columns, 4>({tile, apart}, {from + c, dim}, key_block, rows, true, to + c, dim);
  }
};

inline void scaled(const float* from, float factor, std::int64_t count, float* to) {
  for (std::int64_t n = 0; n < count; ++n) to[n] = factor * from[n];
}

// A row's running softmax: the largest score so far, and the sum of its exponentials relative to that.
struct Running {
  float most = -std::numeric_limits<float>::infinity(), sum = 0;
};

// A tile of scores becomes weights relative to the largest so far; sums that were relative to an earlier one are scaled down.
template <class Exponential, class Products>
HWY_NOINLINE void absorb(std::int64_t rows, float* tile, Running* running, float* out) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = tile + r * Products::stride;
    const float before = running[r].most, most = std::max(before, row_max(row));
    const float sum = Exponential::weigh(row, most);
    if (most > before) {
      const float factor = Exponential::exponential(before - most);
      running[r].sum *= factor;
      scale_all(factor, dim, out + r * dim);
    }
    running[r].most = most;
    running[r].sum += sum;
  }
}

template <class Exponential, class Products>
void forward(const Head& h, Scratch& scratch) {
  const std::int64_t n = h.rows;
  const float* keys = Products::columns(h.k, n, scratch);
  float *queries = scratch.take(query_block * dim), *tile = scratch.take(query_block * Products::stride);
  for (std::int64_t i = 0; i < n; i += query_block) {
    const std::int64_t rows = std::min(query_block, n - i);
    Running running[query_block];
    float* out = h.out + i * dim;
    std::fill_n(out, rows * dim, 0.0f);
    scaled(h.q + i * dim, h.scale * Exponential::unit, rows * dim, queries);
    for (std::int64_t j = 0; j < n; j += key_block) {
      Products::scores(queries, rows, keys + j * dim, tile);
      absorb<Exponential, Products>(rows, tile, running, out);
      Products::add_rows(tile, rows, h.v + j * dim, out);
    }
    for (std::int64_t r = 0; r < rows; ++r) {
      scale_all(1 / running[r].sum, dim, out + r * dim);
      h.lse[i + r] = running[r].most + Exponential::logarithm(running[r].sum);
    }
  }
}

// The weights are formed again from lse: nothing of a tile is kept.
template <class Exponential, class Products>
void backward(const Head& h, Scratch& scratch) {
  const std::int64_t n = h.rows;
  const float *keys = Products::columns(h.k, n, scratch), *values = Products::columns(h.v, n, scratch);
  float *queries = scratch.take(n * dim), *common = scratch.take(n);
  float *weights = scratch.take(query_block * Products::stride), *gradients = scratch.take(query_block * Products::stride);
  common_terms(h, common);
  scaled(h.q, h.scale * Exponential::unit, n * dim, queries);
  for (float* zero : {h.d_q, h.d_k, h.d_v}) std::fill_n(zero, n * dim, 0.0f);
  for (std::int64_t j = 0; j < n; j += key_block)
    for (std::int64_t i = 0; i < n; i += query_block) {
      const std::int64_t rows = std::min(query_block, n - i);
      const float *q = h.q + i * dim, *d_out = h.d_out + i * dim;
      Products::scores(queries + i * dim, rows, keys + j * dim, weights);
      Products::scores(d_out, rows, values + j * dim, gradients);
      for (std::int64_t r = 0; r < rows; ++r) {
        float* row = weights + r * Products::stride;
        Exponential::weigh(row, h.lse[i + r]);
        softmax_gradient(row, common[i + r], gradients + r * Products::stride, key_block);
      }
      Products::add_columns(weights, rows, d_out, h.d_v + j * dim);
      Products::add_columns(gradients, rows, q, h.d_k + j * dim);
      Products::add_rows(gradients, rows, h.k + j * dim, h.d_q + i * dim);
    }
  scale_all(h.scale, n * dim, h.d_q);
  scale_all(h.scale, n * dim, h.d_k);
}

template <class Exponential, class Products>
void streamed(const Head& h, bool with_gradients, Scratch& scratch) {
  forward<Exponential, Products>(h, scratch);
  if (with_gradients) backward<Exponential, Products>(h, scratch);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::bench::ladder
HWY_AFTER_NAMESPACE();

#endif
