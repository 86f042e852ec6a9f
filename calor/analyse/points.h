// Points as the analyses read them: row-major doubles that someone else owns, one row a point.
#pragma once

#include <cstdint>

namespace calor::analyse {

struct Points {
  const double* values = nullptr;
  std::int64_t rows = 0, columns = 0;
  const double* row(std::int64_t i) const { return values + i * columns; }
};

}  // namespace calor::analyse
