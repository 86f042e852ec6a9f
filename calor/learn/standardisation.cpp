#include "calor/learn/standardisation.h"

#include <cmath>

namespace calor::learn {

Standardisation fit_standardisation(const io::Dataset& data, const std::vector<std::int64_t>& rows) {
  const auto columns = static_cast<std::size_t>(data.columns);
  Standardisation fit{std::vector<double>(columns, 0.0), std::vector<double>(columns, 0.0)};
  const auto count = static_cast<double>(rows.size());
  std::vector<bool> constant(columns, true);
  for (const std::int64_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      fit.mean[c] += data.row(row)[c] / count;
      if (data.row(row)[c] != data.row(rows.front())[c]) constant[c] = false;
    }
  }
  for (const std::int64_t row : rows) {
    for (std::size_t c = 0; c < columns; ++c) {
      const double centred = data.row(row)[c] - fit.mean[c];
      fit.deviation[c] += centred * centred / count;
    }
  }
  // Rounding of the mean must not turn a constant column into noise.
  for (std::size_t c = 0; c < columns; ++c) fit.deviation[c] = constant[c] ? 0.0 : std::sqrt(fit.deviation[c]);
  return fit;
}

Standardisation identity_standardisation(std::int64_t columns) {
  const auto count = static_cast<std::size_t>(columns);
  return {std::vector<double>(count, 0.0), std::vector<double>(count, 1.0)};
}

std::vector<float> standardised_rows(const io::Dataset& data, const std::vector<std::int64_t>& rows,
                                     const Standardisation& standardisation) {
  std::vector<float> values;
  values.reserve(rows.size() * static_cast<std::size_t>(data.columns));
  for (const std::int64_t row : rows) {
    for (std::int64_t column = 0; column < data.columns; ++column) {
      const auto c = static_cast<std::size_t>(column);
      const double deviation = standardisation.deviation[c];
      const double centred = data.row(row)[column] - standardisation.mean[c];
      values.push_back(deviation == 0 ? 0.0F : static_cast<float>(centred / deviation));
    }
  }
  return values;
}

std::vector<std::string> constant_columns(const io::Dataset& data, const std::vector<std::int64_t>& rows) {
  const Standardisation fit = fit_standardisation(data, rows);
  std::vector<std::string> names;
  for (std::size_t c = 0; c < fit.deviation.size(); ++c) {
    if (fit.deviation[c] == 0) names.push_back(data.features[c]);
  }
  return names;
}

}  // namespace calor::learn
