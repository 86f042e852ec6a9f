// Rows of a graph against their neighbours (edge_rows.h).
#if defined(CALOR_KERNELS_HIGHWAY_EDGES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_EDGES_INL_H_
#undef CALOR_KERNELS_HIGHWAY_EDGES_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_EDGES_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "calor/kernels/edge_rows.h"
#include "hwy/cache_control.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {
namespace edges {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
inline constexpr std::size_t full = hn::MaxLanes(hn::ScalableTag<T>());

// What a pair's features come to, lane by lane: acc + term(x, y).
struct Product {
  template <class D, class V, class T>
  static HWY_INLINE V add(D tag, V sum, const T* x, const T* y, const T*, T) { return hn::MulAdd(hn::LoadU(tag, x), hn::LoadU(tag, y), sum); }
  template <class T>
  static HWY_INLINE T one(T x, T y, const T*, T) { return x * y; }
};
struct Square {
  template <class D, class V, class T>
  static HWY_INLINE V add(D tag, V sum, const T* x, const T* y, const T*, T) {
    const auto difference = hn::Sub(hn::LoadU(tag, x), hn::LoadU(tag, y));
    return hn::MulAdd(difference, difference, sum);
  }
  template <class T>
  static HWY_INLINE T one(T x, T y, const T*, T) { return (x - y) * (x - y); }
};
template <class T>
HWY_INLINE T leaky(T x, T slope) { return x > 0 ? x : slope * x; }
template <class D, class V, class T>
HWY_INLINE V leaky(D tag, V x, T slope) { return hn::IfThenElse(hn::Gt(x, hn::Zero(tag)), x, hn::Mul(x, hn::Set(tag, slope))); }
struct Joined {
  template <class D, class V, class T>
  static HWY_INLINE V add(D tag, V sum, const T* x, const T* y, const T* vector, T slope) {
    return hn::MulAdd(leaky(tag, hn::Add(hn::LoadU(tag, x), hn::LoadU(tag, y)), slope), hn::LoadU(tag, vector), sum);
  }
  template <class T>
  static HWY_INLINE T one(T x, T y, const T* vector, T slope) { return *vector * leaky(x + y, slope); }
};

// The part of a sum from dimension d on that whole vectors of at most `cap` lanes cover.
template <class Term, std::size_t cap, class T>
HWY_INLINE T pair_part(const T* HWY_RESTRICT x, const T* HWY_RESTRICT y, std::int64_t dim, std::int64_t& d, const T* vector, T slope) {
  const hn::CappedTag<T, cap> tag;
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<T, cap>()));
  if (d + lanes > dim) return 0;
  auto a = hn::Zero(tag), b = a;
  for (; d + 2 * lanes <= dim; d += 2 * lanes) {
    a = Term::add(tag, a, x + d, y + d, vector + d, slope);
    b = Term::add(tag, b, x + d + lanes, y + d + lanes, vector + d + lanes, slope);
  }
  if (d + lanes <= dim) {
    a = Term::add(tag, a, x + d, y + d, vector + d, slope);
    d += lanes;
  }
  return hn::GetLane(hn::SumOfLanes(tag, hn::Add(a, b)));
}

template <class Term, class T>
HWY_INLINE T pair_of(const T* HWY_RESTRICT x, const T* HWY_RESTRICT y, std::int64_t dim, const T* vector, T slope) {
  std::int64_t d = 0;
  T sum = pair_part<Term, full<T>>(x, y, dim, d, vector, slope);
  if constexpr (full<T> >= 16)
    if (d < dim) sum += pair_part<Term, 8>(x, y, dim, d, vector, slope);
  if constexpr (full<T> >= 8)
    if (d < dim) sum += pair_part<Term, 4>(x, y, dim, d, vector, slope);
  for (; d < dim; ++d) sum += Term::one(x[d], y[d], vector + d, slope);
  return sum;
}

// Rows of neighbours come from all over memory: asked for some edges ahead, those of the next rows too.
constexpr std::int64_t ahead = 8;
template <class T>
HWY_INLINE void prefetch_numbers(const T* numbers, std::int64_t width) {
  constexpr std::int64_t line = 64 / sizeof(T);
  for (std::int64_t d = 0; d < width; d += line) hwy::Prefetch(numbers + d);
}
template <class T>
HWY_INLINE void prefetch(const EdgeRow<T>& row, std::int64_t e) {
  if (e >= row.known) return;
  constexpr std::int64_t most = 1024 / sizeof(T);
  const std::int64_t other = row.column[e];
  prefetch_numbers(row.others + other * row.stride, std::min(row.heads * row.dim, most));
  if (row.also) prefetch_numbers(row.also + other * row.also_stride, std::min(row.also_width, most));
}

// Without a vector (of terms that have none) the features stand in for it, so that no address is null.
template <class Term, class T>
HWY_NOINLINE void pairs(const EdgeRow<T>& row, T* HWY_RESTRICT result) {
  const T* vector = row.vector ? row.vector : row.own;
  for (std::int64_t e = 0; e < row.count; ++e) {
    prefetch(row, e + ahead);
    const T* other = row.others + row.column[e] * row.stride;
    for (std::int64_t h = 0; h < row.heads; ++h)
      result[h * row.count + e] = pair_of<Term>(row.own + h * row.dim, other + h * row.dim, row.dim, vector + h * row.dim, row.slope);
  }
}

// What of a neighbour is summed.
struct Rows {
  template <class D, class T>
  static HWY_INLINE hn::Vec<D> of(D tag, const T*, const T* y, T) { return hn::LoadU(tag, y); }
  template <class T>
  static HWY_INLINE T one(T, T y, T) { return y; }
};
struct Differences {
  template <class D, class T>
  static HWY_INLINE hn::Vec<D> of(D tag, const T* x, const T* y, T) { return hn::Sub(hn::LoadU(tag, y), hn::LoadU(tag, x)); }
  template <class T>
  static HWY_INLINE T one(T x, T y, T) { return y - x; }
};
struct Slopes {
  template <class D, class T>
  static HWY_INLINE hn::Vec<D> of(D tag, const T* x, const T* y, T slope) {
    return hn::IfThenElse(hn::Gt(hn::Add(hn::LoadU(tag, x), hn::LoadU(tag, y)), hn::Zero(tag)), hn::Set(tag, T(1)), hn::Set(tag, slope));
  }
  template <class T>
  static HWY_INLINE T one(T x, T y, T slope) { return x + y > 0 ? T(1) : slope; }
};
struct Leaks {
  template <class D, class T>
  static HWY_INLINE hn::Vec<D> of(D tag, const T* x, const T* y, T slope) { return leaky(tag, hn::Add(hn::LoadU(tag, x), hn::LoadU(tag, y)), slope); }
  template <class T>
  static HWY_INLINE T one(T x, T y, T slope) { return leaky(x + y, slope); }
};

// `vectors` vectors of a head, all edges.
template <class Term, std::size_t cap, int vectors, class T>
HWY_INLINE void sum_block(const EdgeRow<T>& row, const T* HWY_RESTRICT weights, std::int64_t at, const T* x, T* HWY_RESTRICT result) {
  const hn::CappedTag<T, cap> tag;
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<T, cap>()));
  hn::Vec<decltype(tag)> sums[vectors];
  HWY_UNROLL(8)
  for (int v = 0; v < vectors; ++v) sums[v] = hn::Zero(tag);
  for (std::int64_t e = 0; e < row.count; ++e) {
    const T* other = row.others + row.column[e] * row.stride + at;
    const auto weight = hn::Set(tag, weights[e]);
    HWY_UNROLL(8)
    for (int v = 0; v < vectors; ++v) sums[v] = hn::MulAdd(weight, Term::of(tag, x + v * lanes, other + v * lanes, row.slope), sums[v]);
  }
  HWY_UNROLL(8)
  for (int v = 0; v < vectors; ++v) hn::StoreU(sums[v], tag, result + v * lanes);
}

template <class Term, std::size_t cap, class T>
HWY_INLINE void sum_part(const EdgeRow<T>& row, const T* weights, std::int64_t head, std::int64_t& d, T* result) {
  constexpr auto lanes = static_cast<std::int64_t>(hn::MaxLanes(hn::CappedTag<T, cap>()));
  const T* x = row.own ? row.own + head : row.others;  // terms without own features read none
  for (; d + 8 * lanes <= row.dim; d += 8 * lanes) sum_block<Term, cap, 8>(row, weights, head + d, x + d, result + d);
  if (d + 4 * lanes <= row.dim) sum_block<Term, cap, 4>(row, weights, head + d, x + d, result + d), d += 4 * lanes;
  if (d + 2 * lanes <= row.dim) sum_block<Term, cap, 2>(row, weights, head + d, x + d, result + d), d += 2 * lanes;
  if (d + lanes <= row.dim) sum_block<Term, cap, 1>(row, weights, head + d, x + d, result + d), d += lanes;
}

// The same for vectors that are heads, or parts of heads, of their own weights.
template <class Term, int vectors, class T>
HWY_INLINE void sum_heads(const EdgeRow<T>& row, const T* weights, std::int64_t at, const T* own, T* HWY_RESTRICT result) {
  const hn::ScalableTag<T> tag;
  constexpr auto lanes = static_cast<std::int64_t>(full<T>);
  const T* x = own ? own + at : row.others;
  hn::Vec<decltype(tag)> sums[vectors];
  const T* weight[vectors];
  HWY_UNROLL(8)
  for (int v = 0; v < vectors; ++v) {
    sums[v] = hn::Zero(tag);
    weight[v] = weights + (at + v * lanes) / row.dim * row.count;
  }
  for (std::int64_t e = 0; e < row.count; ++e) {
    const T* other = row.others + row.column[e] * row.stride + at;
    HWY_UNROLL(8)
    for (int v = 0; v < vectors; ++v) sums[v] = hn::MulAdd(hn::Set(tag, weight[v][e]), Term::of(tag, x + v * lanes, other + v * lanes, row.slope), sums[v]);
  }
  HWY_UNROLL(8)
  for (int v = 0; v < vectors; ++v) hn::StoreU(sums[v], tag, result + at + v * lanes);
}

template <class Term, class T>
HWY_NOINLINE void sums(const EdgeRow<T>& row, const T* weights, T* result) {
  constexpr auto lanes = static_cast<std::int64_t>(full<T>);
  if (row.heads > 1 && row.dim % lanes == 0 && row.dim < 8 * lanes) {  // one walk over the edges for several heads
    std::int64_t at = 0;
    const std::int64_t width = row.heads * row.dim;
    for (; at + 8 * lanes <= width; at += 8 * lanes) sum_heads<Term, 8>(row, weights, at, row.own, result);
    if (at + 4 * lanes <= width) sum_heads<Term, 4>(row, weights, at, row.own, result), at += 4 * lanes;
    if (at + 2 * lanes <= width) sum_heads<Term, 2>(row, weights, at, row.own, result), at += 2 * lanes;
    if (at + lanes <= width) sum_heads<Term, 1>(row, weights, at, row.own, result);
    return;
  }
  for (std::int64_t h = 0; h < row.heads; ++h, weights += row.count, result += row.dim) {
    const std::int64_t head = h * row.dim;
    std::int64_t d = 0;
    sum_part<Term, full<T>>(row, weights, head, d, result);
    if constexpr (full<T> >= 16)
      if (d < row.dim) sum_part<Term, 8>(row, weights, head, d, result);
    if constexpr (full<T> >= 8)
      if (d < row.dim) sum_part<Term, 4>(row, weights, head, d, result);
    for (; d < row.dim; ++d) {
      T sum = 0;
      for (std::int64_t e = 0; e < row.count; ++e)
        sum += weights[e] * Term::one(row.own ? row.own[head + d] : T(0), row.others[row.column[e] * row.stride + head + d], row.slope);
      result[d] = sum;
    }
  }
}

// x <- exp(x), over all heads at once: rows are short.
template <class T>
HWY_INLINE void exponentiate_edges(T* HWY_RESTRICT x, std::int64_t count) {
  const hn::ScalableTag<T> tag;
  constexpr auto lanes = static_cast<std::int64_t>(full<T>);
  std::int64_t e = 0;
  for (; e + lanes <= count; e += lanes) hn::StoreU(hn::Exp(tag, hn::LoadU(tag, x + e)), tag, x + e);
  if (e == count) return;
  HWY_ALIGN T rest[full<T>] = {};
  std::copy(x + e, x + count, rest);
  hn::Store(hn::Exp(tag, hn::Load(tag, rest)), tag, rest);
  std::copy(rest, rest + (count - e), x + e);
}

template <class T>
HWY_NOINLINE void softmax(T* weights, std::int64_t count, std::int64_t heads, T* lse) {
  for (std::int64_t h = 0; h < heads; ++h) {
    T* HWY_RESTRICT w = weights + h * count;
    T greatest = std::numeric_limits<T>::lowest();  // scores that are all -infinity weigh nothing
    for (std::int64_t e = 0; e < count; ++e) greatest = w[e] > greatest ? w[e] : greatest;
    for (std::int64_t e = 0; e < count; ++e) w[e] -= greatest;
    lse[h] = greatest;
  }
  exponentiate_edges(weights, count * heads);
  for (std::int64_t h = 0; h < heads; ++h) {
    T* HWY_RESTRICT w = weights + h * count;
    T sum = 0;
    for (std::int64_t e = 0; e < count; ++e) sum += w[e];
    lse[h] = sum == 0 ? -std::numeric_limits<T>::infinity() : lse[h] + std::log(sum);
    const T factor = sum == 0 ? T(0) : 1 / sum;
    for (std::int64_t e = 0; e < count; ++e) w[e] *= factor;
  }
}

template <class T>
HWY_NOINLINE void exponentials(T* weights, std::int64_t count, std::int64_t heads, const T* lse) {
  for (std::int64_t h = 0; h < heads; ++h) {
    T* HWY_RESTRICT w = weights + h * count;
    const T less = lse[h] == -std::numeric_limits<T>::infinity() ? std::numeric_limits<T>::lowest() : lse[h];
    for (std::int64_t e = 0; e < count; ++e) w[e] -= less;
  }
  exponentiate_edges(weights, count * heads);
}

template <class T>
EdgeRows<T> edge_row_table() {
  return {pairs<Product, T>, pairs<Square, T>, pairs<Joined, T>, sums<Rows, T>, sums<Differences, T>, sums<Slopes, T>, sums<Leaks, T>, softmax<T>, exponentials<T>};
}

}  // namespace edges
}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
