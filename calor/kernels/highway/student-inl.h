// The repulsion of heavy-tailed maps over all pairs (student_sums.h).
#if defined(CALOR_KERNELS_HIGHWAY_STUDENT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_STUDENT_INL_H_
#undef CALOR_KERNELS_HIGHWAY_STUDENT_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_STUDENT_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "calor/kernels/student_sums.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// `known` dimensions, or (0) as many as are given; `plain`: one degree of freedom.  The last vector is masked: points are padded.
template <int known, bool plain>
HWY_INLINE double student_row_in(std::int64_t row, std::int64_t given, const double* HWY_RESTRICT points, std::int64_t stride, double freedom,
                                 double* HWY_RESTRICT pushes) {
  const hn::CappedTag<double, point_lanes> tag;
  using DoubleLanes = hn::Vec<decltype(tag)>;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(tag)());
  const std::int64_t dims = known ? known : given;
  const auto one = hn::Set(tag, 1.0), share = hn::Set(tag, 1 / freedom), power = hn::Set(tag, freedom);
  const auto difference_in = [&](std::int64_t c, std::int64_t j) HWY_ATTR {
    return hn::Sub(hn::Set(tag, points[c * stride + row]), hn::LoadU(tag, points + c * stride + j));
  };
  auto sum = hn::Zero(tag);
  DoubleLanes own[known ? known : 1];
  for (auto& part : own) part = hn::Zero(tag);
  for (std::int64_t j = 0; j < row; j += lanes) {
    auto square = hn::Zero(tag);
    for (std::int64_t c = 0; c < dims; ++c) square = hn::MulAdd(difference_in(c, j), difference_in(c, j), square);
    auto base = hn::Div(one, plain ? hn::Add(one, square) : hn::MulAdd(square, share, one));
    if (j + lanes > row) base = hn::IfThenElseZero(hn::FirstN(tag, static_cast<std::size_t>(row - j)), base);
    auto weight = base;
    if constexpr (!plain) weight = hn::IfThenElseZero(hn::Gt(base, hn::Zero(tag)), hn::Exp(tag, hn::Mul(power, hn::Log(tag, base))));
    sum = hn::Add(sum, weight);
    const auto strength = hn::Mul(weight, base);
    for (std::int64_t c = 0; c < dims; ++c) {
      const auto push = hn::Mul(strength, difference_in(c, j));
      double* other = pushes + c * stride + j;
      hn::StoreU(hn::Sub(hn::LoadU(tag, other), push), tag, other);
      if constexpr (known > 0) own[c] = hn::Add(own[c], push);
      else pushes[c * stride + row] += hn::GetLane(hn::SumOfLanes(tag, push));
    }
  }
  if constexpr (known > 0)
    for (std::int64_t c = 0; c < dims; ++c) pushes[c * stride + row] += hn::GetLane(hn::SumOfLanes(tag, own[c]));
  return hn::GetLane(hn::SumOfLanes(tag, sum));
}

template <bool plain>
HWY_INLINE double student_row_of(std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride, double freedom, double* pushes) {
  switch (dims) {
    case 1: return student_row_in<1, plain>(row, dims, points, stride, freedom, pushes);
    case 2: return student_row_in<2, plain>(row, dims, points, stride, freedom, pushes);
    case 3: return student_row_in<3, plain>(row, dims, points, stride, freedom, pushes);
    default: return student_row_in<0, plain>(row, dims, points, stride, freedom, pushes);
  }
}

HWY_NOINLINE double student_row(std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride, double freedom, double* pushes) {
  return freedom == 1 ? student_row_of<true>(row, dims, points, stride, freedom, pushes)
                      : student_row_of<false>(row, dims, points, stride, freedom, pushes);
}

// A vector holds the two coordinates of as many points as a vector of doubles has lanes: one gather brings both.
HWY_NOINLINE void student_pull(const float* HWY_RESTRICT points, const float* y, const std::int32_t* HWY_RESTRICT columns, const float* HWY_RESTRICT p,
                               std::int64_t count, float share, double* pull) {
  const hn::CappedTag<double, 8> pairs;
  const hn::Repartition<float, decltype(pairs)> floats;
  const hn::RebindToSigned<decltype(pairs)> places;
  const hn::RebindToUnsigned<decltype(pairs)> words;
  const hn::Rebind<std::int32_t, decltype(pairs)> narrow_places;
  const hn::Rebind<std::uint32_t, decltype(pairs)> narrow_words;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(pairs)());
  double both;
  std::memcpy(&both, y, sizeof both);
  const auto own = hn::BitCast(floats, hn::Set(pairs, both)), one = hn::Set(floats, 1.0F), factor = hn::Set(floats, share);
  auto sum = hn::Zero(floats);
  const auto add = [&](const std::int32_t* column, const float* weight) HWY_ATTR {
    const auto others = hn::GatherIndex(pairs, reinterpret_cast<const double*>(points), hn::PromoteTo(places, hn::LoadU(narrow_places, column)));
    const auto single = hn::PromoteTo(words, hn::LoadU(narrow_words, reinterpret_cast<const std::uint32_t*>(weight)));
    const auto weights = hn::BitCast(floats, hn::Or(single, hn::ShiftLeft<32>(single)));
    const auto way = hn::Sub(own, hn::BitCast(floats, others)), part = hn::Mul(way, way);
    const auto square = hn::Add(part, hn::Shuffle2301(part));
    sum = hn::MulAdd(hn::Div(weights, hn::MulAdd(factor, square, one)), way, sum);
  };
  std::int64_t e = 0;
  for (; e + lanes <= count; e += lanes) add(columns + e, p + e);
  if (e < count) {
    std::int32_t column[lanes] = {};
    float weight[lanes] = {};
    std::copy_n(columns + e, count - e, column);
    std::copy_n(p + e, count - e, weight);
    add(column, weight);
  }
  float sums[2 * lanes];
  hn::StoreU(sum, floats, sums);
  pull[0] = pull[1] = 0;
  for (std::int64_t n = 0; n < 2 * lanes; ++n) pull[n % 2] += static_cast<double>(sums[n]);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
