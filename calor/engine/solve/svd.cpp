// Apart from the other decompositions because it alone takes as long to compile as they do.
#include <Eigen/SVD>

#include "calor/engine/solve/dense.h"

namespace calor::engine {

using Eigen::MatrixXd;

SingularValues thin_svd(const DenseRef& matrix) {
  const Eigen::BDCSVD<MatrixXd> svd(matrix, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return {svd.matrixU(), svd.singularValues(), svd.matrixV()};
}

Eigen::VectorXd singular_values(const DenseRef& matrix) { return Eigen::BDCSVD<MatrixXd>(matrix).singularValues(); }

}  // namespace calor::engine
