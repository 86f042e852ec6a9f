#include <algorithm>

#include "calor/learn/baseline/baselines.h"

namespace calor::learn {

Protocol without_propagation(const Protocol& protocol, std::int64_t parameters, std::int64_t columns,
                             std::int64_t classes) {
  // columns x width + width + width x classes + classes = parameters
  const std::int64_t a_unit = columns + 1 + classes;
  Protocol plain = protocol;
  plain.layers = 0;
  plain.width = std::max<std::int64_t>(1, (parameters - classes + a_unit / 2) / a_unit);
  return plain;
}

}  // namespace calor::learn
