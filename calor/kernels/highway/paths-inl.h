// Shortest paths (paths.h).
#if defined(CALOR_KERNELS_HIGHWAY_PATHS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_PATHS_INL_H_
#undef CALOR_KERNELS_HIGHWAY_PATHS_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_PATHS_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "calor/kernels/paths.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

HWY_NOINLINE void shorten_paths(const std::int64_t* HWY_RESTRICT begin, const std::int32_t* HWY_RESTRICT column,
                                const double* HWY_RESTRICT length, const std::int32_t* HWY_RESTRICT order, std::int64_t count,
                                double* HWY_RESTRICT reached, std::uint8_t* HWY_RESTRICT pending) {
  using Doubles = hn::ScalableTag<double>;
  using DoubleVector = hn::Vec<Doubles>;
  constexpr std::int64_t double_lanes = HWY_LANES(double);
  const Doubles tag;
  constexpr std::int64_t vectors = path_lanes / double_lanes;
  for (bool shortened = true; shortened;) {
    shortened = false;
    for (std::int64_t n = 0; n < count; ++n) {
      const std::int64_t node = order[n];
      if (!pending[node]) continue;
      pending[node] = 0;
      double* own = reached + node * path_lanes;
      const std::int64_t first = begin[node], end = begin[node + 1];
      // Even and odd edges apart: half as long a chain of minima.
      DoubleVector least[2][vectors];
      HWY_UNROLL(4)
      for (std::int64_t v = 0; v < vectors; ++v) least[0][v] = least[1][v] = hn::LoadU(tag, own + v * double_lanes);
      std::int64_t e = first;
      for (; e + 2 <= end; e += 2) {
        HWY_UNROLL(2)
        for (std::int64_t side = 0; side < 2; ++side) {
          const double* other = reached + static_cast<std::int64_t>(column[e + side]) * path_lanes;
          const auto step = hn::Set(tag, length[e + side]);
          HWY_UNROLL(4)
          for (std::int64_t v = 0; v < vectors; ++v)
            least[side][v] = hn::Min(least[side][v], hn::Add(hn::LoadU(tag, other + v * double_lanes), step));
        }
      }
      if (e < end) {
        const double* other = reached + static_cast<std::int64_t>(column[e]) * path_lanes;
        const auto step = hn::Set(tag, length[e]);
        HWY_UNROLL(4)
        for (std::int64_t v = 0; v < vectors; ++v) least[0][v] = hn::Min(least[0][v], hn::Add(hn::LoadU(tag, other + v * double_lanes), step));
      }
      bool any = false;
      HWY_UNROLL(4)
      for (std::int64_t v = 0; v < vectors; ++v) {
        const auto now = hn::Min(least[0][v], least[1][v]);
        any |= !hn::AllFalse(tag, hn::Lt(now, hn::LoadU(tag, own + v * double_lanes)));
        hn::StoreU(now, tag, own + v * double_lanes);
      }
      if (!any) continue;
      shortened = true;
      for (e = first; e < end; ++e) pending[column[e]] = 1;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
