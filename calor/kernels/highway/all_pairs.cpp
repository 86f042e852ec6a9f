// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/all_pairs.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/all_pairs-inl.h"
#include "calor/kernels/highway/gaussian-inl.h"
#include "calor/kernels/highway/left_out-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const AllPairs* all_pairs() {
  static const AllPairs table{shorten_paths, symmetric_rows, stress_row, gaussian_row, powers, double_powers, weigh_left_out, double_weigh_left_out};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const AllPairs* highway_all_pairs(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::all_pairs();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

}  // namespace calor::kernels

#endif
