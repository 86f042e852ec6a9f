// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/dense_steps.h"
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/dense_steps.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/dense-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const DenseSteps* dense_table() {
  static const DenseSteps table{dense::multiply, dense::add_transposed, dense::finish, dense::through_tanh, dense::add};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const DenseSteps* highway_dense_steps(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::dense_table();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

}  // namespace calor::kernels

#endif
