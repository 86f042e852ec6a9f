#include "calor/limit/sample.h"

#include <algorithm>
#include <numeric>

namespace calor::limit {

std::vector<double> Sample::point(std::int64_t i) const {
  std::vector<double> coordinates(static_cast<std::size_t>(dim));
  for (int c = 0; c < dim; ++c) coordinates[static_cast<std::size_t>(c)] = at(i, c);
  return coordinates;
}

Sample make_sample(int dim, std::span<const double> rows, std::span<const double> weight) {
  Sample sample;
  sample.dim = dim;
  sample.count = static_cast<std::int64_t>(rows.size()) / dim;
  std::vector<std::size_t> order(static_cast<std::size_t>(sample.count));
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto width = static_cast<std::size_t>(dim);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rows[a * width] < rows[b * width]; });
  sample.x.reserve(rows.size());
  for (std::size_t c = 0; c < width; ++c)
    for (const std::size_t i : order) sample.x.push_back(rows[i * width + c]);
  sample.weight.reserve(order.size());
  for (const std::size_t i : order) sample.weight.push_back(weight.empty() ? 1.0 : weight[i]);
  return sample;
}

}  // namespace calor::limit
