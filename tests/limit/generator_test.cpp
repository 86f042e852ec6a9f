// The operator against its definition in two plain loops, and the quadrature rules against integrals known in closed form.
#include "calor/limit/generator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "calor/core/random.h"
#include "calor/limit/manifold.h"
#include "calor/limit/quadrature.h"

namespace calor::limit {
namespace {

using std::numbers::pi;

double kernel(const Sample& a, std::int64_t i, const Sample& b, std::int64_t j, double epsilon) {
  double squared = 0;
  for (int c = 0; c < a.dim; ++c) squared += std::pow(a.at(i, c) - b.at(j, c), 2);
  return std::exp(-squared / (2 * epsilon));
}

// (2/eps)(S h - h) with S = softmax over all keys, nothing truncated.
std::vector<double> by_definition(const Sample& keys, const std::vector<double>& h, const Sample& queries, const std::vector<double>& own, double epsilon,
                                  double alpha) {
  std::vector<double> degree(static_cast<std::size_t>(keys.count), 0), out;
  for (std::int64_t j = 0; j < keys.count; ++j)
    for (std::int64_t k = 0; k < keys.count; ++k)
      degree[static_cast<std::size_t>(j)] += keys.weight[static_cast<std::size_t>(k)] * kernel(keys, j, keys, k, epsilon);
  for (std::int64_t i = 0; i < queries.count; ++i) {
    double sum = 0, total = 0;
    for (std::int64_t j = 0; j < keys.count; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const double weight = keys.weight[at] * std::pow(degree[at], -alpha) * kernel(queries, i, keys, j, epsilon);
      total += weight;
      sum += weight * h[at];
    }
    out.push_back(2 / epsilon * (sum / total - own[static_cast<std::size_t>(i)]));
  }
  return out;
}

TEST(Generator, is_its_definition_for_every_alpha_and_number_of_threads) {
  Random random(1, Purpose::test);
  std::vector<double> rows(3 * 1500), weight(1500);
  for (double& value : rows) value = random.uniform(-1, 1);
  for (double& value : weight) value = random.uniform(0.5, 2);
  const Sample keys = make_sample(3, rows, weight), queries = make_sample(3, {rows.begin(), rows.begin() + 3 * 37});
  const auto function = [](const Point& x) { return std::sin(2 * x[0]) + x[1] * x[2]; };
  const std::vector<double> h = values_at(keys, function), own = values_at(queries, function);
  for (const double epsilon : {0.005, 0.1})
    for (const double alpha : {0.0, 0.5, 1.0}) {
      Context one, three;
      one.threads = 1;
      three.threads = 3;
      const std::vector<double> found = generator(keys, h, queries, own, epsilon, alpha, one);
      EXPECT_EQ(found, generator(keys, h, queries, own, epsilon, alpha, three));
      const std::vector<double> expected = by_definition(keys, h, queries, own, epsilon, alpha);
      // Rounding of S h - h, size one, over eps/2, with margin for 1,500 summands.
      for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 2 / epsilon * 1e-13) << epsilon << " " << alpha;
    }
}

TEST(Generator, degrees_are_row_sums) {
  const Sample points = make_gaussian(2)->quadrature(0.1);
  const std::vector<double> found = Generator(points).degrees(points, 0.1, Context());
  // The integral of exp(-|x - y|^2 / (2 eps)) p(y) dy for p = exp(-|y|^2 / 2): 2 pi eps / (1 + eps) exp(-|x|^2 / (2 (1 + eps))).
  int checked = 0;
  for (std::int64_t i = 0; i < points.count; i += 7) {
    const double squared = std::pow(points.at(i, 0), 2) + std::pow(points.at(i, 1), 2);
    if (squared > 4) continue;
    ++checked;
    EXPECT_NEAR(found[static_cast<std::size_t>(i)] / (2 * pi * 0.1 / 1.1 * std::exp(-squared / 2.2)), 1, 1e-10);
  }
  EXPECT_GT(checked, 10);
}

double integral(const SphereRule& rule, int width, const std::function<double(const double*)>& f) {
  double sum = 0;
  for (std::size_t i = 0; i < rule.weight.size(); ++i) sum += rule.weight[i] * f(&rule.rows[i * static_cast<std::size_t>(width)]);
  return sum;
}

// Integrals of monomials over spheres: Folland, Amer. Math. Monthly 108 (2001), 446.
TEST(Quadrature, integrates_monomials_over_spheres) {
  for (const int degree : {6, 7, 20, 41}) {
    const SphereRule circle = sphere_rule(1, degree), sphere = sphere_rule(2, degree), three = sphere_rule(3, degree);
    EXPECT_NEAR(integral(circle, 2, [](const double* x) { return x[0] * x[0] * x[1] * x[1]; }), pi / 4, 1e-11);
    EXPECT_NEAR(integral(circle, 2, [](const double* x) { return std::pow(x[0], 6); }), 2 * pi * 5 / 16, 1e-11);
    EXPECT_NEAR(integral(sphere, 3, [](const double*) { return 1; }), 4 * pi, 1e-11);
    EXPECT_NEAR(integral(sphere, 3, [](const double* x) { return std::pow(x[0] * x[1] * x[2], 2); }), 4 * pi / 105, 1e-11);
    EXPECT_NEAR(integral(sphere, 3, [](const double* x) { return std::pow(x[2], 6); }), 4 * pi / 7, 1e-11);
    EXPECT_NEAR(integral(sphere, 3, [](const double* x) { return std::pow(x[2], 5) * x[0]; }), 0, 1e-11);
    EXPECT_NEAR(integral(three, 4, [](const double*) { return 1; }), 2 * pi * pi, 1e-11);
    EXPECT_NEAR(integral(three, 4, [](const double* x) { return std::pow(x[3], 4); }), 2 * pi * pi / 8, 1e-11);
    EXPECT_NEAR(integral(three, 4, [](const double* x) { return std::pow(x[0] * x[3], 2); }), 2 * pi * pi / 24, 1e-11);
  }
}

TEST(Quadrature, gauss_legendre_is_exact_to_its_degree_and_no_further) {
  for (const int count : {1, 2, 5, 30}) {
    const Rule rule = gauss_legendre(count);
    const auto moment = [&](int power) {
      double sum = 0;
      for (std::size_t k = 0; k < rule.node.size(); ++k) sum += rule.weight[k] * std::pow(rule.node[k], power);
      return sum;
    };
    for (int power = 0; power < 2 * count; power += 2) EXPECT_NEAR(moment(power), 2.0 / (power + 1), 1e-14);
    if (count < 10) {
      EXPECT_GT(2.0 / (2 * count + 1) - moment(2 * count), 1e-4);
    }
  }
}

// Half of S^2 with density 1 + 0.5 z has the share 1/2 + 0.5 / 4 of the points above the equator, and ellipsoids their area's.
TEST(Manifold, random_points_have_the_density) {
  Random random(2, Purpose::test);
  const Sample points = make_ellipsoid({1, 1, 1}, 0.5)->random(40000, random);
  double above = 0;
  for (std::int64_t i = 0; i < points.count; ++i) above += points.at(i, 2) > 0;
  EXPECT_NEAR(above / 40000, 0.625, 4 * std::sqrt(0.625 * 0.375 / 40000));

  // Mean of a function under p dV, by quadrature and by random points.
  const auto ellipsoid = make_ellipsoid({1, 1.2, 0.9}, 0.4);
  const Sample nodes = ellipsoid->quadrature(0.5), drawn = ellipsoid->random(40000, random);
  double exact = 0, total = 0, mean = 0;
  for (std::int64_t i = 0; i < nodes.count; ++i) {
    exact += nodes.weight[static_cast<std::size_t>(i)] * std::pow(nodes.at(i, 1), 2);
    total += nodes.weight[static_cast<std::size_t>(i)];
  }
  for (std::int64_t i = 0; i < drawn.count; ++i) mean += std::pow(drawn.at(i, 1), 2) / 40000;
  EXPECT_NEAR(mean, exact / total, 4 * 0.45 / 200);  // deviation of y^2 below 0.45
}

}  // namespace
}  // namespace calor::limit
