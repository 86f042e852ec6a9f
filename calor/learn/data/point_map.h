// The ways in which a method may be given its points: each an affine map fitted on training rows, in double.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "calor/engine/matrix.h"

namespace calor::learn {

enum class Preprocessing { as_given, standardised, whitened, untouched };
// Those that a method chooses from, the plainest first.
inline constexpr std::array every_preprocessing{Preprocessing::as_given, Preprocessing::standardised, Preprocessing::whitened};
std::string_view name_of(Preprocessing);  // "as it is", "standardised", "whitened", "untouched"

// Whether there are rows and few enough columns for it: whitening wants twice as many rows as columns, and at most 1,024 columns.
bool possible(Preprocessing, std::int64_t rows, std::int64_t columns);

// x -> (x - mean) map.  Afterwards the training rows have mean 0 and mean square 1: over all columns together (as_given, so distances keep
// their ratios), in each column (standardised), along each principal axis (whitened; directions without variance are left out).
// untouched: x -> x.
class PointMap {
 public:
  PointMap(Preprocessing preprocessing, const engine::Matrix& train);  // at least one row
  engine::Matrix operator()(const engine::Matrix& points) const;

 private:
  engine::Vector mean_, scale_;  // one per column
  Eigen::MatrixXd axes_;           // columns x axes; empty: none
};

}  // namespace calor::learn
