#include "calor/limit/sample.h"

#include <utility>

namespace calor::limit {

std::vector<double> Sample::point(std::int64_t i) const {
  const auto begin = x.begin() + static_cast<std::ptrdiff_t>(i * dim);
  return {begin, begin + dim};
}

Sample make_sample(int dim, std::vector<double> rows, std::vector<double> weight) {
  Sample sample;
  sample.dim = dim;
  sample.count = static_cast<std::int64_t>(rows.size()) / dim;
  sample.x = std::move(rows);
  sample.weight = std::move(weight);
  if (sample.weight.empty()) sample.weight.assign(static_cast<std::size_t>(sample.count), 1.0);
  return sample;
}

}  // namespace calor::limit
