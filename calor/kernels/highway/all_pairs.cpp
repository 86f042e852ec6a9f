// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/all_pairs.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/all_pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const AllPairs* all_pairs() {
  static const AllPairs table{shorten_paths, symmetric_rows, stress_row};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const AllPairs* highway_all_pairs(std::int64_t target) {
#if HWY_TARGETS & HWY_NEON
  if (target == HWY_NEON) return N_NEON::all_pairs();
#endif
#if HWY_TARGETS & HWY_SSE4
  if (target == HWY_SSE4) return N_SSE4::all_pairs();
#endif
#if HWY_TARGETS & HWY_AVX2
  if (target == HWY_AVX2) return N_AVX2::all_pairs();
#endif
#if HWY_TARGETS & HWY_AVX3
  if (target == HWY_AVX3) return N_AVX3::all_pairs();
#endif
  return nullptr;
}

}  // namespace calor::kernels

#endif
