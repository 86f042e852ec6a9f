#include "calor/limit/regression.h"

#include <cmath>
#include <limits>

#include "calor/analyse/statistics.h"
#include "calor/engine/solve/dense.h"

namespace calor::limit {

std::vector<Estimate> least_squares(const Eigen::MatrixXd& design, const Eigen::VectorXd& y) {
  const Eigen::VectorXd fit = engine::pivoted_least_squares(design, y);
  const auto freedom = static_cast<double>(design.rows() - design.cols());
  const double variance = freedom > 0 ? (y - design * fit).squaredNorm() / freedom : std::numeric_limits<double>::quiet_NaN();
  const double quantile = freedom > 0 ? analyse::student_t_quantile(0.975, freedom) : 0;
  const Eigen::MatrixXd inverse = engine::inverse(design.transpose() * design);
  std::vector<Estimate> estimates;
  for (Eigen::Index k = 0; k < fit.size(); ++k) {
    const double half = quantile * std::sqrt(variance * inverse(k, k));
    estimates.push_back({fit[k], fit[k] - half, fit[k] + half});
  }
  return estimates;
}

Estimate order(std::span<const double> step, std::span<const double> error, double correction) {
  const auto count = static_cast<Eigen::Index>(step.size());
  Eigen::MatrixXd design(count, 3);
  Eigen::VectorXd y(count);
  for (Eigen::Index k = 0; k < count; ++k) {
    const double at = step[static_cast<std::size_t>(k)];
    design.row(k) << 1, std::log(at), std::pow(at / step[0], correction);
    y[k] = std::log(error[static_cast<std::size_t>(k)]);
  }
  return least_squares(design, y)[1];
}

std::vector<double> extrapolate(const std::vector<std::vector<double>>& values) {
  std::vector<std::vector<double>> table = values;
  for (std::size_t level = 1; level < table.size(); ++level) {
    const double factor = std::exp2(static_cast<double>(level));
    for (std::size_t k = table.size() - 1; k >= level; --k)
      for (std::size_t i = 0; i < table[k].size(); ++i) table[k][i] += (table[k][i] - table[k - 1][i]) / (factor - 1);
  }
  return table.back();
}

double root_mean_square(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum / static_cast<double>(values.size()));
}

double root_mean_square_difference(std::span<const double> a, std::span<const double> b) {
  std::vector<double> difference(a.begin(), a.end());
  for (std::size_t i = 0; i < difference.size(); ++i) difference[i] -= b[i];
  return root_mean_square(difference);
}

}  // namespace calor::limit
