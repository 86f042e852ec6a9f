#include "calor/kernels/paths.h"

#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {

static void shorten_paths(const std::int64_t* begin, const std::int32_t* column, const double* length, const std::int32_t* order,
                          std::int64_t count, double* reached, std::uint8_t* pending) {
  for (bool shortened = true; shortened;) {
    shortened = false;
    for (std::int64_t n = 0; n < count; ++n) {
      const std::int64_t node = order[n];
      if (!pending[node]) continue;
      pending[node] = 0;
      double* own = reached + node * path_lanes;
      bool any = false;
      for (std::int64_t e = begin[node]; e < begin[node + 1]; ++e)
        for (std::int64_t lane = 0; lane < path_lanes; ++lane)
          if (const double through = reached[column[e] * path_lanes + lane] + length[e]; through < own[lane]) {
            own[lane] = through;
            any = true;
          }
      if (!any) continue;
      shortened = true;
      for (std::int64_t e = begin[node]; e < begin[node + 1]; ++e) pending[column[e]] = 1;
    }
  }
}

const Paths* paths() {
  static const Paths table{shorten_paths};
  return &table;
}

}  // namespace calor::kernels::scalar
