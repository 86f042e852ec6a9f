// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/pairs.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/pairs-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const Pairs* pairs() {
  static const Pairs table{panel_of<float>, panel_of<double>, products, double_products, gathered_products, survivors,
                           distances_from_products, exponentials, squared_distance};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const Pairs* highway_pairs(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::pairs();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

}  // namespace calor::kernels

#endif
