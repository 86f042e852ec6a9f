// The inner loops of sequential minimal optimisation (working_set.h).
#if defined(CALOR_KERNELS_HIGHWAY_WORKING_SET_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef CALOR_KERNELS_HIGHWAY_WORKING_SET_INL_H_
#undef CALOR_KERNELS_HIGHWAY_WORKING_SET_INL_H_
#else
#define CALOR_KERNELS_HIGHWAY_WORKING_SET_INL_H_
#endif

#include <cstdint>
#include <limits>

#include "calor/kernels/working_set.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace calor::kernels {
namespace HWY_NAMESPACE {
namespace working {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;
using Halves = hn::Rebind<float, Doubles>;
using Vec = hn::Vec<Doubles>;
inline constexpr std::int64_t lanes = HWY_LANES(double);

HWY_INLINE Vec widened(const float* at) { return hn::PromoteTo(Doubles(), hn::LoadU(Halves(), at)); }

// The greatest number of each lane with its place, the last of equals; places as doubles, exact below 2^53.
struct Best {
  Vec value, place;
  HWY_INLINE void offer(Vec number, Vec here) {
    const auto better = hn::Ge(number, value);
    value = hn::IfThenElse(better, number, value);
    place = hn::IfThenElse(better, here, place);
  }
  // Of both lists.
  HWY_INLINE void join(const Best& other) {
    const auto more = hn::Gt(other.value, value), later = hn::And(hn::Eq(other.value, value), hn::Gt(other.place, place));
    const auto better = hn::Or(more, later);
    value = hn::IfThenElse(better, other.value, value);
    place = hn::IfThenElse(better, other.place, place);
  }
};

struct Found {
  double value;
  std::int64_t place;
};

HWY_INLINE Found last_of_best(const Best& best) {
  double values[lanes], places[lanes];
  hn::StoreU(best.value, Doubles(), values);
  hn::StoreU(best.place, Doubles(), places);
  Found found{values[0], static_cast<std::int64_t>(places[0])};
  for (std::int64_t lane = 1; lane < lanes; ++lane)
    if (const auto place = static_cast<std::int64_t>(places[lane]); values[lane] > found.value || (values[lane] == found.value && place > found.place))
      found = {values[lane], place};
  return found;
}

HWY_NOINLINE Extremes step(double* HWY_RESTRICT pulls, const float* HWY_RESTRICT left, double a, const float* HWY_RESTRICT right, double b,
                           const float* HWY_RESTRICT may_rise, const float* HWY_RESTRICT may_fall, std::int64_t count) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Doubles tag;
  const auto first = hn::Set(tag, a), second = hn::Set(tag, b), next = hn::Set(tag, 2.0 * static_cast<double>(lanes));
  Best even{hn::Set(tag, -infinity), hn::Set(tag, -1.0)}, odd = even;
  auto least_even = hn::Set(tag, infinity), least_odd = least_even;
  auto here = hn::Iota(tag, 0), there = hn::Iota(tag, static_cast<double>(lanes));
  std::int64_t t = 0;
  const auto moved = [&](std::int64_t at) HWY_ATTR {
    auto pull = hn::NegMulAdd(second, widened(right + at), hn::NegMulAdd(first, widened(left + at), hn::LoadU(tag, pulls + at)));
    hn::StoreU(pull, tag, pulls + at);
    return pull;
  };
  for (; t + 2 * lanes <= count; t += 2 * lanes) {
    const auto one = moved(t), two = moved(t + lanes);
    even.offer(hn::Add(one, widened(may_rise + t)), here);
    odd.offer(hn::Add(two, widened(may_rise + t + lanes)), there);
    least_even = hn::Min(least_even, hn::Add(one, widened(may_fall + t)));
    least_odd = hn::Min(least_odd, hn::Add(two, widened(may_fall + t + lanes)));
    here = hn::Add(here, next);
    there = hn::Add(there, next);
  }
  even.join(odd);
  Found best = last_of_best(even);
  double leasts[lanes], least = infinity;
  hn::StoreU(hn::Min(least_even, least_odd), tag, leasts);
  for (const double one : leasts) least = one < least ? one : least;
  for (; t < count; ++t) {
    pulls[t] = (pulls[t] - a * static_cast<double>(left[t])) - b * static_cast<double>(right[t]);
    if (const double rising = pulls[t] + static_cast<double>(may_rise[t]); rising >= best.value) best = {rising, t};
    if (const double falling = pulls[t] + static_cast<double>(may_fall[t]); falling < least) least = falling;
  }
  return {best.value, least, best.value > -infinity ? best.place : -1};
}

HWY_NOINLINE std::int64_t second(const SecondChoice& choice, std::int64_t count) {
  const Doubles tag;
  const auto greatest = hn::Set(tag, choice.greatest), own = hn::Set(tag, choice.own), two = hn::Set(tag, 2.0), zero = hn::Zero(tag),
             least = hn::Set(tag, least_curvature), next = hn::Set(tag, static_cast<double>(lanes));
  const double *HWY_RESTRICT pulls = choice.pulls, *HWY_RESTRICT diagonal = choice.diagonal;
  const float *HWY_RESTRICT may_fall = choice.may_fall, *HWY_RESTRICT row = choice.row;
  Best best{zero, hn::Set(tag, -1.0)};
  auto here = hn::Iota(tag, 0);
  std::int64_t t = 0;
  for (; t + lanes <= count; t += lanes, here = hn::Add(here, next)) {
    const auto distance = hn::Sub(greatest, hn::Add(hn::LoadU(tag, pulls + t), widened(may_fall + t)));
    const auto below = hn::Gt(distance, zero);
    if (HWY_UNLIKELY(hn::AllFalse(tag, below))) continue;
    auto curvature = hn::NegMulAdd(two, widened(row + t), hn::Add(own, hn::LoadU(tag, diagonal + t)));
    curvature = hn::IfThenElse(hn::Gt(curvature, zero), curvature, least);
    const auto gain = hn::Div(hn::Mul(distance, distance), curvature);
    best.offer(hn::IfThenElse(below, gain, hn::Set(tag, -1.0)), here);
  }
  Found found = last_of_best(best);
  for (; t < count; ++t) {
    const double distance = choice.greatest - (pulls[t] + static_cast<double>(may_fall[t]));
    if (!(distance > 0)) continue;
    const double curvature = choice.own + diagonal[t] - 2 * static_cast<double>(row[t]);
    const double gain = distance * distance / (curvature > 0 ? curvature : least_curvature);
    if (gain >= found.value) found = {gain, t};
  }
  return found.place;
}

}  // namespace working
}  // namespace HWY_NAMESPACE
}  // namespace calor::kernels
HWY_AFTER_NAMESPACE();

#endif
