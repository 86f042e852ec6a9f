#include "calor/kernels/walk_sums.h"

#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {

static std::int64_t add_row(const std::int32_t* column, const double* values, std::int64_t count, std::int32_t end, const double* weights, double* sums) {
  std::int64_t e = 0;
  for (; e < count && column[e] < end; ++e)
    for (std::int64_t lane = 0; lane < walk_lanes; ++lane) sums[column[e] * walk_lanes + lane] += values[e] * weights[lane];
  return e;
}

const WalkSums* walk_sums() {
  static const WalkSums table{add_row};
  return &table;
}

}  // namespace calor::kernels::scalar
