// Dense numbers as the pipelines use them: double, rows are points.
#pragma once

#include <Eigen/Core>

#include <cstdint>

namespace calor::engine {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;

}  // namespace calor::engine
