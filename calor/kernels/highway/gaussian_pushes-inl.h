// The repulsion of SNE's map (gaussian_pushes.h).
#if defined(CALOR_KERNELS_HIGHWAY_GAUSSIAN_PUSHES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_GAUSSIAN_PUSHES_INL_H_
#undef CALOR_KERNELS_HIGHWAY_GAUSSIAN_PUSHES_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_GAUSSIAN_PUSHES_INL_H_
#endif

#include <cmath>
#include <cstdint>
#include <limits>

#include "calor/kernels/gaussian_pushes.h"
#include "calor/kernels/student_sums.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Calls visit(j, squared distance of row and j, the lanes that count) for all others, a vector at once; points are padded.
template <class Visit>
HWY_INLINE void over_others(std::int64_t row, std::int64_t n, std::int64_t dims, const double* HWY_RESTRICT points, std::int64_t stride, const Visit& visit) {
  const hn::CappedTag<double, point_lanes> tag;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(tag)());
  for (std::int64_t j = 0; j < n; j += lanes) {
    auto square = hn::Zero(tag);
    for (std::int64_t c = 0; c < dims; ++c) {
      const auto difference = hn::Sub(hn::Set(tag, points[c * stride + row]), hn::LoadU(tag, points + c * stride + j));
      square = hn::MulAdd(difference, difference, square);
    }
    auto counts = hn::FirstN(tag, static_cast<std::size_t>(n - j < lanes ? n - j : lanes));
    if (row >= j && row < j + lanes)
      counts = hn::AndNot(hn::Xor(hn::FirstN(tag, static_cast<std::size_t>(row - j + 1)), hn::FirstN(tag, static_cast<std::size_t>(row - j))), counts);
    visit(j, square, counts);
  }
}

HWY_NOINLINE double gaussian_log(std::int64_t row, std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride) {
  const hn::CappedTag<double, point_lanes> tag;
  using Values = hn::Vec<decltype(tag)>;
  using Mask = hn::Mask<decltype(tag)>;
  auto least = hn::Set(tag, std::numeric_limits<double>::infinity());
  over_others(row, n, dims, points, stride, [&](std::int64_t, Values square, Mask counts) HWY_ATTR { least = hn::IfThenElse(counts, hn::Min(least, square), least); });
  const double nearest = hn::GetLane(hn::MinOfLanes(tag, least));
  if (!(nearest < std::numeric_limits<double>::infinity())) return -nearest;
  auto sum = hn::Zero(tag);
  const auto shift = hn::Set(tag, nearest);
  over_others(row, n, dims, points, stride, [&](std::int64_t, Values square, Mask counts) HWY_ATTR {
    sum = hn::Add(sum, hn::IfThenElseZero(counts, hn::Exp(tag, hn::Sub(shift, square))));
  });
  return std::log(hn::GetLane(hn::SumOfLanes(tag, sum))) - nearest;
}

HWY_NOINLINE void gaussian_push(std::int64_t row, std::int64_t n, std::int64_t dims, const double* points, std::int64_t stride, const double* logs,
                                const double* sums, double* pushes) {
  const hn::CappedTag<double, point_lanes> tag;
  using Values = hn::Vec<decltype(tag)>;
  using Mask = hn::Mask<decltype(tag)>;
  const auto own_log = hn::Set(tag, logs[row]), own_sum = hn::Set(tag, sums[row]);
  constexpr std::int64_t few = 3;
  Values push[few];
  for (auto& part : push) part = hn::Zero(tag);
  over_others(row, n, dims, points, stride, [&](std::int64_t j, Values square, Mask counts) HWY_ATTR {
    const auto forward = hn::Mul(own_sum, hn::Exp(tag, hn::Neg(hn::Add(square, own_log))));
    const auto backward = hn::Mul(hn::LoadU(tag, sums + j), hn::Exp(tag, hn::Neg(hn::Add(square, hn::LoadU(tag, logs + j)))));
    const auto strength = hn::IfThenElseZero(counts, hn::Add(forward, backward));
    for (std::int64_t c = 0; c < dims; ++c) {
      const auto difference = hn::Sub(hn::Set(tag, points[c * stride + row]), hn::LoadU(tag, points + c * stride + j));
      if (dims <= few) push[c] = hn::MulAdd(strength, difference, push[c]);
      else pushes[c * stride + row] += hn::GetLane(hn::SumOfLanes(tag, hn::Mul(strength, difference)));
    }
  });
  for (std::int64_t c = 0; c < dims && dims <= few; ++c) pushes[c * stride + row] = hn::GetLane(hn::SumOfLanes(tag, push[c]));
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
