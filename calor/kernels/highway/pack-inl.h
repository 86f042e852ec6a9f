// From strided rows to what the products read (tiles.h says how it lies).
#if defined(CALOR_KERNELS_HIGHWAY_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_PACK_INL_H_
#undef CALOR_KERNELS_HIGHWAY_PACK_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_PACK_INL_H_
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "calor/kernels/highway/product-inl.h"
#include "calor/kernels/key_bias.h"
#include "calor/kernels/pairwise.h"
#include "calor/kernels/tiles.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

// Asks for a row that will be read, or written, soon: for the second-level cache.
HWY_INLINE void fetch_row(const float* row, std::int64_t count) {
  for (std::int64_t c = 0; c < count; c += 16) __builtin_prefetch(row + c, 0, 2);
}
HWY_INLINE void fetch_row_to_write(const float* row, std::int64_t count) {
  for (std::int64_t c = 0; c < count; c += 16) __builtin_prefetch(row + c, 1, 2);
}

// Whether every |x| seen is below tame_limit: compared as integers, where NaN and infinity are the largest.
class Tameness {
 public:
  HWY_INLINE Tameness() : most_(hn::Zero(Bits())) {}
  HWY_INLINE void see(Vector x) { most_ = hn::Max(most_, hn::BitCast(Bits(), hn::Abs(x))); }
  HWY_INLINE void see(const float* HWY_RESTRICT x, std::int64_t count) {
    std::int64_t c = 0;
    for (; c + lanes() <= count; c += lanes()) see(hn::LoadU(Tag(), x + c));
    for (; c < count; ++c) rest_ = std::max(rest_, bits_of(std::abs(x[c])));
  }
  HWY_INLINE bool tame() const { return std::max(hn::GetLane(hn::MaxOfLanes(Bits(), most_)), rest_) < bits_of(tame_limit); }

 private:
  using Bits = hn::RebindToUnsigned<Tag>;
  static HWY_INLINE std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }
  hn::Vec<Bits> most_;
  std::uint32_t rest_ = 0;
};

HWY_INLINE bool is_tame(const float* x, std::int64_t count) {
  Tameness tameness;
  tameness.see(x, count);
  return tameness.tame();
}

// sum a_c b_c in double; several partial sums, because one would wait for each addition.
HWY_INLINE double dot_in_double(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::int64_t count) {
  double parts[16] = {};
  std::int64_t c = 0;
  for (; c + 16 <= count; c += 16)
    for (int n = 0; n < 16; ++n) parts[n] += static_cast<double>(a[c + n]) * static_cast<double>(b[c + n]);
  double sum = 0;
  for (; c < count; ++c) sum += static_cast<double>(a[c]) * static_cast<double>(b[c]);
  for (const double part : parts) sum += part;
  return sum;
}

// Whether one tile holds all keys, and rows of queries and values fill whole vectors (forward_alone): the values need no copy then, unless some are hidden.
HWY_INLINE bool is_alone(const AttentionParams<float>& p) { return p.keys <= key_block && p.dim % lanes() == 0 && p.value_dim % lanes() == 0; }

HWY_NOINLINE void prepare(const Head<float>& head, Workspace& workspace, KeySide& side) {
  const AttentionParams<float>& p = head.params();
  bool centred = false;
  with_score(p.score, [&](auto score) {
    side.product = score.product;
    side.norm = score.norm;
    centred = score.centred;
  });
  side.scale = head.scale();
  side.fold = static_cast<float>(side.scale * side.product * std::numbers::log2e);
  prepare_bias(head, 2 * lanes(), workspace, side);

  double* sum = workspace.take<double>(p.dim);
  std::fill_n(sum, p.dim, 0.0);
  std::int64_t seen = 0;
  Tameness tameness;
  tameness.see(&side.fold, 1);
  for (std::int64_t j = 0; j < side.keys; ++j) {
    if (side.bias[j] == -std::numeric_limits<float>::infinity()) continue;
    const float* HWY_RESTRICT k = head.k(j);
    tameness.see(side.bias + j, 1);
    tameness.see(k, p.dim);
    tameness.see(head.v(j), p.value_dim);
    ++seen;
    if (centred)
      for (std::int64_t c = 0; c < p.dim; ++c) sum[c] += static_cast<double>(k[c]);
  }
  side.tame = tameness.tame();
  if (is_alone(p) && seen == side.keys) side.values = nullptr;
  for (std::int64_t c = 0; c < p.dim; ++c)
    side.centre[c] = seen ? static_cast<float>(sum[c] / static_cast<double>(seen)) : 0.0f;
}

// to[0..padded) = (from - centre) * factor, zeros past count.
HWY_INLINE void pack_row(const float* HWY_RESTRICT from, const float* HWY_RESTRICT centre, float factor,
                         std::int64_t count, std::int64_t padded, float* HWY_RESTRICT to) {
  for (std::int64_t c = 0; c < count; ++c) to[c] = (from[c] - centre[c]) * factor;
  for (std::int64_t c = count; c < padded; ++c) to[c] = 0;
}

// The same for whole vectors, and sees them.
HWY_INLINE void pack_row_seen(const float* HWY_RESTRICT from, const float* HWY_RESTRICT centre, float factor, std::int64_t count, float* HWY_RESTRICT to, Tameness& tameness) {
  const Tag tag;
  const Vector factors = hn::Set(tag, factor);
  for (std::int64_t c = 0; c < count; c += lanes()) {
    const Vector x = hn::Mul(hn::Sub(hn::LoadU(tag, from + c), hn::Load(tag, centre + c)), factors);
    hn::Store(x, tag, to + c);
    tameness.see(x);
  }
}

HWY_INLINE void copy_row(const float* HWY_RESTRICT from, std::int64_t count, std::int64_t padded,
                         float* HWY_RESTRICT to) {
  for (std::int64_t c = 0; c < count; ++c) to[c] = from[c];
  for (std::int64_t c = count; c < padded; ++c) to[c] = 0;
}

// Four numbers of each of as many rows as a vector has lanes, less four of the centre: block b of vector i has row 4 b + i.
HWY_INLINE void load_fours(const float* const* rows, std::int64_t at, Vector (&fours)[4]) {
  const hn::FixedTag<float, 4> four;
  HWY_UNROLL(4)
  for (int i = 0; i < 4; ++i) {
#if HWY_MAX_BYTES == 16
    fours[i] = hn::LoadU(four, rows[i] + at);
#else
    const hn::FixedTag<float, 8> eight;
    const auto low = hn::Combine(eight, hn::LoadU(four, rows[4 + i] + at), hn::LoadU(four, rows[i] + at));
#if HWY_MAX_BYTES == 32
    fours[i] = low;
#else
    fours[i] = hn::Combine(Tag(), hn::Combine(eight, hn::LoadU(four, rows[12 + i] + at), hn::LoadU(four, rows[8 + i] + at)), low);
#endif
#endif
  }
}

// Rows as columns: to[c][r] = rows[r][c] - centre[c] for one panel.  Squares of four by four are turned within vectors.
HWY_INLINE void turn_panel(const float* const* rows, const float* HWY_RESTRICT centre, std::int64_t count, float* HWY_RESTRICT to) {
  const Tag tag;
  const hn::Repartition<std::uint64_t, Tag> pairs;
  const std::int64_t n = lanes(), width = 2 * n, squares = count / 4 * 4;
  for (std::int64_t half = 0; half < width; half += n)
    for (std::int64_t c = 0; c < squares; c += 4) {
      Vector fours[4];
      load_fours(rows + half, c, fours);
      const Vector middle = hn::LoadDup128(tag, centre + c);
      HWY_UNROLL(4)
      for (Vector& each : fours) each = hn::Sub(each, middle);
      const auto a = hn::BitCast(pairs, hn::InterleaveLower(tag, fours[0], fours[1])), b = hn::BitCast(pairs, hn::InterleaveLower(tag, fours[2], fours[3]));
      const auto d = hn::BitCast(pairs, hn::InterleaveUpper(tag, fours[0], fours[1])), e = hn::BitCast(pairs, hn::InterleaveUpper(tag, fours[2], fours[3]));
      float* HWY_RESTRICT column = to + c * width + half;
      hn::Store(hn::BitCast(tag, hn::InterleaveLower(pairs, a, b)), tag, column);
      hn::Store(hn::BitCast(tag, hn::InterleaveUpper(pairs, a, b)), tag, column + width);
      hn::Store(hn::BitCast(tag, hn::InterleaveLower(pairs, d, e)), tag, column + 2 * width);
      hn::Store(hn::BitCast(tag, hn::InterleaveUpper(pairs, d, e)), tag, column + 3 * width);
    }
  for (std::int64_t c = squares; c < count; ++c)
    for (std::int64_t r = 0; r < width; ++r) to[c * width + r] = rows[r][c] - centre[c];
}

// A panel of keys; hidden ones are zero.
template <class Row>
HWY_INLINE void pack_panel(const KeySide& side, std::int64_t first, const Row& row, const float* HWY_RESTRICT centre,
                           std::int64_t count, float* HWY_RESTRICT to) {
  const float* rows[HWY_MAX_BYTES / 2];
  for (std::int64_t r = 0; r < 2 * lanes(); ++r) rows[r] = key_hidden(side, first + r) ? centre : row(first + r);
  turn_panel(rows, centre, count, to);
}

// bias_j += factor * |key j|^2 for one panel.
HWY_INLINE void add_norms(const float* HWY_RESTRICT panel, std::int64_t dim, float factor, float* HWY_RESTRICT bias) {
  const Tag tag;
  const std::int64_t n = lanes();
  // Eight numbers at a time, for the same reason as in Adding.
  Vector a = hn::Zero(tag), b = hn::Zero(tag);
  for (std::int64_t c = 0; c < dim;) {
    Vector some_a = hn::Zero(tag), some_b = hn::Zero(tag);
    for (const std::int64_t end = std::min(c + 8, dim); c < end; ++c) {
      const Vector x = hn::Load(tag, panel + 2 * n * c), y = hn::Load(tag, panel + 2 * n * c + n);
      some_a = hn::MulAdd(x, x, some_a);
      some_b = hn::MulAdd(y, y, some_b);
    }
    a = hn::Add(a, some_a);
    b = hn::Add(b, some_b);
  }
  const Vector factors = hn::Set(tag, factor);
  hn::Store(hn::MulAdd(factors, a, hn::Load(tag, bias)), tag, bias);
  hn::Store(hn::MulAdd(factors, b, hn::Load(tag, bias + n)), tag, bias + n);
}

// Columns of keys [begin, end) into `columns`, and their bias completed; begin is a multiple of the panel width.
HWY_NOINLINE void pack_key_columns(const Head<float>& head, const KeySide& side, std::int64_t begin, std::int64_t end,
                                   float* columns) {
  const std::int64_t width = 2 * lanes(), dim = head.params().dim;
  const auto norm = static_cast<float>(side.scale * side.norm * std::numbers::log2e);
  for (std::int64_t j = begin; j < end; j += width, columns += dim * width) {
    pack_panel(side, j, [&](std::int64_t key) HWY_ATTR { return head.k(key); }, side.centre, dim, columns);
    if (norm != 0) add_norms(columns, dim, norm, side.bias + j);
  }
}

HWY_NOINLINE void pack_value_rows(const Head<float>& head, const KeySide& side, std::int64_t begin, std::int64_t end,
                                  float* rows) {
  const std::int64_t dim = head.params().value_dim, width = round_up(dim, lanes());
  for (std::int64_t j = begin; j < end; ++j, rows += width)
    copy_row(head.v(j), key_hidden(side, j) ? 0 : dim, width, rows);
}

HWY_INLINE bool is_narrow(std::int64_t dim) { return kernels::is_narrow(dim, lanes()); }

// Keys as rows of `dim` numbers, and their bias completed.
HWY_NOINLINE void pack_key_rows(const Head<float>& head, const KeySide& side, std::int64_t begin, std::int64_t end) {
  const std::int64_t dim = head.params().dim;
  const auto norm = static_cast<float>(side.scale * side.norm * std::numbers::log2e);
  for (std::int64_t j = begin; j < end; ++j) {
    float* HWY_RESTRICT row = side.columns + j * dim;
    pack_row(head.k(j), side.centre, 1.0f, key_hidden(side, j) ? 0 : dim, dim, row);
    if (norm == 0) continue;
    float sum = 0;
    for (std::int64_t c = 0; c < dim; ++c) sum += row[c] * row[c];
    side.bias[j] += norm * sum;
  }
}

HWY_NOINLINE void pack_keys(const Head<float>& head, const KeySide& side, std::int64_t begin, std::int64_t end) {
  const AttentionParams<float>& p = head.params();
  if (is_narrow(p.value_dim)) pack_key_rows(head, side, begin, end);
  else pack_key_columns(head, side, begin, end, side.columns + begin * p.dim);
  if (side.values) pack_value_rows(head, side, begin, end, side.values + begin * round_up(p.value_dim, lanes()));
}

// |q - centre|^2.
HWY_INLINE double centred_norm(const float* HWY_RESTRICT q, const float* HWY_RESTRICT centre, std::int64_t dim) {
  float x[max_dim];
  for (std::int64_t c = 0; c < dim; ++c) x[c] = q[c] - centre[c];
  return dot_in_double(x, x, dim);
}

// What packed scores lack to the true ones, in natural units.
HWY_INLINE double row_constant(const KeySide& side, const float* q, std::int64_t dim) {
  return side.norm == 0 ? 0 : side.scale * side.norm * centred_norm(q, side.centre, dim);
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
