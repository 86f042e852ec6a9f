// Products of batches, and passes over all pairs of a batch's points (metric_steps.h).
#if defined(CALOR_KERNELS_HIGHWAY_METRIC_STEPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_METRIC_STEPS_INL_H_
#undef CALOR_KERNELS_HIGHWAY_METRIC_STEPS_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_METRIC_STEPS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "calor/kernels/metric_steps.h"
#include "calor/kernels/tiles.h"
#include "calor/kernels/highway/product-inl.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {
namespace metric {

HWY_INLINE float total(Vector vector) { return hn::GetLane(hn::SumOfLanes(Tag(), vector)); }

HWY_INLINE Factors factors(const BatchProduct& p) { return {p.a, p.a_stride, p.b, p.b_stride, p.rows, p.depth, p.width}; }

struct Rectifying {
  const float* bias;
  float* c;
  std::int64_t stride;
  HWY_INLINE Vector begin(std::int64_t r, std::int64_t) const { return hn::Set(Tag(), bias[r]); }
  HWY_INLINE void end(Vector sum, std::int64_t r, std::int64_t j) const { hn::Store(hn::Max(sum, hn::Zero(Tag())), Tag(), c + r * stride + j); }
};

struct Gating {
  const float* gate;
  float* c;
  std::int64_t stride;
  HWY_INLINE Vector begin(std::int64_t, std::int64_t) const { return hn::Zero(Tag()); }
  HWY_INLINE void end(Vector sum, std::int64_t r, std::int64_t j) const {
    const auto open = hn::Gt(hn::Load(Tag(), gate + r * stride + j), hn::Zero(Tag()));
    hn::Store(hn::IfThenElseZero(open, sum), Tag(), c + r * stride + j);
  }
};

HWY_NOINLINE void add_product(const BatchProduct& p) { product<Order::rows>(factors(p), Adding{p.c, p.c_stride}); }
HWY_NOINLINE void rectified_product(const BatchProduct& p, const float* bias) { product<Order::rows>(factors(p), Rectifying{bias, p.c, p.c_stride}); }
HWY_NOINLINE void gated_product(const BatchProduct& p, const float* gate) { product<Order::columns>(factors(p), Gating{gate, p.c, p.c_stride}); }

template <int rows>
struct InnerRows {
  const float* a;
  std::int64_t a_stride;
  const float* b;
  std::int64_t b_stride, width;
  float* c;
  std::int64_t c_row, c_column;

  template <int columns>
  HWY_INLINE void run(std::int64_t s) const {
    const Tag tag;
    Vector sums[rows][columns];
    HWY_UNROLL(24)
    for (int n = 0; n < rows * columns; ++n) sums[n / columns][n % columns] = hn::Zero(tag);
    for (std::int64_t j = 0; j < width; j += lanes()) {
      Vector right[columns];
      HWY_UNROLL(6)
      for (int k = 0; k < columns; ++k) right[k] = hn::Load(tag, b + (s + k) * b_stride + j);
      HWY_UNROLL(4)
      for (int i = 0; i < rows; ++i) {
        const Vector left = hn::Load(tag, a + i * a_stride + j);
        HWY_UNROLL(6)
        for (int k = 0; k < columns; ++k) sums[i][k] = hn::MulAdd(left, right[k], sums[i][k]);
      }
    }
    for (int n = 0; n < rows * columns; ++n) c[n / columns * c_row + (s + n % columns) * c_column] = total(sums[n / columns][n % columns]);
  }
};

struct Inner {
  const float* a;
  std::int64_t a_stride;
  const float* b;
  std::int64_t b_stride, columns, width;
  float* c;
  std::int64_t c_row, c_column;

  template <int rows>
  HWY_INLINE void run(std::int64_t r) const {
    for_row_groups<accumulators / 4>(columns, InnerRows<rows>{a + r * a_stride, a_stride, b, b_stride, width, c + r * c_row, c_row, c_column});
  }
};

HWY_NOINLINE void inner_products(const float* a, std::int64_t a_stride, std::int64_t rows, const float* b, std::int64_t b_stride, std::int64_t columns,
                                 std::int64_t width, float* c, std::int64_t c_row, std::int64_t c_column) {
  for_row_groups<4>(rows, Inner{a, a_stride, b, b_stride, columns, width, c, c_row, c_column});
}

// x.y, and for an affinity the same bits from either side: products commute, and so does the sum of both norms.
HWY_NOINLINE void affinities(const MutualPass& pass, std::int64_t first, std::int64_t rows, float* affinity, float* sums) {
  const Tag tag;
  const std::int64_t stride = pass.stride;
  std::fill_n(affinity, rows * stride, 0.0F);
  product<Order::columns>({pass.points + first, stride, pass.points, stride, rows, pass.dim, stride}, Adding{affinity, stride});
  const Vector twice = hn::Set(tag, 2 * pass.temperature), shift = hn::Set(tag, pass.shift), zero = hn::Zero(tag);
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = affinity + r * stride;
    const Vector norm = hn::Set(tag, pass.norms[first + r]);
    for (std::int64_t j = 0; j < stride; j += lanes()) {
      const Vector exponent = hn::MulAdd(twice, hn::Load(tag, row + j), hn::Add(norm, hn::Load(tag, pass.norms + j)));
      hn::Store(hn::Exp(tag, hn::Add(hn::Min(exponent, zero), shift)), tag, row + j);
    }
    row[first + r] = 0;
    Vector sum[2] = {zero, zero};
    for (std::int64_t j = 0; j < stride; j += batch_lanes)
      for (std::int64_t part = 0; part < batch_lanes; part += lanes()) {
        Vector& to = sum[part / lanes() % 2];
        to = hn::Add(to, hn::Load(tag, row + j + part));
      }
    sums[r] = total(hn::Add(sum[0], sum[1]));
  }
}

// Calls each(j, mask) for the vectors that cover [begin, end), with the lanes inside.
template <class Each>
HWY_INLINE void for_range(std::int64_t begin, std::int64_t end, const Each& each) {
  const hn::RebindToSigned<Tag> whole;
  for (std::int64_t j = begin / lanes() * lanes(); j < end; j += lanes()) {
    const auto at = hn::Iota(whole, static_cast<std::int32_t>(j));
    const auto inside = hn::And(hn::Gt(at, hn::Set(whole, static_cast<std::int32_t>(begin - 1))), hn::Lt(at, hn::Set(whole, static_cast<std::int32_t>(end))));
    each(j, hn::RebindMask(Tag(), inside));
  }
}

struct SumRows {
  const MutualPass& pass;
  const float *affinity, *one;
  float* all;

  template <int rows>
  HWY_INLINE void run(std::int64_t i) const {
    const Tag tag;
    Vector sums[rows];
    for (Vector& sum : sums) sum = hn::Zero(tag);
    for (std::int64_t j = 0; j < pass.stride; j += lanes()) {
      const Vector by = hn::Load(tag, one + j);
      HWY_UNROLL(4)
      for (int r = 0; r < rows; ++r) sums[r] = hn::MulAdd(hn::Load(tag, affinity + (i + r) * pass.stride + j), by, sums[r]);
    }
    for (int r = 0; r < rows; ++r) all[i + r] = total(sums[r]);
  }
};

HWY_NOINLINE void affinity_sums(const MutualPass& pass, const float* affinity, const float* one, const float* other, float* all, float* ranged) {
  const Tag tag;
  for_row_groups<4>(pass.count, SumRows{pass, affinity, one, all});
  for (std::int64_t i = 0; i < pass.count; ++i) {
    const float* row = affinity + i * pass.stride;
    Vector part = hn::Zero(tag);
    for_range(pass.begin[i], pass.end[i], [&](std::int64_t j, auto inside) {
      part = hn::MulAdd(hn::IfThenElseZero(inside, hn::Load(tag, row + j)), hn::Load(tag, other + j), part);
    });
    ranged[i] = total(part);
  }
}

HWY_NOINLINE void pair_weights(const MutualPass& pass, const float* affinity, const PairWeights& by, std::int64_t first, std::int64_t rows, float* weights,
                               float* sums) {
  const Tag tag;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t i = first + r, begin = pass.begin[i], end = pass.end[i];
    const float* from = affinity + i * pass.stride;
    float* row = weights + r * pass.stride;
    const Vector one = hn::Set(tag, by.first[i]), two = hn::Set(tag, by.second[i]), three = hn::Set(tag, by.third[i]), four = hn::Set(tag, by.fourth[i]),
                 own = hn::Set(tag, by.own[i]);
    for (std::int64_t j = 0; j < pass.stride; j += lanes()) {
      const Vector sides = hn::MulAdd(one, hn::Load(tag, by.second + j), hn::Add(own, hn::Load(tag, by.own + j)));
      hn::Store(hn::Mul(hn::Load(tag, from + j), hn::MulAdd(two, hn::Load(tag, by.first + j), sides)), tag, row + j);
    }
    for_range(begin, end, [&](std::int64_t j, auto inside) {
      const Vector less = hn::MulAdd(four, hn::Load(tag, by.third + j), hn::Mul(three, hn::Load(tag, by.fourth + j)));
      const Vector share = hn::IfThenElseZero(inside, hn::Load(tag, from + j));
      hn::Store(hn::NegMulAdd(share, less, hn::Load(tag, row + j)), tag, row + j);
    });
    Vector sum = hn::Zero(tag);
    for (std::int64_t k = 0; k < pass.stride; k += lanes()) sum = hn::Add(sum, hn::Load(tag, row + k));
    sums[r] = total(sum);
  }
}

// Philox4x32-10 and Box-Muller, a block of four words and a number in each lane of doubles.
using Wide = hn::ScalableTag<std::uint64_t>;
using WideVector = hn::Vec<Wide>;

HWY_INLINE WideVector product_of_words(WideVector x, std::uint32_t factor) {
  const hn::Repartition<std::uint32_t, Wide> words;
  return hn::MulEven(hn::BitCast(words, x), hn::Set(words, factor));
}

// [0, 1): 53 bits of two words, each in its lane's lower half.  The parts are exact as doubles: less than 2^52 under an exponent of 2^52.
HWY_INLINE hn::Vec<hn::ScalableTag<double>> share_of_words(WideVector high, WideVector low) {
  const Wide wide;
  const hn::ScalableTag<double> tag;
  const auto number = [&](WideVector bits) {
    return hn::Sub(hn::BitCast(tag, hn::Or(bits, hn::Set(wide, std::uint64_t{0x4330000000000000}))), hn::Set(tag, 0x1p52));
  };
  return hn::MulAdd(number(high), hn::Set(tag, 0x1p-32), hn::Mul(number(hn::ShiftRight<11>(low)), hn::Set(tag, 0x1p-53)));
}

HWY_NOINLINE void normals(std::uint64_t seed, std::uint32_t purpose, std::uint64_t index, std::uint64_t first, std::int64_t count, double* numbers) {
  const Wide wide;
  const hn::ScalableTag<double> tag;
  const auto step = static_cast<std::int64_t>(hn::Lanes(tag));
  const WideVector lower = hn::Set(wide, 0xFFFFFFFF);
  HWY_ALIGN double made[HWY_LANES(double)];
  for (std::int64_t i = 0; i < count; i += step) {
    WideVector c0 = hn::And(hn::Iota(wide, first + static_cast<std::uint64_t>(i)), lower), c1 = hn::Set(wide, purpose), c2 = hn::Set(wide, index & 0xFFFFFFFF),
               c3 = hn::Set(wide, index >> 32);
    auto key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round, key0 += 0x9E3779B9, key1 += 0xBB67AE85) {
      const WideVector a = product_of_words(c0, 0xD2511F53), b = product_of_words(c2, 0xCD9E8D57);
      c0 = hn::Xor(hn::ShiftRight<32>(b), hn::Xor(c1, hn::Set(wide, key0)));
      c2 = hn::Xor(hn::ShiftRight<32>(a), hn::Xor(c3, hn::Set(wide, key1)));
      c1 = hn::And(b, lower);
      c3 = hn::And(a, lower);
    }
    const auto radius = hn::Sqrt(hn::Mul(hn::Set(tag, -2.0), hn::Log(tag, hn::Sub(hn::Set(tag, 1.0), share_of_words(c0, c1)))));
    hn::Store(hn::Mul(radius, hn::Cos(tag, hn::Mul(hn::Set(tag, 6.283185307179586), share_of_words(c2, c3)))), tag, made);
    std::copy_n(made, std::min(step, count - i), numbers + i);
  }
}

}  // namespace metric
}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
