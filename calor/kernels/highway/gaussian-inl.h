// Gaussian sums over leaves of points (gaussian_sums.h).
#if defined(CALOR_KERNELS_HIGHWAY_GAUSSIAN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_GAUSSIAN_INL_H_
#undef CALOR_KERNELS_HIGHWAY_GAUSSIAN_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_GAUSSIAN_INL_H_
#endif

#include <cstdint>

#include "calor/kernels/gaussian_sums.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// `known` dimensions, or (0) as many as are given.
template <int known>
HWY_INLINE void gaussian_row_in(const double* HWY_RESTRICT x, std::int64_t given, double rate, double own, const std::int32_t* HWY_RESTRICT leaves,
                                std::int64_t count, const double* HWY_RESTRICT coordinates, const double* HWY_RESTRICT weights,
                                const double* HWY_RESTRICT values, double* HWY_RESTRICT sums) {
  const hn::ScalableTag<double> tag;
  constexpr std::int64_t lanes = HWY_LANES(double), size = GaussianSums::leaf_size;
  const std::int64_t dim = known ? known : given;
  const auto factor = hn::Set(tag, rate), own_value = hn::Set(tag, own);
  auto total = hn::Zero(tag), flow = hn::Zero(tag);
  for (std::int64_t n = 0; n < count; ++n) {
    const double* leaf = coordinates + leaves[n] * dim * size;
    const double *weight = weights + leaves[n] * size, *value = values + leaves[n] * size;
    for (std::int64_t j = 0; j < size; j += lanes) {
      auto square = hn::Zero(tag);
      for (std::int64_t c = 0; c < dim; ++c) {
        const auto difference = hn::Sub(hn::LoadU(tag, leaf + c * size + j), hn::Set(tag, x[c]));
        square = hn::MulAdd(difference, difference, square);
      }
      const auto w = hn::Mul(hn::LoadU(tag, weight + j), hn::Exp(tag, hn::Mul(factor, square)));
      total = hn::Add(total, w);
      flow = hn::MulAdd(w, hn::Sub(hn::LoadU(tag, value + j), own_value), flow);
    }
  }
  sums[0] = hn::GetLane(hn::SumOfLanes(tag, total));
  sums[1] = hn::GetLane(hn::SumOfLanes(tag, flow));
}

HWY_NOINLINE void gaussian_row(const double* x, std::int64_t dim, double rate, double own, const std::int32_t* leaves, std::int64_t count,
                               const double* coordinates, const double* weights, const double* values, double* sums) {
  switch (dim) {
    case 1: return gaussian_row_in<1>(x, dim, rate, own, leaves, count, coordinates, weights, values, sums);
    case 2: return gaussian_row_in<2>(x, dim, rate, own, leaves, count, coordinates, weights, values, sums);
    case 3: return gaussian_row_in<3>(x, dim, rate, own, leaves, count, coordinates, weights, values, sums);
    case 4: return gaussian_row_in<4>(x, dim, rate, own, leaves, count, coordinates, weights, values, sums);
    default: return gaussian_row_in<0>(x, dim, rate, own, leaves, count, coordinates, weights, values, sums);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
