#include "calor/engine/solve/dense.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>

#include <algorithm>

namespace calor::engine {

using Eigen::MatrixXd;
using Eigen::VectorXd;

SymmetricPairs symmetric_eigenpairs(const DenseRef& matrix) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(matrix);
  return {solver.eigenvalues(), solver.eigenvectors()};
}

VectorXd symmetric_eigenvalues(const DenseRef& matrix) {
  return Eigen::SelfAdjointEigenSolver<MatrixXd>(matrix, Eigen::EigenvaluesOnly).eigenvalues();
}

ComplexPairs general_eigenpairs(const DenseRef& matrix) {
  const Eigen::EigenSolver<MatrixXd> solver(matrix);
  return {solver.eigenvalues(), solver.eigenvectors(), solver.info() == Eigen::Success};
}

ThinQr thin_qr(const DenseRef& matrix) {
  const Eigen::HouseholderQR<MatrixXd> qr(matrix);
  const Eigen::Index rank = std::min(matrix.rows(), matrix.cols());
  ThinQr result;
  result.q = qr.householderQ() * MatrixXd::Identity(matrix.rows(), rank);
  result.r = qr.matrixQR().topRows(rank).triangularView<Eigen::Upper>();
  return result;
}

MatrixXd least_squares(const DenseRef& matrix, const DenseRef& right) { return Eigen::HouseholderQR<MatrixXd>(matrix).solve(right); }

MatrixXd pivoted_least_squares(const DenseRef& matrix, const DenseRef& right) {
  return Eigen::ColPivHouseholderQR<MatrixXd>(matrix).solve(right);
}

MatrixXd inverse(const DenseRef& matrix) { return Eigen::FullPivLU<MatrixXd>(matrix).inverse(); }

VectorXd solve_symmetric(const DenseRef& matrix, const Eigen::Ref<const VectorXd>& right) { return Eigen::LDLT<MatrixXd>(matrix).solve(right); }

}  // namespace calor::engine
