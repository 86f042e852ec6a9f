// Weighted points in R^d, in the order that makes a ball's contents one short stretch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace calor::limit {

// Points with the measure sum_j weight_j delta(x_j).  Sorted by the first coordinate; coordinates one after the other.
struct Sample {
  int dim = 0;
  std::int64_t count = 0;
  std::vector<double> x;       // [dim][count]
  std::vector<double> weight;  // [count], positive
  double at(std::int64_t i, int c) const { return x[static_cast<std::size_t>(c * count + i)]; }
  std::vector<double> point(std::int64_t i) const;
};

// From row-major points [count][dim]; no weights: 1 each.  O(count log count).
Sample make_sample(int dim, std::span<const double> rows, std::span<const double> weight = {});

// Values of a function at every point.
template <class F>
std::vector<double> values_at(const Sample& sample, F&& function) {
  std::vector<double> values(static_cast<std::size_t>(sample.count));
  for (std::int64_t i = 0; i < sample.count; ++i) values[static_cast<std::size_t>(i)] = function(sample.point(i));
  return values;
}

}  // namespace calor::limit
