// Columns standardised on the training rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/io/dataset.h"

namespace calor::learn {

// x -> (x - mean) / deviation; a column constant on the training rows has deviation 0 here and becomes zeros.
struct Standardisation {
  std::vector<double> mean, deviation;  // one a column, population deviation
};
Standardisation fit_standardisation(const io::Dataset& data, const std::vector<std::int64_t>& rows);
Standardisation identity_standardisation(std::int64_t columns);  // leaves every value as it is

// The rows' values through it: rows.size() x columns, row-major.
std::vector<float> standardised_rows(const io::Dataset& data, const std::vector<std::int64_t>& rows,
                                     const Standardisation& standardisation);

// Names of the columns that are constant on the training rows.
std::vector<std::string> constant_columns(const io::Dataset& data, const std::vector<std::int64_t>& rows);

}  // namespace calor::learn
