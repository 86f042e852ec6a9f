#include "calor/learn/data/standardisation.h"

#include <cmath>

namespace calor::learn {

using engine::Matrix;

Standardisation fit_standardisation(const Matrix& train) {
  const auto columns = static_cast<std::size_t>(train.cols());
  Standardisation fit{std::vector<double>(columns, 0.0), std::vector<double>(columns, 0.0)};
  const auto count = static_cast<double>(train.rows());
  for (std::size_t c = 0; c < columns; ++c) {
    const auto column = train.col(static_cast<Eigen::Index>(c)).array();
    const double first = column[0];
    fit.mean[c] = first;
    // Rounding of the mean must not turn a constant column into noise.
    if ((column == first).all()) continue;
    fit.mean[c] += ((column - first) / count).sum();
    const double largest = (column - fit.mean[c]).abs().maxCoeff();
    const auto centred = (column - fit.mean[c]) / largest;
    const double missed = centred.mean();  // of the mean, by rounding
    fit.deviation[c] = largest * std::sqrt((centred - missed).square().mean());
  }
  return fit;
}

Standardisation identity_standardisation(std::int64_t columns) {
  const auto count = static_cast<std::size_t>(columns);
  return {std::vector<double>(count, 0.0), std::vector<double>(count, 1.0)};
}

std::vector<float> standardised(const Matrix& points, const Standardisation& standardisation) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(points.size()));
  for (Eigen::Index row = 0; row < points.rows(); ++row)
    for (std::size_t c = 0; c < standardisation.mean.size(); ++c) {
      const double centred = points(row, static_cast<Eigen::Index>(c)) - standardisation.mean[c], deviation = standardisation.deviation[c];
      values.push_back(deviation == 0 ? 0.0F : static_cast<float>(centred / deviation));
    }
  return values;
}

}  // namespace calor::learn
