// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/descents.h"
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/descents.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/fft-inl.h"
#include "calor/kernels/highway/gaussian_pushes-inl.h"
#include "calor/kernels/highway/rational-inl.h"
#include "calor/kernels/highway/student-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const Descents* descents() {
  static const Descents table{student_row, student_pull, gaussian_log, gaussian_push, fft_pass, rational_moves};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const Descents* highway_descents(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::descents();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

}  // namespace calor::kernels

#endif
