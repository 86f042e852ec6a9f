// Sums of sparse rows (walk_sums.h).
#if defined(CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_
#undef CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_
#endif

#include <cstdint>

#include "calor/kernels/walk_sums.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The lanes of `vectors` vectors from the first of these on.
template <std::int64_t vectors>
HWY_INLINE std::int64_t add_lanes(const std::int32_t* HWY_RESTRICT column, const double* HWY_RESTRICT values, std::int64_t count, std::int32_t end,
                                  const double* HWY_RESTRICT weights, double* HWY_RESTRICT sums) {
  const hn::CappedTag<double, walk_lanes> tag;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(tag)());
  hn::Vec<decltype(tag)> weight[vectors];
  HWY_UNROLL(8)
  for (std::int64_t v = 0; v < vectors; ++v) weight[v] = hn::Load(tag, weights + v * lanes);
  std::int64_t e = 0;
  for (; e < count && column[e] < end; ++e) {
    double* HWY_RESTRICT sum = sums + static_cast<std::int64_t>(column[e]) * walk_lanes;
    const auto value = hn::Set(tag, values[e]);
    HWY_UNROLL(8)
    for (std::int64_t v = 0; v < vectors; ++v) hn::Store(hn::MulAdd(value, weight[v], hn::Load(tag, sum + v * lanes)), tag, sum + v * lanes);
  }
  return e;
}

// Where few of the rows lead to this one, only the vectors with a weight.
HWY_NOINLINE std::int64_t add_row(const std::int32_t* column, const double* values, std::int64_t count, std::int32_t end, const double* weights, double* sums) {
  constexpr std::int64_t lanes = hn::MaxLanes(hn::CappedTag<double, walk_lanes>()), vectors = walk_lanes / lanes;
  bool any[vectors] = {};
  std::int64_t number = 0;
  for (std::int64_t v = 0; v < vectors; ++v) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) any[v] |= weights[v * lanes + lane] != 0;
    number += any[v];
  }
  if (2 * number > vectors) return add_lanes<vectors>(column, values, count, end, weights, sums);
  std::int64_t done = 0;
  for (std::int64_t v = 0; v < vectors; ++v)
    if (any[v]) done = add_lanes<1>(column, values, count, end, weights + v * lanes, sums + v * lanes);
  return done;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
