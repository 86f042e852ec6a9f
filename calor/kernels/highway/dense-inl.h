// Products of dense layers, and what is done to their results (dense_steps.h).
#if defined(CALOR_KERNELS_HIGHWAY_DENSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_DENSE_INL_H_
#undef CALOR_KERNELS_HIGHWAY_DENSE_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_DENSE_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "calor/kernels/dense_steps.h"
#include "calor/kernels/tiles.h"
#include "calor/kernels/highway/product-inl.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {
namespace dense {

struct Writing {
  float* c;
  std::int64_t stride;
  HWY_INLINE Vector begin(std::int64_t, std::int64_t) const { return hn::Zero(Tag()); }
  HWY_INLINE void end(Vector sum, std::int64_t r, std::int64_t j) const { hn::Store(sum, Tag(), c + r * stride + j); }
};

HWY_INLINE Factors factors(const DenseProduct& p) { return {p.a, p.a_stride, p.b, p.width, p.rows, p.depth, p.width}; }

HWY_NOINLINE void multiply(const DenseProduct& p) { product<Order::rows>(factors(p), Writing{p.c, p.width}); }
HWY_NOINLINE void add_transposed(const DenseProduct& p) { product<Order::columns>(factors(p), Adding{p.c, p.width}); }

// Calls whole(begin) for the whole vectors of `count` numbers, then part(begin, how many) for those that are left.
template <class Whole, class Part>
HWY_INLINE void for_vectors(std::int64_t count, const Whole& whole, const Part& part) {
  std::int64_t c = 0;
  for (; c + lanes() <= count; c += lanes()) whole(c);
  if (c < count) part(c, static_cast<std::size_t>(count - c));
}

// `count` numbers, fewer than a vector's, and zeros after them.  Short vectors have no masks in memory.
HWY_INLINE Vector load_part(const float* from, std::size_t count) {
  const Tag tag;
#if HWY_MAX_BYTES == 16
  HWY_ALIGN float part[4] = {};
  std::copy_n(from, count, part);
  return hn::Load(tag, part);
#else
  return hn::MaskedLoad(hn::FirstN(tag, count), tag, from);
#endif
}
HWY_INLINE void store_part(Vector x, float* to, std::size_t count) {
  const Tag tag;
#if HWY_MAX_BYTES == 16
  HWY_ALIGN float part[4];
  hn::Store(x, tag, part);
  std::copy_n(part, count, to);
#else
  hn::BlendedStore(x, hn::FirstN(tag, count), tag, to);
#endif
}

// Below 0.625 by a polynomial in x^2 (Moshier's Cephes, tanhf), above by the exponential: within two roundings, where Highway's own may be off by four.
HWY_INLINE Vector tanh_of(Vector x) {
  const Tag tag;
  const Vector size = hn::Min(hn::Abs(x), hn::Set(tag, 10.0F)), one = hn::Set(tag, 1.0F);
  const Vector square = hn::Mul(x, x);
  Vector sum = hn::Set(tag, -5.70498872745e-3F);
  for (const float term : {2.06390887954e-2F, -5.37397155531e-2F, 1.33314422036e-1F, -3.33332819422e-1F}) sum = hn::MulAdd(sum, square, hn::Set(tag, term));
  const Vector near = hn::MulAdd(hn::Mul(x, square), sum, x);
  const Vector far = hn::Sub(one, hn::Div(hn::Set(tag, 2.0F), hn::Add(hn::Exp(tag, hn::Add(size, size)), one)));
  return hn::IfThenElse(hn::Lt(size, hn::Set(tag, 0.625F)), near, hn::IfThenElse(hn::Eq(x, x), hn::CopySign(far, x), x));
}

template <Activation activation, bool biased, bool adding>
HWY_INLINE void finish_as(const float* from, const float* bias, const float* added, std::int64_t count, float* to) {
  const Tag tag;
  const auto made = [&](Vector sum, Vector offset, Vector more) HWY_ATTR {
    if constexpr (biased) sum = hn::Add(sum, offset);
    if constexpr (activation == Activation::tanh) sum = tanh_of(sum);
    if constexpr (adding) sum = hn::Add(sum, more);
    return sum;
  };
  const Vector zero = hn::Zero(tag);
  for_vectors(count, [&](std::int64_t c) HWY_ATTR { hn::StoreU(made(hn::LoadU(tag, from + c), biased ? hn::LoadU(tag, bias + c) : zero, adding ? hn::LoadU(tag, added + c) : zero), tag, to + c); },
              [&](std::int64_t c, std::size_t n) HWY_ATTR {
                store_part(made(load_part(from + c, n), biased ? load_part(bias + c, n) : zero, adding ? load_part(added + c, n) : zero), to + c, n);
              });
}

template <Activation activation>
HWY_INLINE void finish_with(const float* from, const float* bias, const float* added, std::int64_t count, float* to) {
  if (bias && added) finish_as<activation, true, true>(from, bias, added, count, to);
  else if (bias) finish_as<activation, true, false>(from, bias, added, count, to);
  else if (added) finish_as<activation, false, true>(from, bias, added, count, to);
  else finish_as<activation, false, false>(from, bias, added, count, to);
}

HWY_NOINLINE void finish(const float* from, const float* bias, const float* added, std::int64_t count, Activation activation, float* to) {
  if (activation == Activation::tanh) finish_with<Activation::tanh>(from, bias, added, count, to);
  else finish_with<Activation::none>(from, bias, added, count, to);
}

HWY_NOINLINE void through_tanh(const float* y, const float* d_y, std::int64_t count, float* d) {
  const Tag tag;
  const auto made = [&](Vector value, Vector gradient) HWY_ATTR { return hn::Mul(gradient, hn::NegMulAdd(value, value, hn::Set(tag, 1.0F))); };
  for_vectors(count, [&](std::int64_t c) HWY_ATTR { hn::StoreU(made(hn::LoadU(tag, y + c), hn::LoadU(tag, d_y + c)), tag, d + c); },
              [&](std::int64_t c, std::size_t n) HWY_ATTR { store_part(made(load_part(y + c, n), load_part(d_y + c, n)), d + c, n); });
}

HWY_NOINLINE void add(const float* from, std::int64_t count, float* to) {
  const Tag tag;
  for_vectors(count, [&](std::int64_t c) HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(tag, to + c), hn::LoadU(tag, from + c)), tag, to + c); },
              [&](std::int64_t c, std::size_t n) HWY_ATTR { store_part(hn::Add(load_part(to + c, n), load_part(from + c, n)), to + c, n); });
}

}  // namespace dense
}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
