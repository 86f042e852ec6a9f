// Prepared rows as tensors, and which of them are used for what.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "calor/learn/data/point_map.h"
#include "calor/learn/data/preprocess.h"

namespace calor::learn {

// Points [n, columns] with their classes [n] (int64).
struct Points {
  at::Tensor values, labels;
  std::int64_t count() const { return values.defined() ? values.size(0) : 0; }
};

at::Tensor tensor_of(const engine::Matrix& points);  // a copy, double

// Row numbers or classes as a tensor of int64.
at::Tensor index_tensor(const std::vector<std::int64_t>& rows);

// Copies; `values` is rows x columns.
Points points_of(const std::vector<float>& values, const std::vector<std::int64_t>& labels, std::int64_t columns);
Points points_of(const engine::Matrix& values, const std::vector<std::int64_t>& labels);  // rounded to floats

// What one run trains on and is measured on.
struct RunData {
  Points train, test;
  Points kept;   // the training points that others attend to
  Points extra;  // fresh points of a distribution that can be drawn; else empty
  std::int64_t columns = 0, classes = 0;
};

// The prepared rows through its standardisation, or another map, in floats.
RunData run_data(const Prepared& prepared);
RunData run_data(const Prepared& prepared, const PointMap& map);

// The rows of `points` numbered `rows`.
Points pick_points(const Points& points, const std::vector<std::int64_t>& rows);

}  // namespace calor::learn
