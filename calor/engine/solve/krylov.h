// Leading eigenpairs of operators known by their products alone, by Spectra (MPL-2.0), compiled once.
#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <functional>

#include "calor/engine/solve/dense.h"

namespace calor::engine {

// out = A x.
using Product = std::function<void(const double* x, double* out)>;

struct KrylovOptions {
  std::int64_t basis = 0;  // vectors, more than the pairs looked for and at most n
  int most_restarts = 1000;
  double tolerance = 1e-10;
};

struct KrylovPairs {
  SymmetricPairs pairs;  // the largest, descending
  bool converged = false;
};

// The `count` algebraically largest of a symmetric operator.  O(basis) vectors of memory; one product a vector and restart.
KrylovPairs largest_symmetric(std::int64_t n, const Product& product, std::int64_t count, const KrylovOptions& options,
                              const Eigen::VectorXd& start);

// The `count` of largest modulus of any operator, with Arnoldi's method.
ComplexPairs largest_general(std::int64_t n, const Product& product, std::int64_t count, const KrylovOptions& options,
                             const Eigen::VectorXd& start);

}  // namespace calor::engine
