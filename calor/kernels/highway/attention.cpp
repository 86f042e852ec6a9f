// Compiled once per instruction set: foreach_target.h includes this file again for each of them.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/attention.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/backward-inl.h"
#include "calor/kernels/highway/double_tiles-inl.h"
#include "calor/kernels/highway/forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const Tiles* tiles() {
  static const Tiles table{{lanes(), prepare, pack_keys, forward, pack_queries, backward_keys, finish_queries},
                           {HWY_LANES(double), double_scores, double_weigh, double_combine}};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

static const char* name_of(std::int64_t target) {
  switch (target) {
    case HWY_NEON: return "neon";
    case HWY_SSE4: return "sse4";
    case HWY_AVX2: return "avx2";
    default: return "avx512";
  }
}

std::vector<Isa> highway_isas() {
  std::vector<Isa> isas;
#define CALOR_TARGET(one, space) \
  if (hwy::SupportedTargets() & one) isas.push_back({name_of(one), space::tiles(), highway_tables(one)});
#include "calor/kernels/highway/each_target.inc"
  return isas;
}

}  // namespace calor::kernels

#endif
