// Attention's forward pass in double (double_tiles.h).
#if defined(CALOR_KERNELS_HIGHWAY_DOUBLE_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_DOUBLE_TILES_INL_H_
#undef CALOR_KERNELS_HIGHWAY_DOUBLE_TILES_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_DOUBLE_TILES_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include "calor/kernels/double_tiles.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <bool squared>
HWY_INLINE void double_scores_of(const double* const* queries, std::int64_t dim, const double* HWY_RESTRICT keys, std::int64_t panels,
                                 double factor, const double* HWY_RESTRICT bias, double* HWY_RESTRICT scores, std::int64_t stride) {
  const hn::ScalableTag<double> tag;
  using Vector = hn::Vec<decltype(tag)>;
  constexpr std::int64_t lanes = HWY_LANES(double);
  const auto scale = hn::Set(tag, factor);
  for (std::int64_t p = 0; p < panels; ++p) {
    const double* panel = keys + p * dim * double_panel;
    for (std::int64_t j = 0; j < double_panel; j += 2 * lanes) {
      Vector sums[double_rows_together][2];
      HWY_UNROLL(4)
      for (auto& row : sums) row[0] = row[1] = hn::Zero(tag);
      for (std::int64_t c = 0; c < dim; ++c) {
        const Vector key[2] = {hn::LoadU(tag, panel + c * double_panel + j), hn::LoadU(tag, panel + c * double_panel + j + lanes)};
        HWY_UNROLL(4)
        for (int r = 0; r < double_rows_together; ++r) {
          const auto query = hn::Set(tag, queries[r][c]);
          HWY_UNROLL(2)
          for (int n = 0; n < 2; ++n) {
            if constexpr (squared) {
              const auto difference = hn::Sub(key[n], query);
              sums[r][n] = hn::MulAdd(difference, difference, sums[r][n]);
            } else {
              sums[r][n] = hn::MulAdd(key[n], query, sums[r][n]);
            }
          }
        }
      }
      HWY_UNROLL(4)
      for (int r = 0; r < double_rows_together; ++r) {
        double* out = scores + r * stride + p * double_panel + j;
        const double* own = bias + p * double_panel + j;
        hn::StoreU(hn::MulAdd(scale, sums[r][0], hn::LoadU(tag, own)), tag, out);
        hn::StoreU(hn::MulAdd(scale, sums[r][1], hn::LoadU(tag, own + lanes)), tag, out + lanes);
      }
    }
  }
}

HWY_NOINLINE void double_scores(const double* const* queries, std::int64_t dim, const double* keys, std::int64_t panels, bool squared,
                                double scale, const double* bias, double* scores, std::int64_t stride) {
  if (squared) double_scores_of<true>(queries, dim, keys, panels, -scale, bias, scores, stride);
  else double_scores_of<false>(queries, dim, keys, panels, scale, bias, scores, stride);
}

HWY_NOINLINE double double_weigh(double* HWY_RESTRICT scores, std::int64_t count, DoubleSoftmax* row) {
  const hn::ScalableTag<double> tag;
  constexpr std::int64_t lanes = HWY_LANES(double);
  const std::int64_t whole = count / lanes * lanes;
  const auto rest = hn::FirstN(tag, static_cast<std::size_t>(count - whole));
  const auto last = [&]() HWY_ATTR { return hn::IfThenElse(rest, hn::MaskedLoad(rest, tag, scores + whole), hn::Set(tag, masked_score)); };
  // x - x is 0 for what is finite and NaN for what is not.
  auto top = last(), difference = hn::Sub(top, top);
  for (std::int64_t j = 0; j < whole; j += lanes) {
    const auto score = hn::LoadU(tag, scores + j);
    top = hn::Max(top, score);
    difference = hn::Add(difference, hn::Sub(score, score));
  }
  if (!hn::AllTrue(tag, hn::Eq(difference, hn::Zero(tag)))) return std::numeric_limits<double>::quiet_NaN();
  const double before = row->max, highest = hn::GetLane(hn::MaxOfLanes(tag, top));
  if (highest > before) row->max = highest;
  if (row->max == masked_score) {
    std::fill_n(scores, count, 0.0);
    return 1;
  }
  const auto max = hn::Set(tag, row->max);
  auto sum = hn::IfThenElseZero(rest, hn::Exp(tag, hn::Sub(last(), max)));
  hn::BlendedStore(sum, rest, tag, scores + whole);
  for (std::int64_t j = 0; j < whole; j += lanes) {
    const auto weight = hn::Exp(tag, hn::Sub(hn::LoadU(tag, scores + j), max));
    hn::StoreU(weight, tag, scores + j);
    sum = hn::Add(sum, weight);
  }
  const double factor = row->max == before || row->sum == 0 ? 1 : hn::GetLane(hn::Exp(tag, hn::Set(tag, before - row->max)));
  row->sum = row->sum * factor + hn::GetLane(hn::SumOfLanes(tag, sum));
  return factor;
}

template <int rows, int vectors>
HWY_INLINE void double_block(const double* HWY_RESTRICT weights, std::int64_t weight_stride, std::int64_t count, const double* HWY_RESTRICT values,
                             std::int64_t width, double* HWY_RESTRICT sums) {
  const hn::ScalableTag<double> tag;
  constexpr std::int64_t lanes = HWY_LANES(double);
  hn::Vec<decltype(tag)> sum[rows][vectors];
  HWY_UNROLL(4)
  for (int r = 0; r < rows; ++r)
    HWY_UNROLL(3)
    for (int n = 0; n < vectors; ++n) sum[r][n] = hn::LoadU(tag, sums + r * width + n * lanes);
  for (std::int64_t j = 0; j < count; ++j) {
    hn::Vec<decltype(tag)> value[vectors];
    HWY_UNROLL(3)
    for (int n = 0; n < vectors; ++n) value[n] = hn::LoadU(tag, values + j * width + n * lanes);
    HWY_UNROLL(4)
    for (int r = 0; r < rows; ++r) {
      const auto weight = hn::Set(tag, weights[r * weight_stride + j]);
      HWY_UNROLL(3)
      for (int n = 0; n < vectors; ++n) sum[r][n] = hn::MulAdd(weight, value[n], sum[r][n]);
    }
  }
  HWY_UNROLL(4)
  for (int r = 0; r < rows; ++r)
    HWY_UNROLL(3)
    for (int n = 0; n < vectors; ++n) hn::StoreU(sum[r][n], tag, sums + r * width + n * lanes);
}

template <int vectors>
HWY_INLINE void double_band(const double* weights, std::int64_t weight_stride, std::int64_t rows, std::int64_t count, const double* values,
                            std::int64_t width, double* sums) {
  std::int64_t r = 0;
  for (; r + 4 <= rows; r += 4) double_block<4, vectors>(weights + r * weight_stride, weight_stride, count, values, width, sums + r * width);
  for (; r < rows; ++r) double_block<1, vectors>(weights + r * weight_stride, weight_stride, count, values, width, sums + r * width);
}

HWY_NOINLINE void double_combine(const double* weights, std::int64_t weight_stride, std::int64_t rows, std::int64_t count, const double* values,
                                 std::int64_t width, double* sums) {
  constexpr std::int64_t lanes = HWY_LANES(double);
  std::int64_t c = 0;
  for (; c + 3 * lanes <= width; c += 3 * lanes) double_band<3>(weights, weight_stride, rows, count, values + c, width, sums + c);
  if (width - c == 2 * lanes) double_band<2>(weights, weight_stride, rows, count, values + c, width, sums + c);
  else if (width - c == lanes) double_band<1>(weights, weight_stride, rows, count, values + c, width, sums + c);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
