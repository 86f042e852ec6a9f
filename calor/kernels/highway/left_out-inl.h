// Weights of a tile's row with the row left out of the densities (left_out.h).
#if defined(CALOR_KERNELS_HIGHWAY_LEFT_OUT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_LEFT_OUT_INL_H_
#undef CALOR_KERNELS_HIGHWAY_LEFT_OUT_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_LEFT_OUT_INL_H_
#endif

#include <cstdint>

#include "calor/kernels/left_out.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_INLINE double powers_in(const T* offsets, T rate, const T* before, std::int64_t count, T* powers) {
  const hn::ScalableTag<T> tag;
  constexpr std::int64_t lanes = HWY_LANES(T);
  static_assert(left_out_step % lanes == 0);
  const auto factor = hn::Set(tag, rate);
  auto sum = hn::Zero(tag);
  if (before) {
    for (std::int64_t j = 0; j < count; j += lanes) {
      const auto value = hn::LoadU(tag, before + j), power = hn::Mul(value, value);
      hn::StoreU(power, tag, powers + j);
      sum = hn::Add(sum, power);
    }
  } else {
    for (std::int64_t j = 0; j < count; j += lanes) {
      const auto power = hn::Exp(tag, hn::Mul(factor, hn::LoadU(tag, offsets + j)));
      hn::StoreU(power, tag, powers + j);
      sum = hn::Add(sum, power);
    }
  }
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(tag, sum)));
}

// (1 - s)^(-1/4) for s of at most about a half.
template <class Tag, class V = hn::Vec<Tag>>
HWY_INLINE V thickened(Tag tag, V s) {
  using T = hn::TFromD<Tag>;
  if (HWY_LIKELY(hn::AllTrue(tag, hn::Le(s, hn::Set(tag, static_cast<T>(0x1p-10)))))) {  // the rest of the series is below 1e-16
    auto sum = hn::Set(tag, static_cast<T>(195.0 / 2048));
    sum = hn::MulAdd(sum, s, hn::Set(tag, static_cast<T>(15.0 / 128)));
    sum = hn::MulAdd(sum, s, hn::Set(tag, static_cast<T>(5.0 / 32)));
    sum = hn::MulAdd(sum, s, hn::Set(tag, static_cast<T>(0.25)));
    return hn::MulAdd(sum, s, hn::Set(tag, static_cast<T>(1)));
  }
  const auto one = hn::Set(tag, static_cast<T>(1));
  return hn::Div(one, hn::Sqrt(hn::Sqrt(hn::Sub(one, s))));
}

template <class T>
HWY_INLINE void weigh_in(const T* powers, const T* thin, T share, const T* counts, std::int64_t count, double* all, double* own) {
  const hn::ScalableTag<T> tag;
  constexpr std::int64_t lanes = HWY_LANES(T);
  static_assert(left_out_step % lanes == 0);
  using V = hn::Vec<decltype(tag)>;
  const auto part = hn::Set(tag, share);
  V alls[density_exponents], owns[density_exponents];
  HWY_UNROLL(density_exponents)
  for (int k = 0; k < density_exponents; ++k) alls[k] = owns[k] = hn::Zero(tag);
  for (std::int64_t j = 0; j < count; j += lanes) {
    const V d = hn::LoadU(tag, thin + j), square = hn::Mul(d, d), counted = hn::LoadU(tag, counts + j);
    V weight = hn::LoadU(tag, powers + j);
    const V v = hn::Mul(d, thickened(tag, hn::Mul(hn::Mul(part, weight), hn::Mul(square, square))));
    HWY_UNROLL(density_exponents)
    for (int k = 0; k < density_exponents; ++k) {
      alls[k] = hn::Add(alls[k], weight);
      owns[k] = hn::MulAdd(weight, counted, owns[k]);
      weight = hn::Mul(weight, v);
    }
  }
  for (int k = 0; k < density_exponents; ++k) {
    all[k] = static_cast<double>(hn::GetLane(hn::SumOfLanes(tag, alls[k])));
    own[k] = static_cast<double>(hn::GetLane(hn::SumOfLanes(tag, owns[k])));
  }
}

HWY_NOINLINE double powers(const float* offsets, float rate, const float* before, std::int64_t count, float* to) {
  return powers_in(offsets, rate, before, count, to);
}
HWY_NOINLINE double double_powers(const double* offsets, double rate, const double* before, std::int64_t count, double* to) {
  return powers_in(offsets, rate, before, count, to);
}
HWY_NOINLINE void weigh_left_out(const float* powers, const float* thin, float share, const float* counts, std::int64_t count, double* all,
                                 double* own) {
  weigh_in(powers, thin, share, counts, count, all, own);
}
HWY_NOINLINE void double_weigh_left_out(const double* powers, const double* thin, double share, const double* counts, std::int64_t count,
                                        double* all, double* own) {
  weigh_in(powers, thin, share, counts, count, all, own);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
