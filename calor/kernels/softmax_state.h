// The state of a softmax that sees its scores piece by piece: the largest score so far and the sum of 2^(score - max).
// Scores are in log2 units.  States form a commutative monoid under merge (empty: max = -infinity, sum = 0), exact up to
// rounding, so that pieces may be combined in any grouping.  Milakov & Gimelshein 2018, "Online normalizer calculation
// for softmax".
#pragma once

#include <cmath>
#include <limits>

namespace calor::kernels {

template <class T>
struct SoftmaxState {
  T max = -std::numeric_limits<T>::infinity();
  T sum = 0;

  // What a sum relative to this state's max is multiplied by to be relative to `other`, which is at least max.
  T factor_to(T other) const { return max == other ? T(1) : std::exp2(max - other); }

  // log2 of the sum of 2^score; -infinity when empty.
  double log2_sum_exp2() const {
    return sum == 0 ? -std::numeric_limits<double>::infinity() : max + std::log2(static_cast<double>(sum));
  }
};

template <class T>
SoftmaxState<T> merge(const SoftmaxState<T>& a, const SoftmaxState<T>& b) {
  const T max = a.max < b.max ? b.max : a.max;
  return {max, a.sum * a.factor_to(max) + b.sum * b.factor_to(max)};
}

}  // namespace calor::kernels
