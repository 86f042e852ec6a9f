// Diffusion maps against closed forms: circle, flat torus, sphere and Ornstein-Uhlenbeck, with the orders in bandwidth and number.
//
// exp(s) of minus the squared distance is W = exp(-d^2 / (2 eps)) with s = 2 eps, so (2/eps)(S - I) = (4/s)(S - I), which tends to
// L_p h = Lap h + 2 (1 - alpha) <grad log p, grad h>: bias O(s), sampling error O(N^-1/2 s^-(1/2 + n/4)) for dimension n.
// Orders are slopes of log error against log s or log N.  For the bias the points are equally spaced or a good quadrature, so that
// nothing else is seen; the next term of the expansion bends a slope of 1 by about s / 2 over the range, hence 0.1.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "calor/engine/passes.h"
#include "calor/engine/solve/dense.h"
#include "support.h"

namespace calor::pipeline {
namespace {

constexpr double pi = std::numbers::pi;

// The least-squares slope of log(values) against log(at).
double slope(const std::vector<double>& at, const std::vector<double>& values) {
  double x = 0, y = 0, xx = 0, xy = 0;
  const auto n = static_cast<double>(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double u = std::log(at[i]), v = std::log(values[i]);
    x += u / n, y += v / n, xx += u * u / n, xy += u * v / n;
  }
  return (xy - x * y) / (xx - x * x);
}

Fit diffusion(const Matrix& points, double s, double alpha, int k) {
  return run_text(fmt::format("distance(2) | exp({}) | two_side({}) | row | eigen({})", s, alpha, k), points, 2);
}

// The eigenvalues of the limit that a fit stands for, ascending.
Vector rates(const Fit& fit, double s) { return 4 / s * (1 - fit.result.spectrum.array()); }

// The share of `functions` (columns) that their best approximation from `span` leaves out.
double left_out(const Matrix& span, const Matrix& functions) {
  return (functions - span * Matrix(least_squares(span, functions))).norm() / functions.norm();
}

// The same for whatever solves u + a sin(u) = share: angles of density 1 + a cos.
double angle_of_share(double share, double a) {
  double angle = share;
  for (int step = 0; step < 60; ++step) angle -= (angle + a * std::sin(angle) - share) / (1 + a * std::cos(angle));
  return angle;
}

Matrix on_circle(const Vector& angles) {
  Matrix points(angles.size(), 2);
  points << angles.array().cos(), angles.array().sin();
  return points;
}

Vector spaced_angles(int n, double a = 0) {
  Vector angles(n);
  for (int i = 0; i < n; ++i) angles[i] = angle_of_share(2 * pi * (i + 0.5) / n, a);
  return angles;
}

Vector random_angles(int n, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Vector angles(n);
  for (double& angle : angles) angle = random.uniform(0, 2 * pi);
  return angles;
}

// On the unit circle exp(-4 sin^2(u / 2) / s) = e^(-2/s) e^((2/s) cos u), whose Fourier coefficients are Bessel functions.
double circle_ratio(int frequency, double s) { return std::cyl_bessel_i(frequency, 2 / s) / std::cyl_bessel_i(0, 2 / s); }

// --- flat torus ---------------------------------------------------------------------------------------------------------------

// m x m equally spaced angles on the product of two unit circles in four dimensions.
Matrix flat_torus(int m) {
  Matrix points(m * m, 4);
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < m; ++j) {
      const double u = 2 * pi * (i + 0.5) / m, v = 2 * pi * (j + 0.5) / m;
      points.row(i * m + j) << std::cos(u), std::sin(u), std::cos(v), std::sin(v);
    }
  return points;
}

// The kernel is a product, so the eigenvalues are products of two circles'; exact up to aliasing, which is below 1e-9 for 30 points
// a circle at s = 0.25.
TEST(FlatTorus, EigenvaluesAreProductsOfBesselRatiosAndEigenfunctionsProductsOfCosines) {
  const double s = 0.25, first = circle_ratio(1, s), second = circle_ratio(2, s);
  const Matrix x = flat_torus(30);
  const Fit fit = diffusion(x, s, 1, 12);
  for (int k = 0; k < 4; ++k) EXPECT_NEAR(fit.result.spectrum[k], first, 1e-9) << k;
  for (int k = 4; k < 8; ++k) EXPECT_NEAR(fit.result.spectrum[k], first * first, 1e-9) << k;
  for (int k = 8; k < 12; ++k) EXPECT_NEAR(fit.result.spectrum[k], second, 1e-9) << k;
  EXPECT_LT(left_out(fit.result.points->leftCols(4), x), 1e-7);
  Matrix products(x.rows(), 4);
  products << x.col(0).cwiseProduct(x.col(2)), x.col(0).cwiseProduct(x.col(3)), x.col(1).cwiseProduct(x.col(2)), x.col(1).cwiseProduct(x.col(3));
  EXPECT_LT(left_out(fit.result.points->middleCols(4, 4), products), 1e-7);
}

// cos u: 1 + s/8 + .., cos 2u: 4 - s + ..; in cos u cos v the terms of first order cancel.
TEST(FlatTorus, TheLaplacianIsReachedWithFirstOrderInTheBandwidth) {
  std::vector<double> at, once, twice, mixed;
  for (const double s : {0.24, 0.12, 0.06}) {
    const Vector found = rates(diffusion(flat_torus(32), s, 1, 9), s);
    at.push_back(s);
    once.push_back(std::abs(found[0] - 1));
    mixed.push_back(std::abs(found[4] - 2));
    twice.push_back(std::abs(found[8] - 4));
  }
  EXPECT_NEAR(slope(at, once), 1, 0.1);
  EXPECT_NEAR(slope(at, twice), 1, 0.1);
  EXPECT_NEAR(slope(at, mixed), 2, 0.4);  // s^2/16 (1 + s + ..): the next terms are larger here
}

// --- sphere -------------------------------------------------------------------------------------------------------------------

// Points of density 1 + a z: heights at equal shares, longitudes turned by the golden angle (Swinbank & Purser 2006).
Matrix sphere(int n, double a = 0) {
  Matrix points(n, 3);
  const double golden = pi * (3 - std::sqrt(5.0));
  for (int i = 0; i < n; ++i) {
    const double share = 2 * (i + 0.5) / n;  // z + 1 + a (z^2 - 1) / 2 = share
    const double z = a == 0 ? share - 1 : (-1 + std::sqrt(1 - 2 * a * (1 - a / 2 - share))) / a;
    const double radius = std::sqrt(1 - z * z);
    points.row(i) << radius * std::cos(golden * i), radius * std::sin(golden * i), z;
  }
  return points;
}

// Funk & Hecke: exp((2/s) t) has the eigenvalue i_l(2/s) on harmonics of degree l, a modified spherical Bessel function.
double sphere_ratio(int degree, double s) { return std::cyl_bessel_i(degree + 0.5, 2 / s) / std::cyl_bessel_i(0.5, 2 / s); }

// The golden spiral integrates smooth functions to about 10 / N^(3/2), which is what the tolerances allow.
TEST(Sphere, EigenvaluesAreSphericalBesselRatiosAndEigenfunctionsHarmonics) {
  const double s = 0.3;
  const Matrix x = sphere(1200);
  const Fit fit = diffusion(x, s, 1, 8);
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(fit.result.spectrum[k], sphere_ratio(1, s), 3e-4) << k;
  for (int k = 3; k < 8; ++k) EXPECT_NEAR(fit.result.spectrum[k], sphere_ratio(2, s), 3e-4) << k;
  EXPECT_LT(left_out(fit.result.points->leftCols(3), x), 2e-3);
  Matrix quadratic(x.rows(), 5);
  quadratic << x.col(0).cwiseProduct(x.col(1)), x.col(1).cwiseProduct(x.col(2)), x.col(0).cwiseProduct(x.col(2)),
      x.col(0).array().square() - x.col(1).array().square(), 3 * x.col(2).array().square() - 1;
  EXPECT_LT(left_out(fit.result.points->middleCols(3, 5), quadratic), 2e-3);
}

// Degree 1 has no bias at all (coth z - 1/z = 1 - s/2 up to e^(-4/s)); degree 2 is 6 - 3 s.
TEST(Sphere, TheLaplacianIsReachedWithFirstOrderInTheBandwidth) {
  std::vector<double> at, error;
  for (const double s : {0.4, 0.2, 0.1}) {
    const Vector found = rates(diffusion(sphere(1200), s, 1, 8), s);
    EXPECT_NEAR(found.head(3).mean(), 2, 0.01) << s;
    EXPECT_NEAR(found.segment(3, 5).mean(), 6 - 3 * s, 0.05) << s;
    at.push_back(s);
    error.push_back(std::abs(found.segment(3, 5).mean() - 6));
  }
  EXPECT_NEAR(slope(at, error), 1, 0.1);
}

// The least positive eigenvalues of -w^-1 div(w grad) on the sphere for w = (1 + a z)^(2 (1 - alpha)), among functions of z alone
// (order 0) and among sqrt(1 - z^2) cos(longitude) times such (order 1), by Galerkin's method with polynomials up to degree 9.
double sphere_rate_by_galerkin(double a, double alpha, int order) {
  constexpr int functions = 10, steps = 4000;
  Eigen::MatrixXd energy = Eigen::MatrixXd::Zero(functions, functions), mass = energy;
  for (int step = 0; step < steps; ++step) {  // the midpoint rule in the polar angle
    const double angle = pi * (step + 0.5) / steps, z = std::cos(angle), area = std::sin(angle);
    const double weight = area * std::pow(1 + a * z, 2 * (1 - alpha));
    Vector h(functions), slope_down(functions), around(functions);
    for (int k = 0; k < functions; ++k) {  // Legendre polynomials keep the matrices well conditioned
      const double p = std::legendre(static_cast<unsigned>(k), z), below = k ? std::legendre(static_cast<unsigned>(k - 1), z) : 0;
      const double derivative = k ? k * (below - z * p) / (1 - z * z) : 0;
      h[k] = order ? area * p : p;
      slope_down[k] = order ? z * p - area * area * derivative : -area * derivative;  // d / d angle
      around[k] = order ? p : 0;
    }
    energy += weight * (slope_down * slope_down.transpose() + around * around.transpose());
    mass += weight * h * h.transpose();
  }
  Eigen::VectorXd values = general_eigenpairs(inverse(mass) * energy).values.real();
  std::sort(values.begin(), values.end());
  return values[order ? 0 : 1];
}

TEST(Sphere, AlphaOneRemovesTheDensityAndZeroDoesNot) {
  const double a = 0.6, s = 0.08;
  EXPECT_NEAR(sphere_rate_by_galerkin(a, 1, 0), 2, 1e-4);
  EXPECT_NEAR(sphere_rate_by_galerkin(a, 1, 1), 2, 1e-4);
  const Matrix x = sphere(1500, a);
  const Vector without = rates(diffusion(x, s, 1, 3), s), with = rates(diffusion(x, s, 0, 3), s);
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(without[k], 2, 0.1) << k;  // O(s): the density is estimated at the same bandwidth
  const double along = sphere_rate_by_galerkin(a, 0, 0), across = sphere_rate_by_galerkin(a, 0, 1);
  ASSERT_GT(std::abs(along - 2), 0.2) << "the density matters";
  ASSERT_LT(across, along);
  EXPECT_NEAR(with[0], across, 0.1);
  EXPECT_NEAR(with[1], across, 0.1);
  EXPECT_NEAR(with[2], along, 0.1);
}

// --- circle: the operator itself, point by point ------------------------------------------------------------------------------

// (4/s)(S - I) h by the pipeline.
Vector generator(const Matrix& points, const Vector& h, double s, double alpha) {
  const Fit fit = run_text(fmt::format("distance(2) | exp({}) | two_side({}) | row", s, alpha), points, 2);
  return 4 / s * (apply(fit.result.similarity, h, Context()).col(0) - h);
}

// h'' + 2 (1 - alpha) (log p)' h' for h = sin(u) + cos(2 u) / 2 and p = 1 + a cos.
TEST(Circle, TheDriftIsTwoOneMinusAlphaWithFirstOrderInTheBandwidth) {
  const double a = 0.5;
  const Vector u = spaced_angles(1500, a);
  const Eigen::ArrayXd h = u.array().sin() + (2 * u.array()).cos() / 2;
  const Eigen::ArrayXd first = u.array().cos() - (2 * u.array()).sin(), second = -u.array().sin() - 2 * (2 * u.array()).cos();
  const Eigen::ArrayXd log_slope = -a * u.array().sin() / (1 + a * u.array().cos());
  for (const double alpha : {0.0, 0.5, 1.0}) {
    const Eigen::ArrayXd expected = second + 2 * (1 - alpha) * log_slope * first;
    std::vector<double> at{0.08, 0.04, 0.02}, error;
    for (const double s : at) error.push_back((generator(on_circle(u), h, s, alpha).array() - expected).matrix().norm() / expected.matrix().norm());
    EXPECT_LT(error.back(), 0.05) << alpha;
    EXPECT_NEAR(slope(at, error), 1, 0.1) << alpha;
  }
}

double root_mean_square(const Vector& values) { return std::sqrt(values.squaredNorm() / static_cast<double>(values.size())); }

// The error at random points against the bias-free expectation (4/s)(I_1/I_0 - 1) cos u.  One sample has some hundred independent
// stretches of the circle: its root mean square is known to about 10 %, a slope over a factor of 16 to about 0.05.
TEST(Circle, TheSamplingErrorHasItsOrdersInNumberAndBandwidth) {
  const auto error = [](int n, double s, std::uint64_t seed) {
    const Vector u = random_angles(n, seed), h = u.array().cos();
    return root_mean_square(generator(on_circle(u), h, s, 0) - 4 / s * (circle_ratio(1, s) - 1) * h);
  };
  std::vector<double> numbers{250, 1000, 4000}, of_number, bandwidths{0.16, 0.04, 0.01}, of_bandwidth;
  for (const double n : numbers) of_number.push_back(std::sqrt((std::pow(error(static_cast<int>(n), 0.04, 1), 2) + std::pow(error(static_cast<int>(n), 0.04, 2), 2)) / 2));
  for (const double s : bandwidths) of_bandwidth.push_back(std::sqrt((std::pow(error(3000, s, 3), 2) + std::pow(error(3000, s, 4), 2)) / 2));
  EXPECT_NEAR(slope(numbers, of_number), -0.5, 0.1);
  EXPECT_NEAR(slope(bandwidths, of_bandwidth), -0.75, 0.1);  // -(1/2 + n/4), n = 1
}

// The first two eigenvalues at random points about the closed form at that bandwidth; 32 numbers know their root mean square to 12 %.
TEST(Circle, EigenvaluesOfRandomPointsConvergeWithTheRootOfTheNumber) {
  const double s = 0.5;
  std::vector<double> numbers{200, 800}, error;
  for (const double n : numbers) {
    double squares = 0;
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
      const Fit fit = diffusion(on_circle(random_angles(static_cast<int>(n), 100 + seed)), s, 0, 2);
      for (int k = 0; k < 2; ++k) squares += std::pow(fit.result.spectrum[k] - circle_ratio(1, s), 2);
    }
    error.push_back(std::sqrt(squares / 32));
  }
  EXPECT_NEAR(slope(numbers, error), -0.5, 0.15);
}

// --- Ornstein-Uhlenbeck -------------------------------------------------------------------------------------------------------

double normal_quantile(double share) {
  double low = -9, high = 9;
  for (int step = 0; step < 70; ++step) {
    const double x = (low + high) / 2;
    (0.5 * std::erfc(-x / std::sqrt(2.0)) < share ? low : high) = x;
  }
  return (low + high) / 2;
}

// Quantiles of N(0, 1).  A step of the walk goes from x to rho x + noise with rho = 1 / (1 + s/2): eigenvalues rho^k, Hermite
// polynomials of the stationary variance (1 + s/2) / (2 + s/2) (Mehler).  What lies beyond the last quantile is missing: about the
// square root of log N over N of a moment.
TEST(OrnsteinUhlenbeck, EigenvaluesArePowersAndEigenfunctionsHermite) {
  const int n = 2000;
  Matrix x(n, 1);
  for (int i = 0; i < n; ++i) x(i, 0) = normal_quantile((i + 0.5) / n);
  const double s = 0.5, rho = 1 / (1 + s / 2), variance = (1 + s / 2) / (2 + s / 2);
  const Fit fit = run_text(fmt::format("distance(2) | exp({}) | row | eigen(3)", s), x, 2);
  for (int k = 1; k <= 3; ++k) EXPECT_NEAR(fit.result.spectrum[k - 1], std::pow(rho, k), 0.003 * k * k) << k;
  // Where nine tenths of the points are; in the tails the missing ones pull.
  const Eigen::Index from = n / 20, count = n - 2 * from;
  const Matrix middle = x.middleRows(from, count), v = fit.result.points->middleRows(from, count);
  EXPECT_LT(left_out(v.col(0), middle), 0.01);
  EXPECT_LT(left_out(v.col(1), (middle.array().square() - variance).matrix()), 0.03);
}

// (4/s)(1 - rho) = 2 / (1 + s/2) tends to 2, the rate of -L h = 2 x h' - h'' on x.
TEST(OrnsteinUhlenbeck, TheRateIsReachedWithFirstOrderInTheBandwidth) {
  const int n = 2000;
  Matrix x(n, 1);
  for (int i = 0; i < n; ++i) x(i, 0) = normal_quantile((i + 0.5) / n);
  std::vector<double> at{0.8, 0.4, 0.2}, error;
  for (const double s : at) {
    const double found = rates(run_text(fmt::format("distance(2) | exp({}) | row | eigen(1)", s), x, 2), s)[0];
    EXPECT_NEAR(found, 2 / (1 + s / 2), 0.02) << s;
    error.push_back(2 - found);
  }
  EXPECT_NEAR(slope(at, error), 1, 0.25);  // 2 - 2 / (1 + s/2) = s - s^2 / 2 + ..: 0.81 over this range
}

}  // namespace
}  // namespace calor::pipeline
