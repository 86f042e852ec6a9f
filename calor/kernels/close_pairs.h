// All pairs within reach, exactly: float products of blocks of near points (screened_points.h) decide where their rounding leaves no doubt, the
// caller in double where it does.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/leading_points.h"
#include "calor/kernels/packed_points.h"

namespace calor::kernels {

struct ClosePairsProblem {
  PointsView rows, columns;        // nothing listed
  std::vector<double> reach;       // one a column: the squared distance up to which a row is close to it
  bool leave_itself_out = false;   // row i leaves out column i
  bool directions = false;         // unit vectors or 0 (packed_points.h)
  const LeadingDirections* leading = nullptr;  // as in neighbours.h
  // Whether a pair is close; asked where |x - y|^2 is within rounding of the reach.  Called from several threads.
  std::function<bool(std::int64_t row, std::int64_t column)> close;
  // Called with the number of pairs found so far, by one thread at a time; may throw.
  std::function<void(std::uint64_t)> grown;
};

// The close columns of each row, ascending.  At most O(rows columns d) float operations.  Coordinates of magnitude 2^-400 to 2^400 (or 0).
std::vector<std::vector<std::int32_t>> close_pairs(const ClosePairsProblem& problem, const Context& context);

}  // namespace calor::kernels
