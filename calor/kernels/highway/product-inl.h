// Matrix products of a tile, in registers: C = A B, with A broadcast element by element and B read in whole vectors.
// The accumulators of a micro-kernel fill the register file, so that each loaded element is used many times (Goto and
// van de Geijn 2008, "Anatomy of high-performance matrix multiplication").
#if defined(CALOR_KERNELS_HIGHWAY_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_PRODUCT_INL_H_
#undef CALOR_KERNELS_HIGHWAY_PRODUCT_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_PRODUCT_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::ScalableTag<float>;
using Vector = hn::Vec<Tag>;

HWY_INLINE std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Tag())); }

// Vector registers given to accumulators: the rest holds a row of B and an element of A.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
inline constexpr int accumulators = 24;
#else
inline constexpr int accumulators = 12;
#endif

// How A is stored: element (row r, step k) at a[r * stride + k], or, transposed, at a[k * stride + r].
enum class Order { rows, columns };

template <Order order>
HWY_INLINE float element(const float* HWY_RESTRICT a, std::int64_t stride, std::int64_t r, std::int64_t k) {
  return order == Order::rows ? a[r * stride + k] : a[k * stride + r];
}

// sums[r][n] += sum over k < depth of A(r, k) B[k][n], B's rows `width` apart.
template <Order order, int rows, int vectors>
HWY_INLINE void multiply(const float* HWY_RESTRICT a, std::int64_t stride, const float* HWY_RESTRICT b,
                         std::int64_t width, std::int64_t depth, Vector (&sums)[rows][vectors]) {
  const Tag tag;
  const std::int64_t lane_count = lanes();
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector line[vectors];
    HWY_UNROLL(4)
    for (int n = 0; n < vectors; ++n) line[n] = hn::LoadU(tag, b + k * width + n * lane_count);
    HWY_UNROLL(12)
    for (int r = 0; r < rows; ++r) {
      const Vector factor = hn::Set(tag, element<order>(a, stride, r, k));
      HWY_UNROLL(4)
      for (int n = 0; n < vectors; ++n) sums[r][n] = hn::MulAdd(factor, line[n], sums[r][n]);
    }
  }
}

// C = A B + bias for `rows` rows and one panel of two vectors; the bias is a row, added to the finished product.
template <int rows>
HWY_INLINE void panel_rows(const float* HWY_RESTRICT a, std::int64_t stride, const float* HWY_RESTRICT panel,
                           std::int64_t depth, const float* HWY_RESTRICT bias, float* HWY_RESTRICT c,
                           std::int64_t c_stride) {
  const Tag tag;
  const std::int64_t lane_count = lanes();
  Vector sums[rows][2];
  HWY_UNROLL(12)
  for (int r = 0; r < rows; ++r) sums[r][0] = sums[r][1] = hn::Zero(tag);
  multiply<Order::rows>(a, stride, panel, 2 * lane_count, depth, sums);
  const Vector bias0 = hn::Load(tag, bias), bias1 = hn::Load(tag, bias + lane_count);
  HWY_UNROLL(12)
  for (int r = 0; r < rows; ++r) {
    hn::Store(hn::Add(sums[r][0], bias0), tag, c + r * c_stride);
    hn::Store(hn::Add(sums[r][1], bias1), tag, c + r * c_stride + lane_count);
  }
}

// Calls kernel.template run<rows>(first row) until `rows` rows are done: as many full ones as go, then 8, 4, 2, 1.
template <int full, class Kernel>
HWY_INLINE void for_row_groups(std::int64_t rows, const Kernel& kernel) {
  std::int64_t r = 0;
  for (; r + full <= rows; r += full) kernel.template run<full>(r);
  if constexpr (full > 8)
    if (rows - r >= 8) kernel.template run<8>(r), r += 8;
  if constexpr (full > 4)
    if (rows - r >= 4) kernel.template run<4>(r), r += 4;
  if constexpr (full > 2)
    if (rows - r >= 2) kernel.template run<2>(r), r += 2;
  if (rows - r >= 1) kernel.template run<1>(r);
}

// A [rows x depth] and B [depth][width], B's rows so far apart; width is a whole number of vectors.
struct Factors {
  const float* a;
  std::int64_t a_stride;
  const float* b;
  std::int64_t b_stride, rows, depth, width;
};

// A register tile of A B, which `ends` starts and puts away: begin(r, j) and end(sum, r, j) of row r and the vector at column j.
template <Order order, int vectors, class Ends>
struct ProductColumns {
  const Factors& p;
  const Ends& ends;
  std::int64_t column;

  template <int rows>
  HWY_INLINE void run(std::int64_t r) const {
    Vector sums[rows][vectors];
    HWY_UNROLL(12)
    for (int i = 0; i < rows; ++i) {
      HWY_UNROLL(4)
      for (int n = 0; n < vectors; ++n) sums[i][n] = ends.begin(r + i, column + n * lanes());
    }
    multiply<order>(order == Order::rows ? p.a + r * p.a_stride : p.a + r, p.a_stride, p.b + column, p.b_stride, p.depth, sums);
    HWY_UNROLL(12)
    for (int i = 0; i < rows; ++i) {
      HWY_UNROLL(4)
      for (int n = 0; n < vectors; ++n) ends.end(sums[i][n], r + i, column + n * lanes());
    }
  }
};

template <Order order, int vectors, class Ends>
HWY_NOINLINE void product_columns(const Factors& p, const Ends& ends, std::int64_t column) {
  constexpr int full = accumulators / vectors < 12 ? accumulators / vectors : 12;
  for_row_groups<full>(p.rows, ProductColumns<order, vectors, Ends>{p, ends, column});
}

// Four vectors of columns at a time; what remains after the last four is split evenly.
template <Order order, class Ends>
HWY_INLINE void product(const Factors& p, const Ends& ends) {
  for (std::int64_t left = p.width / lanes(), column = 0; left > 0;) {
    const std::int64_t vectors = left >= 8 || left <= 4 ? (left < 4 ? left : 4) : (left + 1) / 2;
    if (vectors == 4) product_columns<order, 4>(p, ends, column);
    if (vectors == 3) product_columns<order, 3>(p, ends, column);
    if (vectors == 2) product_columns<order, 2>(p, ends, column);
    if (vectors == 1) product_columns<order, 1>(p, ends, column);
    column += vectors * lanes();
    left -= vectors;
  }
}

// C += A B, the product summed on its own: each of its terms is rounded to its size and not to that of all that came before.
struct Adding {
  float* c;
  std::int64_t stride;
  HWY_INLINE Vector begin(std::int64_t, std::int64_t) const { return hn::Zero(Tag()); }
  HWY_INLINE void end(Vector sum, std::int64_t r, std::int64_t j) const { hn::Store(hn::Add(hn::Load(Tag(), c + r * stride + j), sum), Tag(), c + r * stride + j); }
};

// C [rows][width] = A B, row r times factors[r]; C's rows anywhere.
struct Scaling {
  float* c;
  std::int64_t stride;
  const float* factors;
  HWY_INLINE Vector begin(std::int64_t, std::int64_t) const { return hn::Zero(Tag()); }
  HWY_INLINE void end(Vector sum, std::int64_t r, std::int64_t j) const { hn::StoreU(hn::Mul(hn::Set(Tag(), factors[r]), sum), Tag(), c + r * stride + j); }
};

// C [rows][width] += A B where all of B and C is one array of such rows.
template <Order order>
HWY_INLINE void add_product(const float* a, std::int64_t stride, const float* b, std::int64_t width, std::int64_t rows,
                            std::int64_t depth, float* c) {
  product<order>({a, stride, b, width, rows, depth, width}, Adding{c, width});
}

struct Panel {
  const float* a;
  std::int64_t stride;
  const float* panel;
  std::int64_t depth;
  const float* bias;
  float* c;
  std::int64_t c_stride;

  template <int rows>
  HWY_INLINE void run(std::int64_t r) const {
    panel_rows<rows>(a + r * stride, stride, panel, depth, bias, c + r * c_stride, c_stride);
  }
};

// tile[r][j] = A [rows x depth] columns + bias_j for whole panels of columns ([panel][depth][2 vectors]), the tile's rows so far apart.
inline HWY_NOINLINE void tile_product(const float* a, std::int64_t stride, const float* columns, std::int64_t panels,
                                      std::int64_t rows, std::int64_t depth, const float* bias, float* tile, std::int64_t apart = tile_stride) {
  const std::int64_t width = 2 * lanes();
  for (std::int64_t p = 0; p < panels; ++p)
    for_row_groups<accumulators / 2>(
        rows, Panel{a, stride, columns + p * depth * width, depth, bias + p * width, tile + p * width, apart});
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
