// Manifolds on which everything is known: the density, a test function, and both parts of the limit operator.
//
//   L h = Lap h + 2 <grad log p, grad h>,     p the density of the points with respect to the manifold's volume
//
// Derivations: docs/theory/drift-diffusion.md; checked symbolically by tests/limit/test_derivations.py.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "calor/core/random.h"
#include "calor/limit/sample.h"

namespace calor::limit {

using Point = std::vector<double>;

class Manifold {
 public:
  virtual ~Manifold() = default;
  virtual int dimension() const = 0;
  virtual int ambient() const = 0;

  virtual double density(const Point& x) const = 0;    // up to a constant factor
  virtual double function(const Point& x) const = 0;   // the test function h
  virtual double laplacian(const Point& x) const = 0;  // Lap h
  virtual double drift(const Point& x) const = 0;      // <grad log p, grad h>

  // A point set whose weights are p dV, dense enough that sums of exp(-|x - y|^2 / (2 eps)) over it are integrals to about
  // eleven digits at the queries, and at their neighbours, which the degrees of alpha != 0 need.
  virtual Sample quadrature(double epsilon) const = 0;
  // Independent points of density p, weight 1 each.
  virtual Sample random(std::int64_t count, Random& random) const = 0;
  // A few hundred fixed points, none of which is special.
  virtual Sample queries(std::int64_t count) const = 0;
};

// h = linear . x + cross x_0 x_last
struct TestFunction {
  Point linear = {1.0, 0.5, -0.6, 0.8};  // as many as there are coordinates count
  double cross = 0.4;
};

// { sum_k (x_k / axis_k)^2 = 1 } in R^2, R^3 or R^4 with p ~ 1 + tilt x_last / axis_last, |tilt| < 1; equal axes 1: the unit
// sphere.
std::unique_ptr<Manifold> make_ellipsoid(std::vector<double> axes, double tilt, const TestFunction& function = {});

// The flat torus (cos a, sin a, cos b, sin b) with p ~ (1 + tilt cos a)(1 + tilt cos b); h = sin a + cos(a + b).
std::unique_ptr<Manifold> make_torus(double tilt);

// R^n, n = 1..3, with p the standard normal density: the Ornstein-Uhlenbeck operator Lap h - 2 x . grad h.
std::unique_ptr<Manifold> make_gaussian(int dimension);

std::vector<double> functions_at(const Manifold& manifold, const Sample& sample);

}  // namespace calor::limit
