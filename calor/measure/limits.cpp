// The micro-kernel multiplies tiles as attention does (84 x 64 by 64 x 256, all in L2 or nearer); the exponential goes
// over a row that stays in L1.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calor/measure/limits.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first
#include "hwy/highway.h"

#include <cstdint>
#include <vector>

#include "calor/measure/interleave.h"
#include "calor/measure/limits.h"
#include "hwy/aligned_allocator.h"

HWY_BEFORE_NAMESPACE();
namespace calor::measure {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;

constexpr int rows = 84, depth = 64, columns = 256, row_stride = columns + 16;  // off the power of two
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr int tile_rows = 12;  // 32 registers
#else
constexpr int tile_rows = 6;  // 16 registers
#endif

// c [rows, columns] = a [rows, depth] times b, packed in panels of two vectors.
HWY_NOINLINE void product(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, float* HWY_RESTRICT c) {
  const Tag tag;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  for (int column = 0; column + 2 * lanes <= columns; column += 2 * lanes) {
    const float* panel = b + static_cast<std::ptrdiff_t>(column) * depth;
    for (int row = 0; row < rows; row += tile_rows) {
      hn::Vec<Tag> sums[tile_rows][2];
      HWY_UNROLL(12)
      for (auto& pair : sums) pair[0] = pair[1] = hn::Zero(tag);
      for (int k = 0; k < depth; ++k) {
        const auto left = hn::Load(tag, panel + 2 * lanes * k), right = hn::Load(tag, panel + 2 * lanes * k + lanes);
        HWY_UNROLL(12)
        for (int r = 0; r < tile_rows; ++r) {
          const auto factor = hn::Set(tag, a[(row + r) * depth + k]);
          sums[r][0] = hn::MulAdd(factor, left, sums[r][0]);
          sums[r][1] = hn::MulAdd(factor, right, sums[r][1]);
        }
      }
      HWY_UNROLL(12)
      for (int r = 0; r < tile_rows; ++r) {
        hn::Store(sums[r][0], tag, c + (row + r) * row_stride + column);
        hn::Store(sums[r][1], tag, c + (row + r) * row_stride + column + lanes);
      }
    }
  }
}

// 2^x for x <= 0: the integer part by adding 1.5 2^23, the rest by a polynomial, fitted on [-1/2, 1/2].
HWY_INLINE hn::Vec<Tag> exp2(hn::Vec<Tag> x) {
  const Tag tag;
  const hn::RebindToSigned<Tag> integer;
  x = hn::Max(x, hn::Set(tag, -126.0f));
  const auto magic = hn::Set(tag, 12582912.0f);
  const auto shifted = hn::Add(x, magic);
  const auto rest = hn::Sub(x, hn::Sub(shifted, magic));
  auto power = hn::Set(tag, 1.327647e-3f);
  for (const float term : {9.675541e-3f, 5.550713e-2f, 2.402212e-1f, 6.931470e-1f, 1.0f}) {
    power = hn::MulAdd(power, rest, hn::Set(tag, term));
  }
  return hn::BitCast(tag, hn::Add(hn::BitCast(integer, power), hn::ShiftLeft<23>(hn::BitCast(integer, shifted))));
}

HWY_NOINLINE void exponentials(const float* HWY_RESTRICT x, float* HWY_RESTRICT y, int count) {
  const Tag tag;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  for (int i = 0; i < count; i += 4 * lanes) {
    HWY_UNROLL(4)
    for (int u = 0; u < 4; ++u) hn::Store(exp2(hn::Load(tag, x + i + u * lanes)), tag, y + i + u * lanes);
  }
}

Limits measure() {
  constexpr int count = 2048, repetitions = 100;
  const auto a = hwy::AllocateAligned<float>(rows * depth), b = hwy::AllocateAligned<float>(depth * columns);
  const auto c = hwy::AllocateAligned<float>(rows * row_stride);
  const auto x = hwy::AllocateAligned<float>(count), y = hwy::AllocateAligned<float>(count);
  std::fill_n(a.get(), rows * depth, 0.5f), std::fill_n(b.get(), depth * columns, 0.25f);
  for (int i = 0; i < count; ++i) x[static_cast<std::size_t>(i)] = -0.01f * static_cast<float>(i);
  std::vector<double> products, exps;
  for (int round = 0; round < 25; ++round) {
    products.push_back(seconds_of([&] { product(a.get(), b.get(), c.get()); }, repetitions));
    exps.push_back(seconds_of([&] { exponentials(x.get(), y.get(), count); }, 10 * repetitions));
  }
  Limits limits;
  limits.target = hwy::TargetName(HWY_TARGET);
  limits.flops = 2.0 * rows * depth * columns / median(std::move(products));
  limits.exp_seconds = median(std::move(exps)) / count;
  return limits;
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::measure
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace calor::measure {

HWY_EXPORT(measure);
Limits measure_limits() { return HWY_DYNAMIC_DISPATCH(measure)(); }

}  // namespace calor::measure
#endif
