// Eigenpairs of a record: the largest of its symmetric conjugate, or the smallest of a residual; the smallest of a stiffness beside a mass.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/record.h"

namespace calor::engine {

struct Pairs {
  Vector values;   // k, in the order of importance
  Matrix vectors;  // N x k; the entry of largest size of each is positive
};

// A real symmetric operator on n numbers.
class SymmetricOperator {
 public:
  virtual ~SymmetricOperator() = default;
  virtual std::int64_t size() const = 0;
  virtual Vector operator()(const Vector& x) const = 0;
};

// The k algebraically largest eigenpairs, of unit length, on the complement of the orthonormal columns of `known`, which must be
// eigenvectors; fewer where the complement is smaller.  Lanczos, with implicit restarts (Spectra) for a graph and in blocks
// (block_eigen.h) for all pairs; dense below 200.  Throws Fault::convergence.
Pairs largest_pairs(const SymmetricOperator& a, std::int64_t k, const Matrix& known, const Context& context);

// The symmetric conjugate of a record with symmetric values g: exp(c_i) g_ij exp(c_j), c the mean of both logarithmic factors.
// On the rows `members` (ascending; empty: all).  Stores its values on a support, and over all pairs where 4 N^2 bytes
// are at most a quarter of the memory limit; streams otherwise.  A record that is a stored matrix already is not copied.
std::unique_ptr<SymmetricOperator> conjugate(const Similarity& similarity, const std::vector<std::int64_t>& members,
                                             const Context& context);

// The k smallest eigenpairs but the constant of (I - W)'(I - W) for sparse W with rows that add up to 1 and a connected graph, by
// shift and invert with a sparse Cholesky factorisation, dense below 200.  O(entries + fill) memory: Fault::memory before the
// factorisation begins where that is over the limit.  Throws Fault::convergence, also for a residual that is not small.
Pairs smallest_residual_pairs(const Csr& weights, std::int64_t k, const Context& context);

// The k smallest eigenpairs, ascending, of stiffness u = lambda mass u for a symmetric positive semidefinite stiffness whose rows add up to 0
// (mesh_laplacian.h), with u' mass u = 1 and u orthogonal in the mass.  The first ones are 0 exactly: a constant on each component.  Nodes without mass
// take no part: their entries are 0.  Fewer pairs where fewer nodes have mass.  Shift and invert in blocks of eight, so that eigenvalues of up to that
// multiplicity are all found; dense for few nodes.  Memory, errors: as above.
Pairs smallest_mass_pairs(const Csr& stiffness, const Vector& mass, std::int64_t k, const Context& context);

// Makes the entry of largest size of each column positive (the first of equal ones).
void fix_signs(Matrix& vectors);

}  // namespace calor::engine
