// The online softmax state as a monoid: exact identities exactly, associativity and agreement with the direct sum to
// rounding (4 eps a merge, scores below 50 in log2 units so that 2^score is exact enough in long double).
#include "calor/kernels/softmax_state.h"

#include <gtest/gtest.h>

#include <vector>

#include "calor/core/random.h"

namespace calor::kernels {
namespace {

using State = SoftmaxState<double>;
constexpr double eps = std::numeric_limits<double>::epsilon();

void expect_equivalent(const State& a, const State& b, double tolerance) {
  EXPECT_EQ(a.max, b.max);
  EXPECT_NEAR(a.sum, b.sum, tolerance * b.sum);
}

TEST(SoftmaxState, EmptyIsTheIdentity) {
  const State empty, some{3.5, 1.25};
  for (const State& merged : {merge(empty, some), merge(some, empty)}) {
    EXPECT_EQ(merged.max, some.max);
    EXPECT_EQ(merged.sum, some.sum);
  }
  EXPECT_EQ(merge(empty, empty).sum, 0);
  EXPECT_EQ(merge(empty, empty).log2_sum_exp2(), -std::numeric_limits<double>::infinity());
}

TEST(SoftmaxState, MergesInAnyGroupingAndOrder) {
  Random random(1, Purpose::test);
  for (int trial = 0; trial < 200; ++trial) {
    State states[3];
    for (State& state : states) state = {random.uniform(-50, 50), random.uniform(1, 300)};
    const State left = merge(merge(states[0], states[1]), states[2]);
    expect_equivalent(merge(states[0], merge(states[1], states[2])), left, 8 * eps);
    expect_equivalent(merge(states[2], merge(states[1], states[0])), left, 8 * eps);
  }
}

TEST(SoftmaxState, IsTheLogOfTheSum) {
  Random random(2, Purpose::test);
  State state;
  long double sum = 0;
  for (int n = 1; n <= 500; ++n) {
    const double score = random.uniform(-50, 50);
    state = merge(state, State{score, 1});
    sum += std::exp2(static_cast<long double>(score));
    EXPECT_NEAR(state.log2_sum_exp2(), static_cast<double>(std::log2(sum)), 4 * n * eps);
  }
}

TEST(SoftmaxState, FarBelowTheMaximumAddsNothing) {
  const SoftmaxState<float> high{1000, 1}, low{-1000, 5};
  EXPECT_EQ(merge(high, low).sum, 1);
  EXPECT_EQ(merge(low, high).max, 1000);
}

}  // namespace
}  // namespace calor::kernels
