// The moves of UMAP's stochastic descent (rational_moves.h).
#if defined(CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_
#undef CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_
#endif

#include <cstdint>

#include "calor/kernels/rational_moves.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using MoveFloats = hn::CappedTag<float, move_lanes>;
using MoveWords = hn::RebindToUnsigned<MoveFloats>;
using MoveIndices = hn::RebindToSigned<MoveFloats>;
using MovePairs = hn::RepartitionToWide<MoveWords>;
using Words = hn::Vec<MoveWords>;

// Philox4x32-10 (core/random.h), a counter a pair of words, in their lower halves: even lanes and odd ones take turns.  What the upper halves hold does not
// count.
HWY_INLINE void random_words(Words* counter, std::uint64_t seed) {
  const MoveWords words;
  const MovePairs pairs;
  const auto multiplier0 = hn::Set(words, 0xD2511F53U), multiplier1 = hn::Set(words, 0xCD9E8D57U);
  const auto high = [&](auto product) HWY_ATTR { return hn::BitCast(words, hn::ShiftRight<32>(product)); };
  std::uint32_t key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const hn::Vec<MovePairs> a = hn::MulEven(multiplier0, counter[0]), b = hn::MulEven(multiplier1, counter[2]);
    counter[0] = hn::Xor(hn::Xor(high(b), counter[1]), hn::Set(words, key0));
    counter[1] = hn::BitCast(words, b);
    counter[2] = hn::Xor(hn::Xor(high(a), counter[3]), hn::Set(words, key1));
    counter[3] = hn::BitCast(words, a);
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
}

// 2^(b log2 x) for x >= 1e-30, within 1e-6 (1 + b |log2 x|) of itself; no less than 2^-126.  The logarithm to 4e-7, the power to 1e-7 by their polynomials of
// least error.  Many of these are all that a descent waits for: a library's, which are right to the last digit, take twice as long.
HWY_INLINE hn::Vec<MoveFloats> power_of(hn::Vec<MoveFloats> x, hn::Vec<MoveFloats> b) {
  const MoveFloats tag;
  const MoveIndices indices;
  const auto value = [&](float number) HWY_ATTR { return hn::Set(tag, number); };
  const auto bits = hn::BitCast(indices, x);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(indices, 0x3F3504F3)));  // the rest is from sqrt(1/2) to sqrt(2)
  const auto t = hn::Sub(hn::BitCast(tag, hn::Sub(bits, hn::ShiftLeft<23>(exponent))), value(1));
  const auto square = hn::Mul(t, t);
  const auto first = hn::MulAdd(value(-0.721375048160553F), t, value(1.4426991939544678F));
  const auto second = hn::MulAdd(value(-0.35898661613464355F), t, value(0.48048698902130127F));
  const auto third = hn::MulAdd(hn::MulAdd(value(0.17107802629470825F), t, value(-0.27249136567115784F)), t, value(0.297041118144989F));
  const auto log = hn::MulAdd(hn::MulAdd(hn::MulAdd(third, square, second), square, first), t, hn::ConvertTo(tag, exponent));
  const auto y = hn::Max(hn::Mul(b, log), value(-126));
  const auto whole = hn::Round(y);
  const auto rest = hn::Sub(y, whole), rest_square = hn::Mul(rest, rest);
  const auto low = hn::MulAdd(value(0.6931469440460205F), rest, value(1.0000001192092896F));
  const auto middle = hn::MulAdd(value(0.05550713092088699F), rest, value(0.24022120237350464F));
  const auto high = hn::MulAdd(value(0.0013276472454890609F), rest, value(0.009675540961325169F));
  const auto power = hn::MulAdd(hn::MulAdd(high, rest_square, middle), rest_square, low);
  return hn::BitCast(tag, hn::Add(hn::BitCast(indices, power), hn::ShiftLeft<23>(hn::ConvertTo(indices, whole))));
}

// The coordinates of the points `other` in two dimensions: one gather of pairs for each half of them, so that each point is met once.
HWY_INLINE void gather_pairs(const float* points, hn::Vec<MoveIndices> other, hn::Vec<MoveFloats>* at) {
  const MoveFloats tag;
  const hn::Repartition<double, MoveFloats> pairs;
  const hn::RebindToSigned<decltype(pairs)> places;
  const auto half = [&](auto indices) HWY_ATTR {
    return hn::BitCast(tag, hn::GatherIndex(pairs, reinterpret_cast<const double*>(points), hn::PromoteTo(places, indices)));
  };
  const auto lower = half(hn::LowerHalf(other)), upper = half(hn::UpperHalf(hn::Half<MoveIndices>(), other));
  at[0] = hn::ConcatEven(tag, upper, lower);
  at[1] = hn::ConcatOdd(tag, upper, lower);
}

template <int known>
HWY_INLINE void move_lanes_of(const RationalMoves& moves, const MovingPoints& moving, std::int64_t lane) {
  const MoveFloats tag;
  const MoveWords words;
  const MoveIndices indices;
  const MovePairs pairs;
  using Vector = hn::Vec<MoveFloats>;
  const std::int64_t dims = known ? known : moves.dims;
  const auto a = hn::Set(tag, moves.a), b = hn::Set(tag, moves.b), one = hn::Set(tag, 1.0F), nothing = hn::Zero(tag);
  const auto pull_factor = hn::Set(tag, -2 * moves.a * moves.b), push_factor = hn::Set(tag, 2 * moves.push * moves.b);
  const auto longest = hn::Set(tag, longest_move), shortest = hn::Set(tag, -longest_move), rate = hn::Set(tag, moves.rate);
  const auto own = hn::BitCast(words, hn::LoadU(indices, moving.own + lane));
  Vector at[known ? known : 1];
  const auto place = [&](std::int64_t c) HWY_ATTR { return known ? at[known ? c : 0] : hn::LoadU(tag, moving.places + c * move_lanes + lane); };
  const auto put = [&](std::int64_t c, Vector value) HWY_ATTR {
    if constexpr (known > 0) at[c] = value;
    else hn::StoreU(value, tag, moving.places + c * move_lanes + lane);
  };
  if constexpr (known > 0)
    for (std::int64_t c = 0; c < dims; ++c) at[c] = hn::LoadU(tag, moving.places + c * move_lanes + lane);
  // Moves by coefficient(d^2, d^(2 b)) times the difference, in the lanes that are active and not at the other's place, and tells how far.
  const auto move = [&](hn::Vec<MoveIndices> other, hn::Mask<MoveFloats> active, auto coefficient, auto tell) HWY_ATTR {
    auto square = nothing;
    Vector difference[known ? known : 1], others[2];
    if constexpr (known == 2) gather_pairs(moves.points, other, others);
    const auto first = hn::Mul(other, hn::Set(indices, static_cast<std::int32_t>(dims)));
    const auto difference_in = [&](std::int64_t c) HWY_ATTR {
      return hn::Sub(place(c), known == 2 ? others[c] : hn::GatherIndex(tag, moves.points + c, first));
    };
    for (std::int64_t c = 0; c < dims; ++c) {
      const auto one_difference = difference_in(c);
      if constexpr (known > 0) difference[c] = one_difference;
      square = hn::MulAdd(one_difference, one_difference, square);
    }
    const auto apart = hn::And(active, hn::Gt(square, nothing));
    square = hn::Max(square, hn::Set(tag, 1e-30F));
    const auto factor = hn::IfThenElseZero(apart, coefficient(square, power_of(square, b)));
    for (std::int64_t c = 0; c < dims; ++c) {
      const auto step = hn::Mul(factor, known ? difference[known ? c : 0] : difference_in(c));
      const auto way = hn::Mul(rate, hn::Max(shortest, hn::Min(longest, step)));
      tell(c, way);
      put(c, hn::Add(place(c), way));
    }
  };
  const auto pull = [&](Vector square, Vector power) HWY_ATTR {
    return hn::Div(hn::Mul(pull_factor, power), hn::Mul(square, hn::MulAdd(a, power, one)));
  };
  const auto push = [&](Vector square, Vector power) HWY_ATTR {
    return hn::Div(push_factor, hn::Mul(hn::Add(square, hn::Set(tag, near_square)), hn::MulAdd(a, power, one)));
  };
  const auto silent = [](std::int64_t, Vector) HWY_ATTR {};
  const auto count = hn::Set(words, static_cast<std::uint32_t>(moves.count));
  const auto upper = hn::Set(pairs, 0xFFFFFFFF00000000U);
  Words even[4], odd[4];
  for (std::int64_t step = 0; step < moving.steps; ++step) {
    const auto tail = hn::LoadU(indices, moving.tails + step * move_lanes + lane);
    const auto pulled = hn::Gt(tail, hn::Set(indices, -1));
    const auto active = hn::RebindMask(tag, pulled);
    float* out = moving.pulled + step * dims * move_lanes + lane;
    move(hn::IfThenElseZero(pulled, tail), active, pull, [&](std::int64_t c, Vector way) HWY_ATTR { hn::StoreU(way, tag, out + c * move_lanes); });
    if (hn::AllFalse(indices, pulled)) continue;
    for (std::int64_t word = step * moves.draws; word < (step + 1) * moves.draws; ++word) {
      if (word % 4 == 0) {
        even[0] = odd[0] = hn::Set(words, static_cast<std::uint32_t>(word / 4));
        even[1] = odd[1] = hn::Set(words, moves.purpose);
        even[2] = own;
        odd[2] = hn::BitCast(words, hn::ShiftRight<32>(hn::BitCast(pairs, own)));
        even[3] = odd[3] = hn::Set(words, moves.epoch);
        random_words(even, moves.seed);
        random_words(odd, moves.seed);
      }
      const auto other = hn::BitCast(words, hn::OrAnd(hn::ShiftRight<32>(hn::MulEven(even[word % 4], count)), hn::MulEven(odd[word % 4], count), upper));
      move(hn::BitCast(indices, other), hn::And(active, hn::RebindMask(tag, hn::Ne(other, own))), push, silent);
    }
  }
  if constexpr (known > 0)
    for (std::int64_t c = 0; c < dims; ++c) hn::StoreU(at[c], tag, moving.places + c * move_lanes + lane);
}

HWY_NOINLINE void rational_moves(const RationalMoves& moves, const MovingPoints& moving) {
  constexpr std::int64_t lanes = hn::MaxLanes(MoveFloats());
  for (std::int64_t lane = 0; lane < move_lanes; lane += lanes) switch (moves.dims) {
      case 1: move_lanes_of<1>(moves, moving, lane); break;
      case 2: move_lanes_of<2>(moves, moving, lane); break;
      case 3: move_lanes_of<3>(moves, moving, lane); break;
      default: move_lanes_of<0>(moves, moving, lane);
    }
}

}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
