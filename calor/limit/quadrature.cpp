#include "calor/limit/quadrature.h"

#include <cmath>
#include <numbers>

#include "calor/core/error.h"

namespace calor::limit {

using std::numbers::pi;

Rule gauss_legendre(int count) {
  Rule rule;
  for (int k = 0; k < count; ++k) {
    double x = std::cos(pi * (k + 0.75) / (count + 0.5)), slope = 0;
    for (int step = 0; step < 100; ++step) {
      double before = 1, value = x;
      for (int l = 2; l <= count; ++l) {
        const double next = ((2 * l - 1) * x * value - (l - 1) * before) / l;
        before = value;
        value = next;
      }
      slope = count * (x * value - before) / (x * x - 1);
      const double change = value / slope;
      x -= change;
      if (std::abs(change) < 1e-15) break;
    }
    rule.node.push_back(x);
    rule.weight.push_back(2 / ((1 - x * x) * slope * slope));
  }
  return rule;
}

static SphereRule circle_rule(int degree) {
  SphereRule rule;
  const int count = degree + 1;
  for (int k = 0; k < count; ++k) {
    const double angle = 2 * pi * (k + 0.25) / count;  // a shift, so that no point sits on a symmetry axis
    rule.rows.insert(rule.rows.end(), {std::cos(angle), std::sin(angle)});
    rule.weight.push_back(2 * pi / count);
  }
  return rule;
}

// The sphere over one of a dimension less: (sin psi y, cos psi), with a rule for cos psi.
static SphereRule suspended(const SphereRule& base, int base_width, const Rule& cosines) {
  SphereRule rule;
  for (std::size_t k = 0; k < cosines.node.size(); ++k) {
    const double z = cosines.node[k], sine = std::sqrt(1 - z * z);
    for (std::size_t i = 0; i < base.weight.size(); ++i) {
      for (int c = 0; c < base_width; ++c) rule.rows.push_back(sine * base.rows[i * static_cast<std::size_t>(base_width) + static_cast<std::size_t>(c)]);
      rule.rows.push_back(z);
      rule.weight.push_back(cosines.weight[k] * base.weight[i]);
    }
  }
  return rule;
}

SphereRule sphere_rule(int dimension, int degree) {
  require(dimension >= 1 && dimension <= 3, Fault::internal, "[limit] expected a sphere of dimension 1 to 3, found {}", dimension);
  const SphereRule circle = circle_rule(degree);
  if (dimension == 1) return circle;
  const int count = degree / 2 + 1;
  const SphereRule sphere = suspended(circle, 2, gauss_legendre(count));
  if (dimension == 2) return sphere;
  Rule chebyshev;  // of the second kind: the weight sin^2 psi d psi of the three-sphere
  for (int k = 1; k <= count; ++k) {
    const double angle = pi * k / (count + 1);
    chebyshev.node.push_back(std::cos(angle));
    chebyshev.weight.push_back(pi / (count + 1) * std::sin(angle) * std::sin(angle));
  }
  return suspended(sphere, 3, chebyshev);
}

int resolving_degree(double epsilon) { return static_cast<int>(std::ceil(std::sqrt(50 / epsilon))) + 4; }

}  // namespace calor::limit
