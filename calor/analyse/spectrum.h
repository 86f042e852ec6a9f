// Where a spectrum breaks off.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace calor::analyse {

struct Gap {
  std::int64_t after = 0;  // how many eigenvalues come before it
  double size = 0;         // the difference across it
};

// The largest difference between neighbours of a sorted spectrum, ascending or descending; the first of equal ones.  None for
// fewer than four values: a largest of one or two differences says nothing.  The eigengap heuristic (von Luxburg 2007,
// section 8.3).
std::optional<Gap> largest_gap(std::span<const double> spectrum);

}  // namespace calor::analyse
