// The part of a tile that is not a product: masks, the online softmax, and the score gradients.
#if defined(CALOR_KERNELS_HIGHWAY_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_SOFTMAX_INL_H_
#undef CALOR_KERNELS_HIGHWAY_SOFTMAX_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_SOFTMAX_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include "calor/kernels/highway/pack-inl.h"
#include "calor/kernels/softmax_state.h"
#include "calor/kernels/tile_masks.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

// 2^x for x up to about 1, relative error below 2e-7; exactly 1 at 0 and exactly 0 for x <= -127, -infinity included.
//
// x = n + r with n the nearest integer (by adding 1.5 2^23, whose last bits then hold n) and |r| <= 1/2; 2^r by a
// minimax polynomial of degree 5 with constant term 1 (relative error 9.2e-8); n is added to the exponent.  At x = -127
// that gives the bits of zero, so clamping there makes hidden scores weigh nothing at no cost.
HWY_INLINE Vector exp2(Vector x) {
  const Tag tag;
  const hn::RebindToSigned<Tag> integers;
  const Vector shift = hn::Set(tag, 12582912.0f);
  x = hn::Max(x, hn::Set(tag, -127.0f));
  const Vector shifted = hn::Add(x, shift);
  const Vector r = hn::Sub(x, hn::Sub(shifted, shift));
  Vector p = hn::Set(tag, 1.326472731e-3f);
  p = hn::MulAdd(p, r, hn::Set(tag, 9.671512991e-3f));
  p = hn::MulAdd(p, r, hn::Set(tag, 5.550733581e-2f));
  p = hn::MulAdd(p, r, hn::Set(tag, 2.402224243e-1f));
  p = hn::MulAdd(p, r, hn::Set(tag, 6.931470037e-1f));
  p = hn::MulAdd(p, r, hn::Set(tag, 1.0f));
  return hn::BitCast(tag, hn::Add(hn::BitCast(integers, p), hn::ShiftLeft<23>(hn::BitCast(integers, shifted))));
}

HWY_INLINE TilePlace tile_place(std::int64_t query, std::int64_t query_end, std::int64_t key, std::int64_t key_end) {
  return kernels::tile_place(query, query_end, key, key_end, 2 * lanes());
}

HWY_INLINE float row_max(const float* HWY_RESTRICT row, std::int64_t width) {
  const Tag tag;
  const std::int64_t n = lanes();
  Vector a = hn::Load(tag, row), b = hn::Load(tag, row + n);
  for (std::int64_t j = 2 * n; j < width; j += 2 * n) {
    a = hn::Max(a, hn::Load(tag, row + j));
    b = hn::Max(b, hn::Load(tag, row + j + n));
  }
  return hn::GetLane(hn::MaxOfLanes(tag, hn::Max(a, b)));
}

// row <- 2^(row - max); returns its sum.
HWY_INLINE float exponentiate(float* HWY_RESTRICT row, std::int64_t width, float max) {
  const Tag tag;
  const std::int64_t n = lanes();
  const Vector offset = hn::Set(tag, max);
  Vector a = hn::Zero(tag), b = hn::Zero(tag);
  for (std::int64_t j = 0; j < width; j += 2 * n) {
    const Vector x = exp2(hn::Sub(hn::Load(tag, row + j), offset));
    const Vector y = exp2(hn::Sub(hn::Load(tag, row + j + n), offset));
    hn::Store(x, tag, row + j);
    hn::Store(y, tag, row + j + n);
    a = hn::Add(a, x);
    b = hn::Add(b, y);
  }
  return hn::GetLane(hn::SumOfLanes(tag, hn::Add(a, b)));
}

// Forward: scores become weights relative to each row's running maximum; what has been summed so far is rescaled when
// the maximum moves.
HWY_NOINLINE void absorb(const TilePlace& at, float* HWY_RESTRICT tile, SoftmaxState<float>* HWY_RESTRICT states,
                         float* HWY_RESTRICT sums, std::int64_t value_width, const Head<float>* ahead) {
  const Tag tag;
  for (std::int64_t i = 0; i < at.rows; ++i) {
    if (ahead && i < ahead->params().keys) fetch_row(ahead->k(i), ahead->params().dim);
    float* row = tile + i * tile_stride;
    const float max = std::max(states[i].max, row_max(row, at.width));
    // A row that has seen nothing yet subtracts a finite number, so that its hidden scores stay hidden.
    const float sum = exponentiate(row, at.width, std::max(max, std::numeric_limits<float>::lowest()));
    if (const float factor = states[i].factor_to(max); factor != 1) {
      const Vector factors = hn::Set(tag, factor);
      for (std::int64_t c = 0; c < value_width; c += lanes())
        hn::Store(hn::Mul(factors, hn::Load(tag, sums + i * value_width + c)), tag, sums + i * value_width + c);
    }
    states[i] = merge(states[i], {max, sum});
  }
}

// absorb where the tile is all there is to see: nothing was summed before.
HWY_NOINLINE void absorb_alone(const TilePlace& at, float* HWY_RESTRICT tile, SoftmaxState<float>* HWY_RESTRICT states, float* HWY_RESTRICT factors, const Head<float>* ahead) {
  for (std::int64_t i = 0; i < at.rows; ++i) {
    if (ahead && i < ahead->params().keys) fetch_row(ahead->k(i), ahead->params().dim);
    float* row = tile + i * tile_stride;
    const float max = row_max(row, at.width);
    const float sum = exponentiate(row, at.width, std::max(max, std::numeric_limits<float>::lowest()));
    states[i] = {max, sum};
    factors[i] = sum > 0 ? 1 / sum : 0;
  }
}

// absorb for a turned tile, whose rows are keys, `apart` numbers each, and whose scores lack the keys' bias: `width` queries, a whole number of panels; most and sums [width], values [value_dim][width].
HWY_NOINLINE void absorb_turned(const float* HWY_RESTRICT bias, std::int64_t keys, std::int64_t width, std::int64_t apart, float* HWY_RESTRICT tile,
                                float* HWY_RESTRICT most, float* HWY_RESTRICT sums, float* HWY_RESTRICT values, std::int64_t value_dim) {
  const Tag tag;
  const std::int64_t n = lanes();
  const Vector lowest = hn::Set(tag, std::numeric_limits<float>::lowest()), one = hn::Set(tag, 1.0f);
  for (std::int64_t q = 0; q < width; q += 2 * n) {
    const Vector before[2] = {hn::Load(tag, most + q), hn::Load(tag, most + q + n)};
    Vector a = before[0], b = before[1];
    for (std::int64_t j = 0; j < keys; ++j) {
      const float* HWY_RESTRICT row = tile + j * apart + q;
      const Vector own = hn::Set(tag, bias[j]);
      a = hn::Max(a, hn::Add(hn::Load(tag, row), own));
      b = hn::Max(b, hn::Add(hn::Load(tag, row + n), own));
    }
    hn::Store(a, tag, most + q);
    hn::Store(b, tag, most + q + n);
    // A query that has seen nothing yet subtracts a finite number, so that its hidden scores stay hidden.
    const Vector offset[2] = {hn::Max(a, lowest), hn::Max(b, lowest)};
    Vector sum[2] = {hn::Zero(tag), hn::Zero(tag)}, other[2] = {hn::Zero(tag), hn::Zero(tag)};
    std::int64_t j = 0;
    const auto weigh = [&](std::int64_t key, Vector (&to)[2]) HWY_ATTR {
      float* HWY_RESTRICT row = tile + key * apart + q;
      const Vector own = hn::Set(tag, bias[key]);
      const Vector x = exp2(hn::Sub(hn::Add(hn::Load(tag, row), own), offset[0])), y = exp2(hn::Sub(hn::Add(hn::Load(tag, row + n), own), offset[1]));
      hn::Store(x, tag, row);
      hn::Store(y, tag, row + n);
      to[0] = hn::Add(to[0], x);
      to[1] = hn::Add(to[1], y);
    };
    for (; j + 2 <= keys; j += 2) weigh(j, sum), weigh(j + 1, other);
    if (j < keys) weigh(j, sum);
    const Vector after[2] = {a, b};
    for (std::int64_t half = 0; half < 2; ++half) {
      const Vector factor = hn::IfThenElse(hn::Eq(before[half], after[half]), one, exp2(hn::Sub(before[half], after[half])));
      float* HWY_RESTRICT own = sums + q + half * n;
      hn::Store(hn::MulAdd(hn::Load(tag, own), factor, hn::Add(sum[half], other[half])), tag, own);
      if (hn::AllTrue(tag, hn::Eq(factor, one))) continue;
      for (std::int64_t c = 0; c < value_dim; ++c) {
        float* HWY_RESTRICT value = values + c * width + q + half * n;
        hn::Store(hn::Mul(factor, hn::Load(tag, value)), tag, value);
      }
    }
  }
}

// Backward: `weights` holds scores and becomes P; `gradients` holds d_out.v and becomes dS; columns += column sums of
// dS.
HWY_NOINLINE void differentiate(const TilePlace& at, const float* HWY_RESTRICT lse,
                                const float* HWY_RESTRICT through_row,
                                float* HWY_RESTRICT weights, float* HWY_RESTRICT gradients,
                                float* HWY_RESTRICT columns, const Head<float>* ahead) {
  const Tag tag;
  const std::int64_t n = lanes();
  for (std::int64_t i = 0; i < at.rows; ++i) {
    if (ahead && i < ahead->params().keys) {
      fetch_row(ahead->k(i), ahead->params().dim);
      fetch_row(ahead->v(i), ahead->params().value_dim);
    }
    const Vector row_lse = hn::Set(tag, lse[i]), row_term = hn::Set(tag, through_row[i]);
    float* HWY_RESTRICT w = weights + i * tile_stride;
    float* HWY_RESTRICT g = gradients + i * tile_stride;
    for (std::int64_t j = 0; j < at.width; j += n) {
      const Vector weight = exp2(hn::Sub(hn::Load(tag, w + j), row_lse));
      const Vector gradient = hn::Mul(weight, hn::Add(hn::Load(tag, g + j), row_term));
      hn::Store(weight, tag, w + j);
      hn::Store(gradient, tag, g + j);
      hn::Store(hn::Add(gradient, hn::Load(tag, columns + j)), tag, columns + j);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
