// Reductions over all pairs of packed points (pairs.h).
#if defined(CALOR_KERNELS_HIGHWAY_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_PRODUCTS_INL_H_
#undef CALOR_KERNELS_HIGHWAY_PRODUCTS_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_PRODUCTS_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "calor/kernels/tables.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using TagOf = hn::ScalableTag<T>;
template <class T>
using VectorOf = hn::Vec<TagOf<T>>;
template <class T>
inline constexpr std::int64_t lanes_of = HWY_LANES(T);
template <class T>
inline constexpr std::int64_t panel_of = 2 * lanes_of<T>;

// Rows of a register tile two vectors wide: the accumulators fill the registers but for a line of columns and a factor.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
inline constexpr int most_rows = 12;
#else
inline constexpr int most_rows = 6;
#endif

// Steps along the dimension between visits to the tile: a panel of columns of that depth (160 x 128 bytes) stays in the
// first-level cache while the rows go by.
inline constexpr std::int64_t most_depth = 160;

template <class T>
HWY_INLINE VectorOf<T> multiply_add(VectorOf<T> a, VectorOf<T> b, VectorOf<T> sum) {
  return hn::MulAdd(a, b, sum);
}
// Of pairs of whole numbers (tables.h).
template <>
HWY_INLINE VectorOf<std::int32_t> multiply_add<std::int32_t>(VectorOf<std::int32_t> a, VectorOf<std::int32_t> b, VectorOf<std::int32_t> sum) {
  const TagOf<std::int32_t> tag;
  const hn::RepartitionToNarrow<TagOf<std::int32_t>> halves;
  auto upper = hn::Zero(tag);
  const auto lower = hn::ReorderWidenMulAccumulate(tag, hn::BitCast(halves, a), hn::BitCast(halves, b), hn::Zero(tag), upper);
  return hn::Add(sum, hn::RearrangeToOddPlusEven(lower, upper));
}

// c [rows][panel] = or += a' b with a(k, r) at a[r][k * panel] and b(k, .) at b[k * panel].
template <class T, int rows>
HWY_NOINLINE void register_tile(const T* const* HWY_RESTRICT rows_at, const T* HWY_RESTRICT b, std::int64_t depth, bool first, T* HWY_RESTRICT c,
                                std::int64_t stride) {
  const TagOf<T> tag;
  constexpr std::int64_t lanes = lanes_of<T>;
  VectorOf<T> sums[rows][2];
  const T* a[rows];
  for (int r = 0; r < rows; ++r) a[r] = rows_at[r];
  HWY_UNROLL(12)
  for (int r = 0; r < rows; ++r) {
    sums[r][0] = first ? hn::Zero(tag) : hn::LoadU(tag, c + r * stride);
    sums[r][1] = first ? hn::Zero(tag) : hn::LoadU(tag, c + r * stride + lanes);
  }
  for (std::int64_t k = 0; k < depth; ++k) {
    const auto left = hn::Load(tag, b + k * 2 * lanes), right = hn::Load(tag, b + k * 2 * lanes + lanes);
    HWY_UNROLL(12)
    for (int r = 0; r < rows; ++r) {
      const auto factor = hn::Set(tag, a[r][k * 2 * lanes]);
      sums[r][0] = multiply_add<T>(factor, left, sums[r][0]);
      sums[r][1] = multiply_add<T>(factor, right, sums[r][1]);
    }
  }
  HWY_UNROLL(12)
  for (int r = 0; r < rows; ++r) {
    hn::StoreU(sums[r][0], tag, c + r * stride);
    hn::StoreU(sums[r][1], tag, c + r * stride + lanes);
  }
}

template <class T, int... n>
constexpr auto register_tiles(std::integer_sequence<int, n...>) {
  return std::array{&register_tile<T, n + 1>...};
}

template <class T>
HWY_INLINE void products_of(const T* rows, std::int64_t row_count, const T* columns, std::int64_t panels, std::int64_t dim, T* tile,
                            std::int64_t stride) {
  static constexpr auto kernels = register_tiles<T>(std::make_integer_sequence<int, most_rows>());
  constexpr std::int64_t panel = panel_of<T>;
  const std::int64_t pieces = (dim + most_depth - 1) / most_depth, step = (dim + pieces - 1) / pieces;
  for (std::int64_t begin = 0; begin < dim; begin += step) {
    const std::int64_t depth = std::min(step, dim - begin);
    // The rows in groups as equal as they go, across panels.
    const std::int64_t groups = (row_count + most_rows - 1) / most_rows, least = row_count / std::max<std::int64_t>(1, groups), longer = row_count - groups * least;
    for (std::int64_t p = 0; p < panels; ++p) {
      const T* at[most_rows];
      for (std::int64_t g = 0, row = 0; g < groups; ++g) {
        const std::int64_t size = least + (g < longer ? 1 : 0);
        for (std::int64_t r = 0; r < size; ++r) at[r] = rows + (row + r) / panel * panel * dim + begin * panel + (row + r) % panel;
        kernels[static_cast<std::size_t>(size - 1)](at, columns + (p * dim + begin) * panel, depth, begin == 0, tile + row * stride + p * panel, stride);
        row += size;
      }
    }
  }
}

HWY_NOINLINE void products(const float* rows, std::int64_t row_count, const float* columns, std::int64_t panels, std::int64_t dim,
                           float* tile, std::int64_t stride) {
  products_of(rows, row_count, columns, panels, dim, tile, stride);
}

HWY_NOINLINE void double_products(const double* rows, std::int64_t row_count, const double* columns, std::int64_t panels,
                                  std::int64_t dim, double* tile, std::int64_t stride) {
  products_of(rows, row_count, columns, panels, dim, tile, stride);
}

HWY_NOINLINE void whole_products(const std::int32_t* rows, std::int64_t row_count, const std::int32_t* columns, std::int64_t panels,
                                 std::int64_t pairs, std::int32_t* tile, std::int64_t stride) {
  products_of(rows, row_count, columns, panels, pairs, tile, stride);
}

// Sums of `rows` rows and `vectors` vectors of columns stay in registers while all weights go by.
template <int rows, int vectors>
HWY_NOINLINE void weighted_tile(const double* HWY_RESTRICT values, std::int64_t stride, std::int64_t count, const double* HWY_RESTRICT weights,
                                std::int64_t width, double* HWY_RESTRICT sums) {
  const TagOf<double> tag;
  constexpr std::int64_t lanes = lanes_of<double>;
  VectorOf<double> sum[rows][vectors];
  HWY_UNROLL(4)
  for (int r = 0; r < rows; ++r) {
    HWY_UNROLL(3)
    for (int n = 0; n < vectors; ++n) sum[r][n] = hn::LoadU(tag, sums + r * width + n * lanes);
  }
  for (std::int64_t b = 0; b < count; ++b) {
    VectorOf<double> weight[vectors];
    HWY_UNROLL(3)
    for (int n = 0; n < vectors; ++n) weight[n] = hn::LoadU(tag, weights + b * width + n * lanes);
    HWY_UNROLL(4)
    for (int r = 0; r < rows; ++r) {
      const auto value = hn::Set(tag, values[r * stride + b]);
      HWY_UNROLL(3)
      for (int n = 0; n < vectors; ++n) sum[r][n] = hn::MulAdd(value, weight[n], sum[r][n]);
    }
  }
  HWY_UNROLL(4)
  for (int r = 0; r < rows; ++r) {
    HWY_UNROLL(3)
    for (int n = 0; n < vectors; ++n) hn::StoreU(sum[r][n], tag, sums + r * width + n * lanes);
  }
}

template <int vectors>
HWY_INLINE void weighted_columns(const double* values, std::int64_t row_count, std::int64_t stride, std::int64_t count, const double* weights,
                                 std::int64_t width, double* sums) {
  static constexpr std::array tiles{&weighted_tile<1, vectors>, &weighted_tile<2, vectors>, &weighted_tile<3, vectors>, &weighted_tile<4, vectors>};
  for (std::int64_t r = 0; r < row_count; r += 4)
    tiles[static_cast<std::size_t>(std::min<std::int64_t>(4, row_count - r) - 1)](values + r * stride, stride, count, weights, width, sums + r * width);
}

HWY_NOINLINE void add_weighted_rows(const double* values, std::int64_t row_count, std::int64_t stride, std::int64_t count, const double* weights,
                                    std::int64_t width, double* sums) {
  constexpr std::int64_t lanes = lanes_of<double>;
  for (std::int64_t m = 0; m < width; m += 3 * lanes) {
    const std::int64_t vectors = std::min<std::int64_t>(3, (width - m) / lanes);
    const auto columns = vectors == 1 ? weighted_columns<1> : vectors == 2 ? weighted_columns<2> : weighted_columns<3>;
    columns(values, row_count, stride, count, weights + m, width, sums + m);
  }
}

// out[r] = x . row_r, for rows that share the loads of x.
template <int rows>
HWY_NOINLINE void dots_of(const float* HWY_RESTRICT x, const float* const* HWY_RESTRICT row, std::int64_t dim, float* HWY_RESTRICT out) {
  const TagOf<float> tag;
  VectorOf<float> sums[rows];
  HWY_UNROLL(4)
  for (int r = 0; r < rows; ++r) sums[r] = hn::Zero(tag);
  std::int64_t c = 0;
  for (; c + lanes_of<float> <= dim; c += lanes_of<float>) {
    const auto factor = hn::LoadU(tag, x + c);
    HWY_UNROLL(4)
    for (int r = 0; r < rows; ++r) sums[r] = hn::MulAdd(factor, hn::LoadU(tag, row[r] + c), sums[r]);
  }
  for (int r = 0; r < rows; ++r) {
    out[r] = hn::GetLane(hn::SumOfLanes(tag, sums[r]));
    for (std::int64_t rest = c; rest < dim; ++rest) out[r] += x[rest] * row[r][rest];
  }
}

HWY_NOINLINE void listed_dots(const float* x, const float* at, std::int64_t dim, const std::int32_t* listed, std::int64_t count, float* out) {
  static constexpr std::array kernels{&dots_of<1>, &dots_of<2>, &dots_of<3>, &dots_of<4>};
  for (std::int64_t n = 0; n < count; n += 4) {
    const std::int64_t rows = std::min<std::int64_t>(4, count - n);
    const float* row[4];
    for (std::int64_t r = 0; r < rows; ++r) row[r] = at + listed[n + r] * dim;
    kernels[static_cast<std::size_t>(rows - 1)](x, row, dim, out + n);
  }
}

template <bool both>
HWY_INLINE std::int64_t survivors_of(const float* HWY_RESTRICT products, std::int64_t width, float row_bound,
                                     const float* HWY_RESTRICT halves, float row_half, const float* HWY_RESTRICT column_bounds,
                                     std::int32_t* HWY_RESTRICT found) {
  const TagOf<float> tag;
  const auto bound = hn::Set(tag, row_bound), half = hn::Set(tag, row_half);
  std::int64_t count = 0;
  for (std::int64_t c = 0; c < width; c += lanes_of<float>) {
    auto least = hn::Add(bound, hn::LoadU(tag, halves + c));
    if constexpr (both) least = hn::Min(least, hn::Add(half, hn::LoadU(tag, column_bounds + c)));
    const auto mask = hn::Ge(hn::LoadU(tag, products + c), least);
    if (HWY_LIKELY(hn::AllFalse(tag, mask))) continue;
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(tag, mask, bytes);
    unsigned bits = bytes[0] | static_cast<unsigned>(bytes[1]) << 8;
    for (; bits; bits &= bits - 1) found[count++] = static_cast<std::int32_t>(c + __builtin_ctz(bits));
  }
  return count;
}

HWY_NOINLINE std::int64_t survivors(const float* products, std::int64_t width, float row_bound, const float* halves, float row_half,
                                    const float* column_bounds, std::int32_t* found) {
  return column_bounds ? survivors_of<true>(products, width, row_bound, halves, row_half, column_bounds, found)
                       : survivors_of<false>(products, width, row_bound, halves, row_half, column_bounds, found);
}

// sums[r] = row_r . columns for one panel of `vectors` vectors.  Four steps at a time: more rows than there are registers for
// their addresses.
template <int rows, int vectors>
HWY_INLINE void row_products(const float* const* HWY_RESTRICT row, const float* HWY_RESTRICT panel, std::int64_t dim,
                             VectorOf<float> (&sums)[rows][vectors]) {
  const TagOf<float> tag;
  constexpr std::int64_t lanes = lanes_of<float>, width = vectors * lanes;
  constexpr int steps = 4 / vectors;
  std::int64_t k = 0;
  for (; k + steps <= dim; k += steps) {
    VectorOf<float> line[steps][vectors];
    HWY_UNROLL(4)
    for (int n = 0; n < steps * vectors; ++n) line[n / vectors][n % vectors] = hn::Load(tag, panel + k * width + n * lanes);
    HWY_UNROLL(24)
    for (int r = 0; r < rows; ++r) {
      const float* at = row[r] + k;
      HWY_UNROLL(4)
      for (int n = 0; n < steps * vectors; ++n)
        sums[r][n % vectors] = hn::MulAdd(hn::Set(tag, at[n / vectors]), line[n / vectors][n % vectors], sums[r][n % vectors]);
    }
  }
  for (; k < dim; ++k)
    for (int r = 0; r < rows; ++r)
      for (int n = 0; n < vectors; ++n)
        sums[r][n] = hn::MulAdd(hn::Set(tag, row[r][k]), hn::Load(tag, panel + k * width + n * lanes), sums[r][n]);
}

template <int rows, int vectors>
HWY_NOINLINE void gathered_rows(const float* const* row, const float* columns, std::int64_t panels, std::int64_t dim, float* tile,
                                std::int64_t stride) {
  const TagOf<float> tag;
  constexpr std::int64_t lanes = lanes_of<float>, width = vectors * lanes;
  for (std::int64_t p = 0; p < panels; ++p) {
    VectorOf<float> sums[rows][vectors];
    HWY_UNROLL(24)
    for (int n = 0; n < rows * vectors; ++n) sums[n / vectors][n % vectors] = hn::Zero(tag);
    row_products(row, columns + p * dim * width, dim, sums);
    HWY_UNROLL(24)
    for (int n = 0; n < rows * vectors; ++n)
      hn::StoreU(sums[n / vectors][n % vectors], tag, tile + n / vectors * stride + p * width + n % vectors * lanes);
  }
}

template <int vectors>
HWY_INLINE void gathered_products_of(const float* const* rows, std::int64_t row_count, const float* columns, std::int64_t panels,
                                     std::int64_t dim, float* tile, std::int64_t stride) {
  constexpr int full = 2 * most_rows / vectors;
  std::int64_t r = 0;
  for (; r + full <= row_count; r += full) gathered_rows<full, vectors>(rows + r, columns, panels, dim, tile + r * stride, stride);
  for (; r + 4 <= row_count; r += 4) gathered_rows<4, vectors>(rows + r, columns, panels, dim, tile + r * stride, stride);
  for (; r < row_count; ++r) gathered_rows<1, vectors>(rows + r, columns, panels, dim, tile + r * stride, stride);
}

HWY_NOINLINE void gathered_products(const float* const* rows, std::int64_t row_count, const float* columns, std::int64_t panels,
                                    std::int64_t width, std::int64_t dim, float* tile, std::int64_t stride) {
  if (width == lanes_of<float>) gathered_products_of<1>(rows, row_count, columns, panels, dim, tile, stride);
  else gathered_products_of<2>(rows, row_count, columns, panels, dim, tile, stride);
}

HWY_NOINLINE bool distances_from_products(const double* products, std::int64_t count, double row_square,
                                          const double* HWY_RESTRICT column_squares, double share, double* out) {
  const TagOf<double> tag;
  const auto two = hn::Set(tag, 2.0), row = hn::Set(tag, row_square), least = hn::Set(tag, share);
  bool cancelled = false;
  std::int64_t c = 0;
  for (; c + lanes_of<double> <= count; c += lanes_of<double>) {
    const auto squares = hn::Add(row, hn::LoadU(tag, column_squares + c));
    const auto distance = hn::NegMulAdd(two, hn::LoadU(tag, products + c), squares);
    cancelled |= !hn::AllTrue(tag, hn::Gt(distance, hn::Mul(least, squares)));
    hn::StoreU(distance, tag, out + c);
  }
  for (; c < count; ++c) {
    const double squares = row_square + column_squares[c];
    out[c] = squares - 2 * products[c];
    cancelled |= !(out[c] > share * squares);
  }
  return cancelled;
}

HWY_NOINLINE void exponentials(double* x, std::int64_t count) {
  const TagOf<double> tag;
  std::int64_t c = 0;
  for (; c + lanes_of<double> <= count; c += lanes_of<double>) hn::StoreU(hn::Exp(tag, hn::LoadU(tag, x + c)), tag, x + c);
  if (c == count) return;
  double rest[lanes_of<double>] = {};
  std::copy_n(x + c, count - c, rest);
  hn::StoreU(hn::Exp(tag, hn::LoadU(tag, rest)), tag, rest);
  std::copy_n(rest, count - c, x + c);
}

// Sums in sixteen lanes whatever the instruction set, so that those with fused multiply-adds give the same bits.
HWY_NOINLINE double squared_distance(const double* HWY_RESTRICT x, const double* HWY_RESTRICT y, std::int64_t dim) {
  constexpr std::int64_t all = 16, lanes = lanes_of<double>, vectors = all / lanes;
  const TagOf<double> tag;
  VectorOf<double> sums[vectors];
  for (auto& sum : sums) sum = hn::Zero(tag);
  std::int64_t c = 0;
  for (; c + all <= dim; c += all)
    for (std::int64_t v = 0; v < vectors; ++v) {
      const auto difference = hn::Sub(hn::LoadU(tag, x + c + v * lanes), hn::LoadU(tag, y + c + v * lanes));
      sums[v] = hn::MulAdd(difference, difference, sums[v]);
    }
  double parts[all];
  for (std::int64_t v = 0; v < vectors; ++v) hn::StoreU(sums[v], tag, parts + v * lanes);
  for (std::int64_t rest = 0; c < dim; ++c, ++rest) {
    const double difference = x[c] - y[c];
    parts[rest] += difference * difference;
  }
  for (std::int64_t half = all / 2; half > 0; half /= 2)
    for (std::int64_t v = 0; v < half; ++v) parts[v] += parts[v + half];
  return parts[0];
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
