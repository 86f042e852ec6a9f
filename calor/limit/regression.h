// Orders and coefficients from measurements: least squares with Student's t intervals, and extrapolation to eps = 0.
#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

namespace calor::limit {

struct Estimate {
  double value = 0, low = 0, high = 0;  // 95 % interval
};

// Coefficients of y ~ design.  Needs more rows than columns for intervals; else they are NaN.
std::vector<Estimate> least_squares(const Eigen::MatrixXd& design, const Eigen::VectorXd& y);

// The order of error(step) ~ c step^order (1 + b step^correction): the slope of log error, with the next term fitted beside it
// so that a finite ladder shows the limit's order.  At least 4 steps.
Estimate order(std::span<const double> step, std::span<const double> error, double correction = 1);

// The value at eps = 0 of quantities given at eps, eps/2, eps/4, ...: Richardson's scheme for a series in whole powers of eps.
// values[k] belongs to eps / 2^k; each holds one number per query.
std::vector<double> extrapolate(const std::vector<std::vector<double>>& values);

double root_mean_square(std::span<const double> values);
double root_mean_square_difference(std::span<const double> a, std::span<const double> b);

}  // namespace calor::limit
