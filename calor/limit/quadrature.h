// Quadrature rules on spheres, exact for polynomials: point sets whose density is known exactly, so that the bias of an
// operator shows without sampling noise.
#pragma once

#include <vector>

namespace calor::limit {

struct Rule {
  std::vector<double> node, weight;
};

// Gauss-Legendre on [-1, 1]: exact to degree 2 count - 1.  Newton on the Legendre polynomial; relative error about 1e-15.
Rule gauss_legendre(int count);

struct SphereRule {
  std::vector<double> rows;    // points on the unit sphere, row-major, dimension + 1 coordinates
  std::vector<double> weight;  // sums to the sphere's volume
};

// The unit sphere of the given dimension (1, 2 or 3), exact for polynomials of the given degree.
// Throws Fault::internal for another dimension.
SphereRule sphere_rule(int dimension, int degree);

// The degree at which exp(-|x - y|^2 / (2 eps)) on the unit sphere is a polynomial to exp(-25) of its peak: its part of
// degree l falls like exp(-l^2 eps / 2).
int resolving_degree(double epsilon);

}  // namespace calor::limit
