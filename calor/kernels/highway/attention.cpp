// Compiled once per instruction set: foreach_target.h includes this file again for each of them.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/attention.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/backward-inl.h"
#include "calor/kernels/highway/forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const Tiles* tiles() {
  static const Tiles table{lanes(), prepare, pack_keys, forward, pack_queries, backward_keys, finish_queries};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

std::vector<Isa> highway_isas() {
  [[maybe_unused]] const auto runs = [](std::int64_t target) { return (hwy::SupportedTargets() & target) != 0; };
  std::vector<Isa> isas;
#if HWY_TARGETS & HWY_NEON
  if (runs(HWY_NEON)) isas.push_back({"neon", N_NEON::tiles(), highway_pairs(HWY_NEON), highway_all_pairs(HWY_NEON)});
#endif
#if HWY_TARGETS & HWY_SSE4
  if (runs(HWY_SSE4)) isas.push_back({"sse4", N_SSE4::tiles(), highway_pairs(HWY_SSE4), highway_all_pairs(HWY_SSE4)});
#endif
#if HWY_TARGETS & HWY_AVX2
  if (runs(HWY_AVX2)) isas.push_back({"avx2", N_AVX2::tiles(), highway_pairs(HWY_AVX2), highway_all_pairs(HWY_AVX2)});
#endif
#if HWY_TARGETS & HWY_AVX3
  if (runs(HWY_AVX3)) isas.push_back({"avx512", N_AVX3::tiles(), highway_pairs(HWY_AVX3), highway_all_pairs(HWY_AVX3)});
#endif
  return isas;
}

}  // namespace calor::kernels

#endif
