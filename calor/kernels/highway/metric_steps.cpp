// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/metric_steps.h"
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/metric_steps.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/metric_steps-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const MetricSteps* metric_table() {
  static const MetricSteps table{metric::add_product, metric::rectified_product, metric::gated_product, metric::inner_products,
                                 metric::affinities,  metric::affinity_sums,     metric::pair_weights,  metric::normals};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const MetricSteps* highway_metric_steps(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::metric_table();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

}  // namespace calor::kernels

#endif
