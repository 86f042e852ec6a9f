// The forward pass in double on every instruction set: against the longhand reference in long double (tolerance: reference.h with eps
// of double) at sizes around the panels of keys, the rows that go together and the lanes; masked and non-finite contents; threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/kernels/problem.h"
#include "tests/kernels/reference.h"

namespace calor::kernels::test {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

class AttentionDouble : public testing::TestWithParam<std::tuple<std::string, Score>> {
 protected:
  AttentionDouble() : forced_(std::get<0>(GetParam())) {}
  Score score() const { return std::get<1>(GetParam()); }

 private:
  WithIsa forced_;
};

INSTANTIATE_TEST_SUITE_P(EveryIsa, AttentionDouble,
                         testing::Combine(testing::ValuesIn(isa_names()), testing::Values(Score::dot, Score::squared_distance)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + (std::get<1>(tested.param) == Score::dot ? "_dot" : "_distance");
                         });

TEST_P(AttentionDouble, MatchesTheLonghandReference) {
  for (int bits = 0; bits < 8; ++bits)
    for (const Shape& shape : {Shape{1, 1, 1, 1, 1, 1}, Shape{2, 3, 5, 7, 4, 3}, Shape{1, 1, 33, 63, 2, 1}, Shape{1, 2, 4, 64, 3, 4},
                               Shape{1, 1, 67, 65, 17, 5}, Shape{1, 1, 3, 200, 1, 8}}) {
      const Options options{score(), (bits & 1) != 0, (bits & 2) != 0, false, (bits & 4) != 0, 0.6, 1};
      SCOPED_TRACE(describe(shape, options));
      const Problem<double> problem(shape, options);
      const Output<double> output = run_forward(problem);
      const Reference truth = reference(problem, random_like(output.out, 2), random_like(output.lse, 3), std::numeric_limits<double>::epsilon());
      EXPECT_LE(largest_error(output.out, truth.output.out), truth.bounds.out);
      EXPECT_LE(largest_error(output.lse, truth.output.lse), truth.bounds.lse);
    }
}

// Scores of size 10^5 and more, as attention has at small eps, on points far from 0: distances by differences leave no rounding of the
// norms (3e4, times the scale) behind.  Scores round like dim + 3 units of their size, and weights like the score of the nearest key.
TEST(AttentionDoubleDistance, SmallTimeScalesLoseNoDigits) {
  Problem<double> problem({1, 1, 9, 130, 3, 1}, {.score = Score::squared_distance});
  problem.scale[0] = 1e6;
  for (auto* points : {&problem.q, &problem.k})
    for (double& value : *points) value += 100;
  std::vector<Output<double>> found;
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    found.push_back(run_forward(problem));
  }
  for (std::size_t i = 0; i < 9; ++i) {
    std::vector<Real> scores(130, 0);
    for (std::size_t j = 0; j < 130; ++j)
      for (std::size_t c = 0; c < 3; ++c) {
        const Real difference = static_cast<Real>(problem.q[3 * i + c]) - problem.k[3 * j + c];
        scores[j] -= 1e6L * difference * difference;
      }
    const Real top = *std::max_element(scores.begin(), scores.end());
    Real sum = 0, mean = 0;
    for (std::size_t j = 0; j < 130; ++j) {
      sum += std::exp(scores[j] - top);
      mean += std::exp(scores[j] - top) * problem.v[j];
    }
    const Real tolerance = 2 * 6 * std::numeric_limits<double>::epsilon() * std::abs(top);
    for (const Output<double>& output : found) {
      EXPECT_NEAR(output.out[i], static_cast<double>(mean / sum), static_cast<double>(4 * tolerance)) << i;
      EXPECT_NEAR(output.lse[i], static_cast<double>(top + std::log(sum)), static_cast<double>(tolerance)) << i;
    }
  }
}

TEST_P(AttentionDouble, MaskedContentsChangeNothing) {
  for (const bool causal : {false, true}) {
    Problem<double> problem({1, 1, 70, 70, 3, 2}, {.score = score(), .key_mask = true, .causal = causal});
    problem.key_mask.assign(70, 1);
    problem.key_mask[3] = problem.key_mask[66] = 0;
    Problem<double> other = problem;
    for (const std::size_t j : {3, 66}) {
      std::fill_n(other.k.begin() + static_cast<std::ptrdiff_t>(3 * j), 3, nan);
      std::fill_n(other.v.begin() + static_cast<std::ptrdiff_t>(2 * j), 2, infinity);
    }
    const Output<double> plain = run_forward(problem), masked = run_forward(other);
    EXPECT_EQ(plain.out, masked.out);
    EXPECT_EQ(plain.lse, masked.lse);
    if (!causal) continue;
    // A key that only later rows see.
    std::fill_n(other.k.begin() + 3 * 40, 3, infinity);
    std::fill_n(other.v.begin() + 2 * 40, 2, nan);
    const Output<double> later = run_forward(other);
    for (std::size_t i = 0; i < 40; ++i) {
      EXPECT_EQ(later.lse[i], plain.lse[i]);
      EXPECT_EQ(later.out[2 * i], plain.out[2 * i]);
    }
    for (std::size_t i = 40; i < 70; ++i) EXPECT_TRUE(std::isnan(later.out[2 * i])) << i;
  }
}

TEST_P(AttentionDouble, ValuesThatAreVisibleAndNotFiniteShow) {
  for (const double bad : {nan, infinity, -infinity}) {
    Problem<double> problem({1, 1, 6, 70, 3, 2}, {.score = score()});
    problem.v[2 * 69] = bad;
    const Output<double> output = run_forward(problem);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_FALSE(std::isfinite(output.out[2 * i]));
      EXPECT_TRUE(std::isfinite(output.out[2 * i + 1]));
    }
  }
}

TEST_P(AttentionDouble, SameBitsForAnyNumberOfThreads) {
  Problem<double> problem({2, 2, 130, 150, 5, 3}, {.score = score(), .bias = true, .causal = true});
  const Output<double> one = run_forward(problem);
  problem.threads = 3;
  const Output<double> three = run_forward(problem);
  EXPECT_EQ(one.out, three.out);
  EXPECT_EQ(one.lse, three.lse);
}

TEST_P(AttentionDouble, RowsThatDoNotSeeThemselves) {
  const Problem<double> problem({1, 2, 9, 70, 3, 2}, {.score = score(), .own_key = 3});
  const Output<double> found = run_forward(problem);
  const Output<double> seeing = run_forward(Problem<double>(problem.shape, {.score = score()}));
  const WithIsa scalar("scalar");
  const Output<double> defined = run_forward(problem);
  double apart = 0;
  for (std::size_t n = 0; n < found.out.size(); ++n) {
    EXPECT_NEAR(found.out[n], defined.out[n], 1e-14);
    apart = std::max(apart, std::abs(found.out[n] - seeing.out[n]));
  }
  for (std::size_t i = 0; i < found.lse.size(); ++i) EXPECT_NEAR(found.lse[i], defined.lse[i], 1e-14);
  EXPECT_GT(apart, 1e-3);
}

TEST_P(AttentionDouble, IsTheDefinitionWhereScoresAreNotFinite) {
  for (const double bad : {nan, infinity, -infinity}) {
    Problem<double> problem({1, 1, 6, 70, 3, 2}, {.score = score()});
    problem.k[3 * 65 + 1] = bad;
    const Output<double> found = run_forward(problem);
    const WithIsa scalar("scalar");
    const Output<double> defined = run_forward(problem);
    for (std::size_t n = 0; n < found.out.size(); ++n) {
      EXPECT_EQ(std::isnan(found.out[n]), std::isnan(defined.out[n]));
      if (std::isnan(defined.out[n])) continue;
      EXPECT_NEAR(found.out[n], defined.out[n], 1e-14);  // -infinity in a dot product is a key that nobody sees
    }
  }
}

}  // namespace
}  // namespace calor::kernels::test
