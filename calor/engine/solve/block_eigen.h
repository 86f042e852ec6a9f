// Eigenpairs of an operator that takes several vectors at once for about the price of one: a stored matrix is read once for all of
// them, a streamed one computed once.
#pragma once

#include "calor/engine/solve/eigenpairs.h"
#include "calor/kernels/symmetric.h"

namespace calor::engine {

class BlockOperator : public SymmetricOperator {
 public:
  // A X for block_width columns.
  virtual Matrix products(const Matrix& x) const = 0;
  Vector operator()(const Vector& x) const final;
};

// What largest_pairs says, by block Lanczos with full orthogonalisation and thick restarts (Wu & Simon 2000), or densely where n or k
// leaves no room for a basis.  A pair is accepted when |A v - lambda v| is at most 1e-10 |lambda|, or 1e-14 of the largest where that
// is more.  Takes block_eigen_bytes; throws Fault::convergence.
Pairs largest_pairs_in_blocks(const BlockOperator& a, std::int64_t k, const Matrix& known, const Context& context);

// Beside the operator.
double block_eigen_bytes(double n, double k);

// The lower triangle of a record's symmetric conjugate (see `conjugate`), each value computed once: 4 n (n + 1) bytes.
Reservation reserve_triangle(std::int64_t n, const char* op, const Context& context);
kernels::SymmetricMatrix lower_triangle(const Similarity& record, const Context& context);

// Whether that is at most a quarter of the memory limit, or else each product computes the values anew.
inline bool stores_triangle(double n, double memory) { return 4 * n * (n + 1) <= memory / 4; }

// A stored symmetric matrix as an operator.  `row` is where row i of the lower triangle begins.
Matrix stored_products(std::int64_t n, const std::function<const double*(std::int64_t)>& row, const Matrix& x,
                                 const Context& context);

// Of all pairs of a record with symmetric values and factors that are the same on both sides: see `conjugate`.
std::unique_ptr<BlockOperator> all_pairs_conjugate(const Similarity& record, const std::vector<std::int64_t>& members,
                                                   const Context& context);

}  // namespace calor::engine
