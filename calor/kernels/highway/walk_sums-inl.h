// Sums of sparse rows (walk_sums.h).
#if defined(CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_
#undef CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_WALK_SUMS_INL_H_
#endif

#include <cstdint>

#include "calor/kernels/walk_sums.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The lanes of `vectors` vectors from the first of these on.
template <std::int64_t vectors>
HWY_INLINE std::int64_t add_lanes(const std::int32_t* HWY_RESTRICT column, const double* HWY_RESTRICT values, std::int64_t count, std::int32_t end,
                                  const double* HWY_RESTRICT weights, double* HWY_RESTRICT sums) {
  const hn::CappedTag<double, walk_lanes> tag;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(tag)());
  hn::Vec<decltype(tag)> weight[vectors];
  HWY_UNROLL(8)
  for (std::int64_t v = 0; v < vectors; ++v) weight[v] = hn::Load(tag, weights + v * lanes);
  std::int64_t e = 0;
  for (; e < count && column[e] < end; ++e) {
    double* HWY_RESTRICT sum = sums + static_cast<std::int64_t>(column[e]) * walk_lanes;
    const auto value = hn::Set(tag, values[e]);
    HWY_UNROLL(8)
    for (std::int64_t v = 0; v < vectors; ++v) hn::Store(hn::MulAdd(value, weight[v], hn::Load(tag, sum + v * lanes)), tag, sum + v * lanes);
  }
  return e;
}

// Where few of the rows lead to this one, only the vectors with a weight.
HWY_NOINLINE std::int64_t add_row(const std::int32_t* column, const double* values, std::int64_t count, std::int32_t end, const double* weights, double* sums) {
  constexpr std::int64_t lanes = hn::MaxLanes(hn::CappedTag<double, walk_lanes>()), vectors = walk_lanes / lanes;
  bool any[vectors] = {};
  std::int64_t number = 0;
  for (std::int64_t v = 0; v < vectors; ++v) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) any[v] |= weights[v * lanes + lane] != 0;
    number += any[v];
  }
  if (2 * number > vectors) return add_lanes<vectors>(column, values, count, end, weights, sums);
  std::int64_t done = 0;
  for (std::int64_t v = 0; v < vectors; ++v)
    if (any[v]) done = add_lanes<1>(column, values, count, end, weights + v * lanes, sums + v * lanes);
  return done;
}

// Four edges are read before one of their sums is written: they have different columns.
HWY_NOINLINE void add_quartet(const std::uint16_t* HWY_RESTRICT column, const double* HWY_RESTRICT values, std::int64_t count, const double* HWY_RESTRICT weights,
                              double* HWY_RESTRICT sums) {
  const hn::CappedTag<double, quartet> tag;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(tag)()), vectors = quartet / lanes;
  hn::Vec<decltype(tag)> weight[vectors];
  for (std::int64_t v = 0; v < vectors; ++v) weight[v] = hn::Load(tag, weights + v * lanes);
  constexpr std::int64_t together = vectors == 1 ? 4 : 2;
  std::int64_t e = 0;
  for (; e + together <= count; e += together) {
    hn::Vec<decltype(tag)> sum[together * vectors];
    HWY_UNROLL(8)
    for (std::int64_t u = 0; u < together * vectors; ++u) {
      const double* HWY_RESTRICT at = sums + column[e + u / vectors] * quartet + u % vectors * lanes;
      sum[u] = hn::MulAdd(hn::Set(tag, values[e + u / vectors]), weight[u % vectors], hn::Load(tag, at));
    }
    HWY_UNROLL(8)
    for (std::int64_t u = 0; u < together * vectors; ++u) hn::Store(sum[u], tag, sums + column[e + u / vectors] * quartet + u % vectors * lanes);
  }
  for (; e < count; ++e)
    for (std::int64_t v = 0; v < vectors; ++v) {
      double* HWY_RESTRICT at = sums + column[e] * quartet + v * lanes;
      hn::Store(hn::MulAdd(hn::Set(tag, values[e]), weight[v], hn::Load(tag, at)), tag, at);
    }
}

HWY_NOINLINE std::int64_t reaching(const double* HWY_RESTRICT sums, std::int64_t columns, double least, std::int32_t* HWY_RESTRICT listed) {
  const hn::CappedTag<double, quartet> tag;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(tag)()), vectors = quartet / lanes;
  const auto from = hn::Set(tag, least);
  const auto largest = [&](std::int64_t first, std::int64_t end) HWY_ATTR {
    auto most = hn::Zero(tag);
    for (std::int64_t at = first * vectors; at < end * vectors; ++at) most = hn::Max(most, hn::Abs(hn::Load(tag, sums + at * lanes)));
    return most;
  };
  constexpr std::int64_t together = 4;  // most columns are not listed
  std::int64_t count = 0, c = 0;
  const auto look_at = [&](std::int64_t end) HWY_ATTR {
    for (; c < end; ++c) {
      listed[count] = static_cast<std::int32_t>(c);
      count += !hn::AllFalse(tag, hn::Ge(largest(c, c + 1), from));
    }
  };
  while (c + together <= columns) {
    if (hn::AllFalse(tag, hn::Ge(largest(c, c + together), from))) c += together;
    else look_at(c + together);
  }
  look_at(columns);
  return count;
}

HWY_NOINLINE void add_column(const std::int32_t* HWY_RESTRICT row, const double* HWY_RESTRICT values, std::int64_t count, const double* HWY_RESTRICT weights,
                             double* HWY_RESTRICT sums) {
  const hn::CappedTag<double, quartet> tag;
  constexpr std::int64_t lanes = hn::MaxLanes(decltype(tag)()), vectors = quartet / lanes;
  hn::Vec<decltype(tag)> sum[vectors];
  for (std::int64_t v = 0; v < vectors; ++v) sum[v] = hn::Zero(tag);
  for (std::int64_t e = 0; e < count; ++e) {
    const auto value = hn::Set(tag, values[e]);
    const double* HWY_RESTRICT weight = weights + static_cast<std::int64_t>(row[e]) * quartet;
    for (std::int64_t v = 0; v < vectors; ++v) sum[v] = hn::MulAdd(value, hn::Load(tag, weight + v * lanes), sum[v]);
  }
  for (std::int64_t v = 0; v < vectors; ++v) hn::Store(sum[v], tag, sums + v * lanes);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
