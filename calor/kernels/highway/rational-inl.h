// The moves of UMAP's stochastic descent (rational_moves.h).
#if defined(CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_
#undef CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_RATIONAL_INL_H_
#endif

#include <cstdint>

#include "calor/kernels/rational_moves.h"
#include "hwy/contrib/math/math-inl.h"
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

// Both halves of the products of 32-bit words.
HWY_INLINE void full_products(Words x, Words y, Words& low, Words& high) {
  const MoveWords words;
  const MovePairs pairs;
  const auto even = hn::MulEven(x, y);
  const auto odd = hn::MulEven(hn::BitCast(words, hn::ShiftRight<32>(hn::BitCast(pairs, x))), hn::BitCast(words, hn::ShiftRight<32>(hn::BitCast(pairs, y))));
  low = hn::OddEven(hn::BitCast(words, hn::ShiftLeft<32>(odd)), hn::BitCast(words, even));
  high = hn::OddEven(hn::BitCast(words, odd), hn::BitCast(words, hn::ShiftRight<32>(even)));
}

// Philox4x32-10 (core/random.h), a counter a lane.
HWY_INLINE void random_words(Words* counter, std::uint64_t seed) {
  const MoveWords words;
  const auto multiplier0 = hn::Set(words, 0xD2511F53U), multiplier1 = hn::Set(words, 0xCD9E8D57U);
  std::uint32_t key0 = static_cast<std::uint32_t>(seed), key1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    Words low_a, high_a, low_b, high_b;
    full_products(multiplier0, counter[0], low_a, high_a);
    full_products(multiplier1, counter[2], low_b, high_b);
    counter[0] = hn::Xor(hn::Xor(high_b, counter[1]), hn::Set(words, key0));
    counter[1] = low_b;
    counter[2] = hn::Xor(hn::Xor(high_a, counter[3]), hn::Set(words, key1));
    counter[3] = low_a;
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
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
    const auto power = hn::Exp(tag, hn::Mul(b, hn::Log(tag, square)));
    const auto factor = hn::IfThenElseZero(apart, coefficient(square, power));
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
  Words drawn[4] = {hn::Zero(words), hn::Zero(words), hn::Zero(words), hn::Zero(words)};
  for (std::int64_t step = 0; step < moving.steps; ++step) {
    const auto tail = hn::LoadU(indices, moving.tails + step * move_lanes + lane);
    const auto pulled = hn::Gt(tail, hn::Set(indices, -1));
    const auto active = hn::RebindMask(tag, pulled);
    float* out = moving.pulled + step * dims * move_lanes + lane;
    move(hn::IfThenElseZero(pulled, tail), active, pull, [&](std::int64_t c, Vector way) HWY_ATTR { hn::StoreU(way, tag, out + c * move_lanes); });
    if (hn::AllFalse(indices, pulled)) continue;
    for (std::int64_t word = step * moves.draws; word < (step + 1) * moves.draws; ++word) {
      if (word % 4 == 0) {
        drawn[0] = hn::Set(words, static_cast<std::uint32_t>(word / 4));
        drawn[1] = hn::Set(words, moves.purpose);
        drawn[2] = own;
        drawn[3] = hn::Set(words, moves.epoch);
        random_words(drawn, moves.seed);
      }
      Words low, other;
      full_products(drawn[word % 4], count, low, other);
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
