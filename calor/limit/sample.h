// Weighted points in R^d.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calor/kernels/packed_points.h"

namespace calor::limit {

// The measure sum_j weight_j delta(x_j).
struct Sample {
  int dim = 0;
  std::int64_t count = 0;
  std::vector<double> x;       // [count][dim]
  std::vector<double> weight;  // [count], positive
  double at(std::int64_t i, int c) const { return x[static_cast<std::size_t>(i * dim + c)]; }
  std::vector<double> point(std::int64_t i) const;
  kernels::PointsView view() const { return {x.data(), count, dim, nullptr}; }
};

// From row-major points [count][dim]; no weights: 1 each.
Sample make_sample(int dim, std::vector<double> rows, std::vector<double> weight = {});

// Values of a function at every point.
template <class F>
std::vector<double> values_at(const Sample& sample, F&& function) {
  std::vector<double> values(static_cast<std::size_t>(sample.count));
  for (std::int64_t i = 0; i < sample.count; ++i) values[static_cast<std::size_t>(i)] = function(sample.point(i));
  return values;
}

}  // namespace calor::limit
