// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/edge_rows.h"
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/edges.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/edges-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const Edges* edge_table() {
  static const Edges table{edges::edge_row_table<float>(), edges::edge_row_table<double>()};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const Edges* highway_edges(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::edge_table();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

}  // namespace calor::kernels

#endif
