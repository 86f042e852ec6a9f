// Principal coordinates of points: a picture of data that have no embedding of their own.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/analyse/points.h"
#include "calor/core/progress.h"

namespace calor::analyse {

struct PrincipalAxes {
  std::int64_t columns = 0, axes = 0;
  std::vector<double> centre;  // columns
  std::vector<double> axis;    // axes x columns, row-major, orthonormal; the greatest entry of each is positive
  std::vector<double> share;   // axes: of the points' variance, descending
};

// The leading axes, at most min(rows - 1, columns) and at least none, by subspace iteration from a fixed start: O(rows columns)
// an iteration and no columns x columns matrix.  Stops when the variances have settled within 1e-7, or after 60 iterations,
// which is more than a picture needs.  Same bits for any number of threads.
PrincipalAxes principal_axes(const Points& points, std::int64_t axes, const Context& context);

// rows x axes, row-major.  Throws Fault::internal for another number of columns.
std::vector<double> project(const Points& points, const PrincipalAxes& axes);

}  // namespace calor::analyse
