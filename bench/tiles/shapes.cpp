// Compiled once per instruction set, as the kernels are, from the kernels' own loop.
#include "bench/tiles/shapes.h"

#include "calor/kernels/highway/isas.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/tiles/shapes.cpp"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

#include "calor/kernels/highway/product-inl.h"

HWY_BEFORE_NAMESPACE();
namespace calor::bench::tiles {
namespace HWY_NAMESPACE {

namespace kernel = calor::kernels::HWY_NAMESPACE;

template <int rows, int vectors>
void product(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::int64_t depth, float* HWY_RESTRICT c) {
  const kernel::Tag tag;
  const std::int64_t lanes = kernel::lanes(), width = vectors * lanes;
  kernel::Vector sums[rows][vectors];
  for (auto& row : sums)
    for (auto& sum : row) sum = kernel::hn::Zero(tag);
  kernel::multiply<kernel::Order::rows>(a, depth, b, width, depth, sums);
  for (int r = 0; r < rows; ++r)
    for (int n = 0; n < vectors; ++n) kernel::hn::StoreU(sums[r][n], tag, c + r * width + n * lanes);
}

template <int vectors>
void add(std::vector<Shape>& shapes) {
  const auto one = [&]<int rows>() { shapes.push_back({rows, vectors, kernel::lanes(), product<rows, vectors>}); };
  one.template operator()<1>();
  one.template operator()<2>();
  one.template operator()<4>();
  one.template operator()<6>();
  one.template operator()<8>();
  one.template operator()<10>();
  one.template operator()<12>();
  one.template operator()<14>();
}

std::vector<Shape> list() {
  std::vector<Shape> result;
  add<1>(result);
  add<2>(result);
  add<3>(result);
  add<4>(result);
  return result;
}

Shape own() { return {kernel::accumulators / 2, 2, kernel::lanes(), nullptr}; }

}  // namespace HWY_NAMESPACE
}  // namespace calor::bench::tiles
HWY_AFTER_NAMESPACE();

#endif

#if HWY_ONCE
namespace calor::bench::tiles {

std::vector<Shape> shapes(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::list();
#include "calor/kernels/highway/each_target.inc"
  return {};
}

Shape chosen(std::int64_t target) {
#define CALOR_TARGET(one, space) \
  if (target == one) return space::own();
#include "calor/kernels/highway/each_target.inc"
  return {};
}

}  // namespace calor::bench::tiles
#endif
