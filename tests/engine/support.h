// What the tests of the engine and of pipelines share: small clouds of points, and errors.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/matrix.h"

namespace calor::engine {

inline Matrix random_points(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Matrix points(rows, columns);
  for (Eigen::Index i = 0; i < rows; ++i)
    for (Eigen::Index j = 0; j < columns; ++j) points(i, j) = random.normal();
  return points;
}

// That an error of this kind comes, with `part` in its words.
inline void expect_fault(Fault fault, const std::string& part, const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "nothing was thrown; expected: " << part;
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), fault) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what() << "\nshould hold: " << part;
  }
}

// The largest difference of two matrices, relative to the second's largest entry.
inline double relative_difference(const Matrix& found, const Matrix& expected) {
  if (found.rows() != expected.rows() || found.cols() != expected.cols()) return std::numeric_limits<double>::infinity();
  return (found - expected).cwiseAbs().maxCoeff() / std::max(1e-300, expected.cwiseAbs().maxCoeff());
}

}  // namespace calor::engine
