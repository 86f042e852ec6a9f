// Compiled once per instruction set, as the kernels are, so that the compiler may use it in the plain rungs too.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/ladder/rungs.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "bench/ladder/streamed-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::bench::ladder {
namespace HWY_NAMESPACE {

std::vector<Rung> list() {
  return {{"three loops", naive},
          {"tiles of 96 x 256", tiled},
          {"running softmax", streamed<OneByOne, PlainProducts>},
          {"exponentials in vectors", streamed<InVectors, PlainProducts>},
          {"packed panels, register tiles", streamed<InVectors, RegisterProducts<key_block>>},
          {"tile rows 272 apart, not 256", streamed<InVectors, RegisterProducts<key_block + 16>>},
          {"6 with one exp at a time", streamed<OneByOne, RegisterProducts<key_block + 16>>}};
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::bench::ladder
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace calor::bench::ladder {

std::vector<Rung> rungs(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::list();
#include "calor/kernels/highway/each_target.inc"
  return {};
}

}  // namespace calor::bench::ladder
#endif
