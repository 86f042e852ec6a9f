// Products with a symmetric matrix (symmetric.h), and the stress (stress.h).
#if defined(CALOR_KERNELS_HIGHWAY_SYMMETRIC_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_SYMMETRIC_INL_H_
#undef CALOR_KERNELS_HIGHWAY_SYMMETRIC_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_SYMMETRIC_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "calor/kernels/symmetric.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using DoubleVector = hn::Vec<Doubles>;
inline constexpr std::int64_t double_lanes = HWY_LANES(double);

// Entries [row..row + row_count) x [0, columns), columns <= row, for one vector of the block: each serves its row and its mirror image.
template <int row_count>
HWY_INLINE void mirrored_columns(const double* const* rows, std::int64_t row, std::int64_t columns, const double* HWY_RESTRICT x,
                                 double* HWY_RESTRICT y) {
  const Doubles tag;
  DoubleVector sums[row_count], own[row_count];
  HWY_UNROLL(8)
  for (int r = 0; r < row_count; ++r) {
    sums[r] = hn::Zero(tag);
    own[r] = hn::LoadU(tag, x + (row + r) * block_width);
  }
  for (std::int64_t c = 0; c < columns; ++c) {
    const auto other = hn::LoadU(tag, x + c * block_width);
    auto mirrored = hn::LoadU(tag, y + c * block_width);
    HWY_UNROLL(8)
    for (int r = 0; r < row_count; ++r) {
      const auto entry = hn::Set(tag, rows[r][c]);
      sums[r] = hn::MulAdd(entry, other, sums[r]);
      mirrored = hn::MulAdd(entry, own[r], mirrored);
    }
    hn::StoreU(mirrored, tag, y + c * block_width);
  }
  HWY_UNROLL(8)
  for (int r = 0; r < row_count; ++r) {
    double* out = y + (row + r) * block_width;
    hn::StoreU(hn::Add(hn::LoadU(tag, out), sums[r]), tag, out);
  }
}

HWY_NOINLINE void symmetric_rows(const double* const* rows, std::int64_t row_count, std::int64_t first, const double* x, double* y) {
  // As many rows together as leave registers for what they share.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
  constexpr int together = 8;
#else
  constexpr int together = 4;
#endif
  for (std::int64_t v = 0; v < block_width; v += double_lanes) {
    std::int64_t r = 0;
    for (; r + together <= row_count; r += together) mirrored_columns<together>(rows + r, first + r, first, x + v, y + v);
    for (; r < row_count; ++r) mirrored_columns<1>(rows + r, first + r, first, x + v, y + v);
  }
  // Among the rows themselves.
  for (std::int64_t r = 0; r < row_count; ++r)
    for (std::int64_t c = 0; c <= r; ++c)
      for (std::int64_t n = 0; n < block_width; ++n) {
        const double entry = rows[r][first + c];
        y[(first + r) * block_width + n] += entry * x[(first + c) * block_width + n];
        if (c < r) y[(first + c) * block_width + n] += entry * x[(first + r) * block_width + n];
      }
}

// `known` dimensions, or (0) as many as are given.
template <int known>
HWY_INLINE double stress_row_in(const double* HWY_RESTRICT distances, std::int64_t row, std::int64_t given, const double* HWY_RESTRICT points,
                                std::int64_t stride, double* HWY_RESTRICT pulls) {
  const Doubles tag;
  const std::int64_t dims = known ? known : given;
  const auto difference_in = [&](std::int64_t c, std::int64_t j) HWY_ATTR {
    return hn::Sub(hn::Set(tag, points[c * stride + row]), hn::LoadU(tag, points + c * stride + j));
  };
  auto stress = hn::Zero(tag);
  DoubleVector own[known ? known : 1];
  for (auto& sum : own) sum = hn::Zero(tag);
  std::int64_t j = 0;
  for (; j + double_lanes <= row; j += double_lanes) {
    auto square = hn::Zero(tag);
    for (std::int64_t c = 0; c < dims; ++c) square = hn::MulAdd(difference_in(c, j), difference_in(c, j), square);
    const auto distance = hn::Sqrt(square), wanted = hn::LoadU(tag, distances + j);
    const auto error = hn::Sub(distance, wanted);
    stress = hn::MulAdd(error, error, stress);
    const auto ratio = hn::IfThenElseZero(hn::Gt(distance, hn::Zero(tag)), hn::Div(wanted, distance));
    for (std::int64_t c = 0; c < dims; ++c) {
      const auto pull = hn::Mul(ratio, difference_in(c, j));
      double* other = pulls + c * stride + j;
      hn::StoreU(hn::Sub(hn::LoadU(tag, other), pull), tag, other);
      if constexpr (known > 0) own[c] = hn::Add(own[c], pull);
      else pulls[c * stride + row] += hn::GetLane(hn::SumOfLanes(tag, pull));
    }
  }
  if constexpr (known > 0)
    for (std::int64_t c = 0; c < dims; ++c) pulls[c * stride + row] += hn::GetLane(hn::SumOfLanes(tag, own[c]));
  double total = hn::GetLane(hn::SumOfLanes(tag, stress));
  for (; j < row; ++j) {
    double square = 0;
    for (std::int64_t c = 0; c < dims; ++c) {
      const double difference = points[c * stride + row] - points[c * stride + j];
      square += difference * difference;
    }
    const double distance = std::sqrt(square);
    total += (distance - distances[j]) * (distance - distances[j]);
    if (distance == 0) continue;
    for (std::int64_t c = 0; c < dims; ++c) {
      const double pull = distances[j] / distance * (points[c * stride + row] - points[c * stride + j]);
      pulls[c * stride + row] += pull;
      pulls[c * stride + j] -= pull;
    }
  }
  return total;
}

HWY_NOINLINE double stress_row(const double* distances, std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride,
                               double* pulls) {
  switch (dims) {
    case 1: return stress_row_in<1>(distances, row, dims, points, stride, pulls);
    case 2: return stress_row_in<2>(distances, row, dims, points, stride, pulls);
    case 3: return stress_row_in<3>(distances, row, dims, points, stride, pulls);
    default: return stress_row_in<0>(distances, row, dims, points, stride, pulls);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
