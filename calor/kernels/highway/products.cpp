// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/products.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/products-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const Products* product_table() {
  static const Products table{panel_of<float>, panel_of<double>, panel_of<std::int32_t>, products, double_products, whole_products, gathered_products, listed_dots, survivors, distances_from_products, add_weighted_rows, squared_distance};
  return &table;
}

const Softmax* softmax_table() {
  static const Softmax table{exponentials};
  return &table;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE

namespace calor::kernels {

const Products* highway_products(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::product_table();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

const Softmax* highway_softmax(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::softmax_table();
#include "calor/kernels/highway/each_target.inc"
  return nullptr;
}

}  // namespace calor::kernels

#endif
