// Columns standardised on the training rows.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/engine/matrix.h"

namespace calor::learn {

// x -> (x - mean) / deviation; a column constant on the training rows has deviation 0 here and becomes zeros.
struct Standardisation {
  std::vector<double> mean, deviation;  // one per column, population deviation
};

// Sums are of differences from the first row, then from the mean, relative to the largest: neither a common offset nor the unit costs digits.
// At least one row.
Standardisation fit_standardisation(const engine::Matrix& train);
Standardisation identity_standardisation(std::int64_t columns);  // leaves every value as it is

// Points through it, in double; each number is rounded to a float once that is done: rows x columns, row-major.
std::vector<float> standardised(const engine::Matrix& points, const Standardisation& standardisation);

}  // namespace calor::learn
