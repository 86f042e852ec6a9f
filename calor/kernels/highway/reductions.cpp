// Compiled once per instruction set, as attention.cpp is.
#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/kernels/highway/reductions.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/edges-inl.h"
#include "calor/kernels/highway/gaussian-inl.h"
#include "calor/kernels/highway/left_out-inl.h"
#include "calor/kernels/highway/paths-inl.h"
#include "calor/kernels/highway/symmetric-inl.h"
#include "calor/kernels/highway/walk_sums-inl.h"
#include "calor/kernels/highway/working_set-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

const Gaussian* gaussian_table() {
  static const Gaussian table{gaussian_row, powers, double_powers, weigh_left_out, double_weigh_left_out};
  return &table;
}

const Paths* path_table() {
  static const Paths table{shorten_paths};
  return &table;
}

const Symmetric* symmetric_table() {
  static const Symmetric table{symmetric_rows, stress_row};
  return &table;
}

const WalkSums* walk_table() {
  static const WalkSums table{add_row, add_quartet, reaching, add_column};
  return &table;
}

const WorkingSet* working_set_table() {
  static const WorkingSet table{working::step, working::second};
  return &table;
}

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

Tables highway_tables(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return {highway_products(one), highway_softmax(one), space::gaussian_table(), space::path_table(), space::symmetric_table(), highway_descents(one), space::walk_table(), \
                              space::working_set_table(), space::edge_table(), highway_metric_steps(one), highway_dense_steps(one)};
#include "calor/kernels/highway/each_target.inc"
  return {};
}

}  // namespace calor::kernels

#endif
