// The statistics against numbers stored from scipy 1.17.1 and numpy 2.4 (the call stands beside each number), against
// values worked by hand, and, for what is random or approximate, against simulation.
// Tolerances: closed forms are compared to 1e-10 relative (the promise of the header); sums of ranks and counts exactly.
#include "calor/analyse/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::analyse {
namespace {

void expect_relative(double found, double expected, double tolerance = 1e-10) {
  EXPECT_NEAR(found, expected, tolerance * std::abs(expected));
}

const std::vector<double> accuracies = {0.961, 0.953, 0.968, 0.947, 0.972, 0.959, 0.964, 0.90, 0.955, 0.966};

TEST(Moments, MatchNumpy) {
  expect_relative(mean(accuracies), 0.9545);                     // np.mean(x)
  expect_relative(deviation(accuracies), 0.020554804791094453);  // np.std(x, ddof=1)
  expect_relative(quantile(accuracies, 0), 0.9);                 // np.quantile(x, q)
  expect_relative(quantile(accuracies, 0.025), 0.910575);
  expect_relative(quantile(accuracies, 0.25), 0.9535);
  expect_relative(quantile(accuracies, 0.9), 0.9684);
  expect_relative(quantile(accuracies, 1), 0.972);
  expect_relative(median(accuracies), 0.96);
  expect_relative(median(std::vector<double>{3, 1, 2}), 2);
}

TEST(Moments, TooFewValuesGiveNotANumber) {
  EXPECT_TRUE(std::isnan(mean({})));
  EXPECT_TRUE(std::isnan(median({})));
  EXPECT_TRUE(std::isnan(deviation(std::vector<double>{1.0})));
  EXPECT_TRUE(std::isnan(bootstrap_deviation(std::vector<double>{1.0, 2.0}, 0.95, 1).low));
  EXPECT_TRUE(std::isnan(paired_difference(std::vector<double>{1.0}, 0.95).interval.high));
  EXPECT_TRUE(std::isnan(paired_difference(std::vector<double>{1.0}, 0.95).detectable));
  EXPECT_THROW(quantile(accuracies, 1.5), Error);
}

TEST(SignedRankTest, ExactWithoutTies) {
  // scipy.stats.wilcoxon(d, method="exact")
  const auto ten = wilcoxon_signed_rank(std::vector<double>{0.8, -0.3, 1.9, 2.4, -0.6, 3.1, 0.2, 1.1, -1.4, 0.7});
  EXPECT_EQ(ten.statistic, 12.0);
  expect_relative(ten.p, 0.130859375);
  EXPECT_TRUE(ten.exact);
  EXPECT_EQ(ten.smallest_p, 2.0 / 1024);
  const std::vector<double> fifty = {0.401,  0.699,  0.126,  -0.491, -0.055, -0.592, 0.46,   1.74,   -0.092, -0.22,
                                     0.89,   0.757,  0.505,  -0.53,  0.371,  1.095,  -0.944, -0.058, -1.501, -0.891,
                                     -1.442, 0.165,  -0.867, 0.671,  0.557,  0.213,  -2.117, -0.139, 0.351,  0.513,
                                     -1.13,  -0.078, -0.579, -0.409, 1.461,  -0.408, 0.367,  1.284,  -0.184, 0.288,
                                     0.51,   0.464,  -0.825, 0.476,  1.759,  -1.147, 1.259,  0.519,  -0.241, 2.4};
  const auto many = wilcoxon_signed_rank(fifty);
  EXPECT_TRUE(many.exact);
  EXPECT_EQ(many.used, 50);
  EXPECT_EQ(many.statistic, 552.0);
  expect_relative(many.p, 0.4151920088524754);
}

TEST(SignedRankTest, ExactWithTiesAndZeros) {
  // scipy.stats.wilcoxon(d without zeros, method=scipy.stats.PermutationMethod(n_resamples=np.inf)): every assignment of signs
  const auto zeros = wilcoxon_signed_rank(std::vector<double>{1, -1, 2, 2, -3, 3, 3, 4, 0, 0, -1, 5});
  EXPECT_EQ(zeros.used, 10);
  EXPECT_EQ(zeros.statistic, 11.0);
  expect_relative(zeros.p, 0.10546875);
  const auto all_tied = wilcoxon_signed_rank(std::vector<double>{2, 2, 2, 2, 2, -2});
  EXPECT_EQ(all_tied.statistic, 3.5);
  expect_relative(all_tied.p, 0.21875);
  const auto mixed = wilcoxon_signed_rank(std::vector<double>{3, 1, 4, 1, 5, 9, 2, 6, -5, 3, -5});
  EXPECT_EQ(mixed.statistic, 16.0);
  expect_relative(mixed.p, 0.1416015625);
}

TEST(SignedRankTest, NormalApproximationWithTiesPastFifty) {
  // scipy.stats.wilcoxon(d, method="asymptotic", correction=False, zero_method="wilcox")
  const std::vector<double> sixty = {
      1.0, -0.9, 0.3,  0.8, 0.1, 0.9, 0.2,  0.9,  1.7,  -0.4, 0.5,  -0.2, 0.4, -0.9, -0.3, 0.1,  1.1, 1.4,  -1.1, -0.5,
      0.9, -1.7, -0.2, 0.2, 1.5, 0.9, -0.1, -0.1, 0.0,  1.8,  -0.2, -0.1, 0.6, 0.1,  0.1,  -0.9, 0.2, -0.2, 1.4,  0.9,
      0.2, 0.9,  -0.1, 1.3, 0.2, 0.8, -1.0, 0.6,  -1.4, -1.8, -0.1, -0.6, 0.4, 2.5,  -0.6, -0.4, 0.5, 0.7,  0.1,  0.0};
  const auto result = wilcoxon_signed_rank(sixty);
  EXPECT_FALSE(result.exact);
  EXPECT_EQ(result.used, 58);
  EXPECT_EQ(result.statistic, 618.0);
  expect_relative(result.p, 0.06549863928997668);
}

TEST(SignedRankTest, EdgesAndSymmetry) {
  EXPECT_EQ(wilcoxon_signed_rank({}).p, 1.0);
  EXPECT_EQ(wilcoxon_signed_rank(std::vector<double>{0, 0}).used, 0);
  const auto four = wilcoxon_signed_rank(std::vector<double>{1, 2, 3, 4});
  expect_relative(four.p, 0.125);  // both one-signed outcomes of 2^4
  expect_relative(four.smallest_p, 0.125);
  const std::vector<double> d = {3, -1, 4, 1, -5}, flipped = {-3, 1, -4, -1, 5};
  EXPECT_EQ(wilcoxon_signed_rank(d).p, wilcoxon_signed_rank(flipped).p);
  EXPECT_THROW(wilcoxon_signed_rank(std::vector<double>{1, std::nan("")}), Error);
}

TEST(Holm, WorkedByHand) {
  // Sorted .005 * 5, .01 * 4, .03 * 3, then .04 * 2 = .08 raised to .09, .5 * 1.
  const std::vector<double> expected = {0.04, 0.09, 0.09, 0.025, 0.5};
  const auto found = holm(std::vector<double>{0.01, 0.04, 0.03, 0.005, 0.5});
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) expect_relative(found[i], expected[i]);
  EXPECT_EQ(holm(std::vector<double>{0.6, 0.7})[0], 1.0);
  EXPECT_TRUE(holm({}).empty());
}

TEST(StudentT, QuantilesMatchScipy) {
  struct Case {
    double freedom, p, quantile;
  };
  // scipy.stats.t.ppf(p, freedom)
  const Case cases[] = {
      {1, 0.8, 1.3763819204711738},     {1, 0.975, 12.706204736174694},  {1, 0.9999, 3183.098757118502},
      {1, 1e-6, -318309.8861827435},    {2, 0.8, 1.0606601717798214},    {2, 0.975, 4.302652729749462},
      {4, 0.8, 0.9409645772351816},     {4, 0.975, 2.7764451051977934},  {4, 0.9999, 13.033671720896821},
      {9, 0.8, 0.8834038596855346},     {9, 0.975, 2.262157162798205},   {9, 1e-6, -10.7201604099095},
      {9.5, 0.975, 2.2441374614922958}, {99, 0.975, 1.9842169515864174}, {99, 1e-6, -5.0519739982525165},
      {1e4, 0.8, 0.8416571791416534},   {1e4, 0.975, 1.960201239890626}, {1e4, 1e-6, -4.75622968505678}};
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.freedom << " degrees of freedom, p = " << c.p);
    expect_relative(student_t_quantile(c.p, c.freedom), c.quantile);
  }
  EXPECT_EQ(student_t_quantile(0.5, 7), 0.0);
  EXPECT_THROW(student_t_quantile(1.0, 7), Error);
  EXPECT_THROW(student_t_quantile(0.3, 0), Error);
}

TEST(StudentT, DistributionMatchesScipy) {
  // scipy.stats.t.cdf(t, freedom)
  expect_relative(student_t_cdf(-40, 3), 1.7190340394579253e-05);
  expect_relative(student_t_cdf(-2.262, 9), 0.025006422751227313);
  expect_relative(student_t_cdf(0.5, 1), 0.6475836176504333);
  expect_relative(student_t_cdf(1.3, 7), 0.8826160823038114);
  expect_relative(student_t_cdf(-6, 200), 4.557560174405173e-09);
  expect_relative(student_t_cdf(3, 1e6), 0.9986500687292891);
  EXPECT_EQ(student_t_cdf(0, 5), 0.5);
}

TEST(PairedDifferences, IntervalMatchesScipy) {
  // scipy.stats.ttest_1samp(d, 0).confidence_interval(0.95)
  const auto found = paired_difference(std::vector<double>{0.8, -0.3, 1.9, 2.4, -0.6, 3.1, 0.2, 1.1, -1.4, 0.7}, 0.95);
  expect_relative(found.mean, 0.79);
  expect_relative(found.interval.low, -0.2083437189600762);
  expect_relative(found.interval.high, 1.7883437189600762);
  // (t.ppf(.975, 9) + t.ppf(.8, 9)) / t.ppf(.975, 9) times half the interval
  const double half = 1.7883437189600762 - 0.79;
  expect_relative(found.detectable, half * (2.262157162798205 + 0.8834038596855346) / 2.262157162798205);
}

// A true difference of the detectable size must be found in 80 % of experiments.  4,000 simulated experiments: standard
// error 0.6 %; the formula itself is within 1.5 % of the noncentral t at ten pairs.
TEST(PairedDifferences, DetectableDifferenceHasEightyPercentPower) {
  constexpr int experiments = 4000, pairs = 10;
  const double truth = (student_t_quantile(0.975, pairs - 1) + student_t_quantile(0.8, pairs - 1)) / std::sqrt(pairs);
  Random random(5, Purpose::test);
  int found = 0;
  for (int e = 0; e < experiments; ++e) {
    std::vector<double> differences(pairs);
    for (double& d : differences) d = truth + random.normal();
    const auto result = paired_difference(differences, 0.95);
    if (result.interval.low > 0 || result.interval.high < 0) ++found;
  }
  EXPECT_NEAR(static_cast<double>(found) / experiments, 0.8, 0.035);
}

// scipy.stats.bootstrap((x,), np.std with ddof=1, n_resamples=400000, method="percentile"): [0.005207, 0.030753].  The limits
// of 2,000 resamples scatter about those with deviations 1.1e-4 and 1.9e-4 (400 repetitions in numpy); 5 deviations allowed.
TEST(Bootstrap, AgreesWithScipyAndIsDeterministic) {
  for (const std::uint64_t seed : {0u, 1u, 2u}) {
    const auto found = bootstrap_deviation(accuracies, 0.95, seed);
    EXPECT_NEAR(found.low, 0.005206833117271108, 5 * 1.1e-4);
    EXPECT_NEAR(found.high, 0.03075350025245543, 5 * 1.9e-4);
    EXPECT_EQ(found.low, bootstrap_deviation(accuracies, 0.95, seed).low);
  }
  EXPECT_NE(bootstrap_deviation(accuracies, 0.95, 0).high, bootstrap_deviation(accuracies, 0.95, 1).high);
  const auto constant = bootstrap_deviation(std::vector<double>{0.5, 0.5, 0.5}, 0.95, 1);
  EXPECT_EQ(constant.high, 0.0);
}

}  // namespace
}  // namespace calor::analyse
