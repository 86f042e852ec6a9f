// Sparse matrices beside the dense ones that they stand for, and X and S of files/make.py.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "calor/io/sparse.h"

namespace calor::io {

// X[i, j] = 10 i + j - 5; S is X where i + j is even.
inline double x_at(std::int64_t i, std::int64_t j) { return 10.0 * static_cast<double>(i) + static_cast<double>(j) - 5; }
inline double s_at(std::int64_t i, std::int64_t j) { return (i + j) % 2 == 0 ? x_at(i, j) : 0; }

inline std::vector<double> dense(std::int64_t rows, std::int64_t columns, const std::function<double(std::int64_t, std::int64_t)>& value) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) values.push_back(value(i, j));
  return values;
}

// Row-major; what SparseMatrix promises is checked on the way.
inline std::vector<double> dense(const SparseMatrix& matrix) {
  std::vector<double> values(static_cast<std::size_t>(matrix.rows * matrix.columns));
  EXPECT_EQ(static_cast<std::int64_t>(matrix.begin.size()), matrix.rows + 1);
  EXPECT_EQ(matrix.begin.front(), 0);
  EXPECT_EQ(matrix.begin.back(), matrix.entries());
  EXPECT_EQ(matrix.column.size(), matrix.value.size());
  for (std::int64_t row = 0; row < matrix.rows; ++row)
    for (std::int64_t e = matrix.begin[row]; e < matrix.begin[row + 1]; ++e) {
      const std::int64_t column = matrix.column[e];
      EXPECT_TRUE(column >= 0 && column < matrix.columns && (e == matrix.begin[row] || matrix.column[e - 1] < column)) << row << ' ' << column;
      EXPECT_TRUE(matrix.value[e] != 0 && std::isfinite(matrix.value[e])) << row << ' ' << column;
      values[static_cast<std::size_t>(row * matrix.columns + column)] = matrix.value[e];
    }
  return values;
}

}  // namespace calor::io
