// Orders, intervals, extrapolation and the rule that judges a row, against constructed inputs.
#include "calor/limit/regression.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "calor/core/random.h"
#include "calor/limit/row.h"

namespace calor::limit {
namespace {

TEST(Regression, order_sees_through_the_next_term) {
  std::vector<double> step, error;
  for (int k = 0; k < 5; ++k) {
    step.push_back(std::ldexp(0.1, -k));
    error.push_back(3 * std::pow(step.back(), 1.5) * std::exp(2 * step.back()));
  }
  const Estimate found = order(step, error);
  EXPECT_NEAR(found.value, 1.5, 1e-12);
  EXPECT_NEAR(found.high - found.low, 0, 1e-10);
}

// 95 % of the intervals of y = 2 + 3 x + noise hold the slope: 4 binomial deviations of 400 trials.
TEST(Regression, intervals_hold_the_truth_as_often_as_they_say) {
  Random random(3, Purpose::test);
  int held = 0;
  for (int trial = 0; trial < 400; ++trial) {
    Eigen::MatrixXd design(6, 2);
    Eigen::VectorXd y(6);
    for (int i = 0; i < 6; ++i) {
      design.row(i) << 1, i;
      y[i] = 2 + 3 * i + 0.1 * random.normal();
    }
    const Estimate slope = least_squares(design, y)[1];
    held += slope.low <= 3 && 3 <= slope.high;
  }
  EXPECT_NEAR(held, 380, 4 * std::sqrt(400 * 0.05 * 0.95));
}

TEST(Regression, extrapolation_is_exact_for_polynomials) {
  std::vector<std::vector<double>> values;
  for (int k = 0; k < 4; ++k) {
    const double x = std::ldexp(1.0, -k);
    values.push_back({7 + x - 2 * x * x + 5 * x * x * x, x});
  }
  const std::vector<double> limit = extrapolate(values);
  EXPECT_NEAR(limit[0], 7, 1e-13);
  EXPECT_NEAR(limit[1], 0, 1e-15);
}

Row measured(double low, double high) {
  Row row;
  row.expected = 1;
  row.measured = (low + high) / 2;
  row.low = low;
  row.high = high;
  row.tolerance = 0.1;
  return judged(row);
}

TEST(Judged, passes_only_with_the_whole_interval_in_the_tolerance) {
  EXPECT_TRUE(measured(0.95, 1.08).pass);
  EXPECT_TRUE(measured(1.01, 1.02).pass);
  EXPECT_EQ(verdict(measured(0.95, 1.05)), "agrees");
  EXPECT_FALSE(measured(0.8, 1.2).pass);
  EXPECT_EQ(verdict(measured(0.8, 1.2)), "too coarse to tell");
  EXPECT_EQ(verdict(measured(1.05, 1.2)), "too coarse to tell");
  EXPECT_EQ(verdict(measured(1.2, 1.3)), "disagrees");
  EXPECT_EQ(verdict(measured(0.2, 0.3)), "disagrees");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(measured(nan, nan).pass);
  EXPECT_EQ(verdict(measured(nan, nan)), "too coarse to tell");
}

}  // namespace
}  // namespace calor::limit
