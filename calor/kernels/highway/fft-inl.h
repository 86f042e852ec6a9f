// Passes of Fourier transforms (fft.h).
#if defined(CALOR_KERNELS_HIGHWAY_FFT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_FFT_INL_H_
#undef CALOR_KERNELS_HIGHWAY_FFT_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_FFT_INL_H_
#endif

#include <cstdint>

#include "calor/kernels/fft.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::CappedTag<float, fft_lanes>;
using FloatVector = hn::Vec<Floats>;

struct Complex {
  FloatVector re, im;
};

HWY_INLINE Complex operator+(Complex a, Complex b) { return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)}; }
HWY_INLINE Complex operator-(Complex a, Complex b) { return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)}; }
HWY_INLINE Complex scaled(Complex a, FloatVector s) { return {hn::Mul(a.re, s), hn::Mul(a.im, s)}; }
HWY_INLINE Complex times_minus_i(Complex a) { return {a.im, hn::Neg(a.re)}; }
HWY_INLINE Complex product(Complex a, Complex b) {
  return {hn::NegMulAdd(a.im, b.im, hn::Mul(a.re, b.re)), hn::MulAdd(a.im, b.re, hn::Mul(a.re, b.im))};
}

HWY_INLINE void butterfly2(Complex* x) {
  const Complex sum = x[0] + x[1], difference = x[0] - x[1];
  x[0] = sum;
  x[1] = difference;
}

HWY_INLINE void butterfly3(Complex* x) {
  const Floats tag;
  const Complex sum = x[1] + x[2], turned = times_minus_i(scaled(x[1] - x[2], hn::Set(tag, 0.866025404f)));  // sin(2 pi / 3)
  const Complex middle = {hn::MulAdd(sum.re, hn::Set(tag, -0.5f), x[0].re), hn::MulAdd(sum.im, hn::Set(tag, -0.5f), x[0].im)};
  x[0] = x[0] + sum;
  x[1] = middle + turned;
  x[2] = middle - turned;
}

HWY_INLINE void butterfly4(Complex* x) {
  const Complex even = x[0] + x[2], odd = x[1] + x[3], rest = x[0] - x[2], turned = times_minus_i(x[1] - x[3]);
  x[0] = even + odd;
  x[1] = rest + turned;
  x[2] = even - odd;
  x[3] = rest - turned;
}

HWY_INLINE void butterfly5(Complex* x) {
  const Floats tag;
  const auto c1 = hn::Set(tag, 0.309016994f), c2 = hn::Set(tag, -0.809016994f);  // cos(2 pi / 5), cos(4 pi / 5)
  const auto s1 = hn::Set(tag, 0.951056516f), s2 = hn::Set(tag, 0.587785252f);   // sin
  const Complex near = x[1] + x[4], far = x[2] + x[3], p = x[1] - x[4], q = x[2] - x[3];
  const Complex a = x[0] + scaled(near, c1) + scaled(far, c2), b = x[0] + scaled(near, c2) + scaled(far, c1);
  const Complex u = times_minus_i(scaled(p, s1) + scaled(q, s2)), v = times_minus_i(scaled(p, s2) - scaled(q, s1));
  x[0] = x[0] + near + far;
  x[1] = a + u;
  x[2] = b + v;
  x[3] = b - v;
  x[4] = a - u;
}

template <int radix>
HWY_INLINE void pass_of(std::int64_t groups, std::int64_t span, const float* HWY_RESTRICT turns, const float* HWY_RESTRICT re,
                        const float* HWY_RESTRICT im, float* HWY_RESTRICT re_out, float* HWY_RESTRICT im_out) {
  const Floats tag;
  constexpr std::int64_t lanes = hn::MaxLanes(Floats());
  const std::int64_t width = span * fft_lanes;
  for (std::int64_t group = 0; group < groups; ++group) {
    Complex turn[radix];
    for (int k = 1; k < radix; ++k) {
      const float* at = turns + (group * (radix - 1) + k - 1) * 2;
      turn[k] = {hn::Set(tag, at[0]), hn::Set(tag, at[1])};
    }
    for (std::int64_t e = 0; e < width; e += lanes) {
      Complex x[radix];
      HWY_UNROLL(5)
      for (int k = 0; k < radix; ++k) {
        const std::int64_t at = (group + k * groups) * width + e;
        x[k] = {hn::LoadU(tag, re + at), hn::LoadU(tag, im + at)};
      }
      if constexpr (radix == 2) butterfly2(x);
      else if constexpr (radix == 3) butterfly3(x);
      else if constexpr (radix == 4) butterfly4(x);
      else butterfly5(x);
      HWY_UNROLL(5)
      for (int k = 0; k < radix; ++k) {
        const Complex y = k == 0 ? x[0] : product(x[k], turn[k]);
        const std::int64_t at = (group * radix + k) * width + e;
        hn::StoreU(y.re, tag, re_out + at);
        hn::StoreU(y.im, tag, im_out + at);
      }
    }
  }
}

HWY_NOINLINE void fft_pass(int radix, std::int64_t groups, std::int64_t span, const float* turns, const float* re, const float* im,
                           float* re_out, float* im_out) {
  switch (radix) {
    case 2: return pass_of<2>(groups, span, turns, re, im, re_out, im_out);
    case 3: return pass_of<3>(groups, span, turns, re, im, re_out, im_out);
    case 4: return pass_of<4>(groups, span, turns, re, im, re_out, im_out);
    default: return pass_of<5>(groups, span, turns, re, im, re_out, im_out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
