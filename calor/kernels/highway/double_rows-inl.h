// Attention's forward pass in double (double_rows.h).
#if defined(CALOR_KERNELS_HIGHWAY_DOUBLE_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_DOUBLE_ROWS_INL_H_
#undef CALOR_KERNELS_HIGHWAY_DOUBLE_ROWS_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_DOUBLE_ROWS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

#include "calor/kernels/double_rows.h"
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

HWY_NOINLINE double double_weigh(double* HWY_RESTRICT scores, std::int64_t count, double* HWY_RESTRICT max) {
  const hn::ScalableTag<double> tag;
  constexpr std::int64_t lanes = HWY_LANES(double);
  constexpr double lowest = std::numeric_limits<double>::lowest();
  const std::int64_t whole = count / lanes * lanes;
  const auto rest = hn::FirstN(tag, static_cast<std::size_t>(count - whole));
  const auto last = [&]() HWY_ATTR { return hn::IfThenElse(rest, hn::MaskedLoad(rest, tag, scores + whole), hn::Set(tag, lowest)); };
  // x - x is 0 for what is finite and NaN for what is not.
  auto top = last(), difference = hn::Sub(top, top);
  for (std::int64_t j = 0; j < whole; j += lanes) {
    const auto score = hn::LoadU(tag, scores + j);
    top = hn::Max(top, score);
    difference = hn::Add(difference, hn::Sub(score, score));
  }
  if (!hn::AllTrue(tag, hn::Eq(difference, hn::Zero(tag)))) return std::numeric_limits<double>::quiet_NaN();
  top = hn::MaxOfLanes(tag, top);
  *max = hn::GetLane(top);
  auto sum = hn::IfThenElseZero(rest, hn::Exp(tag, hn::Sub(last(), top)));
  hn::BlendedStore(sum, rest, tag, scores + whole);
  for (std::int64_t j = 0; j < whole; j += lanes) {
    const auto weight = hn::Exp(tag, hn::Sub(hn::LoadU(tag, scores + j), top));
    hn::StoreU(weight, tag, scores + j);
    sum = hn::Add(sum, weight);
  }
  return hn::GetLane(hn::SumOfLanes(tag, sum));
}

template <int columns_together>
HWY_INLINE void double_columns(const double* HWY_RESTRICT weights, std::int64_t count, const double* HWY_RESTRICT columns, std::int64_t stride,
                               double* HWY_RESTRICT out) {
  const hn::ScalableTag<double> tag;
  constexpr std::int64_t lanes = HWY_LANES(double);
  const std::int64_t whole = count / lanes * lanes;
  const auto rest = hn::FirstN(tag, static_cast<std::size_t>(count - whole));
  const auto last = hn::MaskedLoad(rest, tag, weights + whole);
  hn::Vec<decltype(tag)> sums[columns_together];
  HWY_UNROLL(4)
  for (int c = 0; c < columns_together; ++c) sums[c] = hn::Mul(last, hn::MaskedLoad(rest, tag, columns + c * stride + whole));
  for (std::int64_t j = 0; j < whole; j += lanes) {
    const auto weight = hn::LoadU(tag, weights + j);
    HWY_UNROLL(4)
    for (int c = 0; c < columns_together; ++c) sums[c] = hn::MulAdd(weight, hn::LoadU(tag, columns + c * stride + j), sums[c]);
  }
  HWY_UNROLL(4)
  for (int c = 0; c < columns_together; ++c) out[c] = hn::GetLane(hn::SumOfLanes(tag, sums[c]));
}

HWY_NOINLINE void double_combine(const double* weights, std::int64_t count, const double* columns, std::int64_t stride,
                                 std::int64_t column_count, double* out) {
  std::int64_t c = 0;
  for (; c + 4 <= column_count; c += 4) double_columns<4>(weights, count, columns + c * stride, stride, out + c);
  for (; c < column_count; ++c) double_columns<1>(weights, count, columns + c * stride, stride, out + c);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
