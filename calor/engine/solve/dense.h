// Decompositions of dense matrices in double, by Eigen.  Its templates take minutes to compile, so they are compiled here once and called
// by everybody else as plain functions.  All O(n^3) time and O(n^2) memory for n x n.
#pragma once

#include <Eigen/Core>

namespace calor::engine {

using DenseRef = Eigen::Ref<const Eigen::MatrixXd>;

struct SymmetricPairs {
  Eigen::VectorXd values;  // ascending
  Eigen::MatrixXd vectors;  // a column each, orthonormal
};

// Of a symmetric matrix, of which the lower triangle is read.
SymmetricPairs symmetric_eigenpairs(const DenseRef& matrix);
Eigen::VectorXd symmetric_eigenvalues(const DenseRef& matrix);

struct ComplexPairs {
  Eigen::VectorXcd values;
  Eigen::MatrixXcd vectors;
  bool converged = false;
};

// Of any square matrix.
ComplexPairs general_eigenpairs(const DenseRef& matrix);

struct SingularValues {
  Eigen::MatrixXd u;  // n x r, r = min(n, d)
  Eigen::VectorXd values;  // descending
  Eigen::MatrixXd v;  // d x r
};

SingularValues thin_svd(const DenseRef& matrix);
Eigen::VectorXd singular_values(const DenseRef& matrix);

struct ThinQr {
  Eigen::MatrixXd q;  // n x r, r = min(n, d)
  Eigen::MatrixXd r;  // r x d, upper triangular
};

ThinQr thin_qr(const DenseRef& matrix);  // by Householder's reflections

// The x of least |matrix x - right|: without pivots for a matrix of full rank, with them for any other.
Eigen::MatrixXd least_squares(const DenseRef& matrix, const DenseRef& right);
Eigen::MatrixXd pivoted_least_squares(const DenseRef& matrix, const DenseRef& right);

Eigen::MatrixXd inverse(const DenseRef& matrix);  // with full pivots
Eigen::VectorXd solve_symmetric(const DenseRef& matrix, const Eigen::Ref<const Eigen::VectorXd>& right);  // LDL', pivoted

}  // namespace calor::engine
