#include "calor/kernels/walk_sums.h"

#include <cmath>

#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {

static std::int64_t add_row(const std::int32_t* column, const double* values, std::int64_t count, std::int32_t end, const double* weights, double* sums) {
  std::int64_t e = 0;
  for (; e < count && column[e] < end; ++e)
    for (std::int64_t lane = 0; lane < walk_lanes; ++lane) sums[column[e] * walk_lanes + lane] += values[e] * weights[lane];
  return e;
}

static void add_quartet(const std::uint16_t* column, const double* values, std::int64_t count, const double* weights, double* sums) {
  for (std::int64_t e = 0; e < count; ++e)
    for (std::int64_t lane = 0; lane < quartet; ++lane) sums[column[e] * quartet + lane] += values[e] * weights[lane];
}

static std::int64_t reaching(const double* sums, std::int64_t columns, double least, std::int32_t* listed) {
  std::int64_t count = 0;
  for (std::int64_t c = 0; c < columns; ++c) {
    bool any = false;
    for (std::int64_t lane = 0; lane < quartet; ++lane) any |= std::abs(sums[c * quartet + lane]) >= least;
    listed[count] = static_cast<std::int32_t>(c);
    count += any;
  }
  return count;
}

static void add_column(const std::int32_t* row, const double* values, std::int64_t count, const double* weights, double* sums) {
  for (std::int64_t lane = 0; lane < quartet; ++lane) sums[lane] = 0;
  for (std::int64_t e = 0; e < count; ++e)
    for (std::int64_t lane = 0; lane < quartet; ++lane) sums[lane] += values[e] * weights[row[e] * quartet + lane];
}

const WalkSums* walk_sums() {
  static const WalkSums table{add_row, add_quartet, reaching, add_column};
  return &table;
}

}  // namespace calor::kernels::scalar
