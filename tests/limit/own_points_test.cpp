// Points drawn from manifolds that are known: what is found on them without that knowledge must be near it.
#include "calor/limit/own_points.h"

#include <gtest/gtest.h>

#include <cmath>

#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::limit {
namespace {

struct Drawn {
  std::vector<double> rows, h;
  std::int64_t columns;
};

// Uniform points of the unit sphere in `columns` dimensions times `scale`; h is the first coordinate.
Drawn sphere(std::int64_t columns, int count, double scale = 1) {
  Random random(4, Purpose::test);
  Drawn drawn{{}, {}, columns};
  for (int i = 0; i < count; ++i) {
    std::vector<double> x(static_cast<std::size_t>(columns));
    double squared = 0;
    for (double& value : x) {
      value = random.normal();
      squared += value * value;
    }
    for (const double value : x) drawn.rows.push_back(scale * value / std::sqrt(squared));
    drawn.h.push_back(drawn.rows[drawn.rows.size() - x.size()]);
  }
  return drawn;
}

OwnPoints found_on(const Drawn& drawn, int threads = 0) {
  Context context;
  context.threads = threads;
  return own_points(drawn.rows, drawn.columns, drawn.h, 0, context);
}

// The estimates of the dimension are near, not exact: curvature makes the kernel's sum steeper by a quarter at most (on the circle its
// slope is known, below), and a finite sample biases the neighbours' one by less.
TEST(OwnPoints, dimension_of_spheres) {
  for (const int n : {1, 2, 3}) {
    const OwnPoints found = found_on(sphere(n + 1, 1000));
    EXPECT_NEAR(found.steepest.dimension, n, 0.25 * n);
    EXPECT_NEAR(found.dimension_by_neighbours.value, n, 0.1 * n);
    EXPECT_LT(found.dimension_by_neighbours.low, found.dimension_by_neighbours.value);
    EXPECT_GT(found.dimension_by_neighbours.high, found.dimension_by_neighbours.value);
  }
}

// On the uniform circle the mean of exp(-|x - y|^2 / (2 eps)) is exp(-1/eps) I_0(1/eps).
TEST(OwnPoints, kernel_sum_on_the_circle_is_the_bessel_function) {
  const OwnPoints found = found_on(sphere(2, 1200));
  int checked = 0;
  for (const AtEpsilon& at : found.curve) {
    const double u = 1 / at.epsilon;
    if (u > 100) continue;
    const double slope = 2 * u * (1 - std::cyl_bessel_i(1, u) / std::cyl_bessel_i(0, u));
    EXPECT_NEAR(at.dimension / slope, 1, 0.05) << at.epsilon;  // 1,200 points: 1 / sqrt(N) and a margin
    ++checked;
  }
  EXPECT_GT(checked, 8);
}

// On the uniform circle L cos = -cos, so that in the linear regime the change is eps / 2 of the deviation, up to the noise.
TEST(OwnPoints, change_in_the_linear_regime_is_the_euler_step) {
  const OwnPoints found = found_on(sphere(2, 1500));
  ASSERT_FALSE(std::isnan(found.linear_low));
  int checked = 0;
  for (const AtEpsilon& at : found.curve)
    if (at.epsilon > 0.03 && at.epsilon < 0.15 && at.epsilon >= found.linear_low && at.epsilon <= found.linear_high) {
      EXPECT_NEAR(at.change / (at.epsilon / 2), 1, 0.15);  // bias of order eps, noise of 1,500 points
      EXPECT_NEAR(at.order, 1, 0.2);
      ++checked;
    }
  EXPECT_GE(checked, 3);
}

// Lengths times m: the same curve at m^2 eps.
TEST(OwnPoints, scale_moves_the_regime_and_nothing_else) {
  const OwnPoints one = found_on(sphere(2, 600)), ten = found_on(sphere(2, 600, 10));
  EXPECT_NEAR(ten.linear_high / one.linear_high, 100, 1e-9);
  EXPECT_NEAR(ten.steepest.dimension, one.steepest.dimension, 1e-9);
  EXPECT_LT(one.linear_low, one.linear_high);
  EXPECT_LT(ten.half.epsilon, ten.linear_low);  // 1/2 is small against a circle of radius 10 with 600 points
  EXPECT_NE(findings(ten).front().find("below the linear regime"), std::string::npos) << findings(ten).front();
  EXPECT_NE(findings(one).front().find("1/2 is"), std::string::npos) << findings(one).front();
}

TEST(OwnPoints, same_bits_for_any_number_of_threads) {
  const Drawn drawn = sphere(3, 300);
  const OwnPoints a = found_on(drawn, 1), b = found_on(drawn, 3);
  EXPECT_EQ(findings(a), findings(b));
  EXPECT_EQ(a.density, b.density);
  EXPECT_EQ(a.after, b.after);
  EXPECT_EQ(a.half.change, b.half.change);
}

TEST(OwnPoints, refuses_what_says_nothing) {
  const auto refused = [](const std::vector<double>& rows, const std::vector<double>& h) {
    try {
      own_points(rows, 1, h, 0, Context());
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::input);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  std::vector<double> rising(20), same(20, 3.0);
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<double>(i);
  EXPECT_NE(refused({1, 2}, {1, 2}).find("at least 10 points"), std::string::npos);
  EXPECT_NE(refused(same, rising).find("points that differ"), std::string::npos);
  EXPECT_NE(refused(rising, same).find("not constant"), std::string::npos);
}

}  // namespace
}  // namespace calor::limit
