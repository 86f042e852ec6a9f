// The map of a learned metric, and its gradient, on a batch of points:  phi(z) = R z + W2 relu(W1 z + b1).
#pragma once

#include <cstdint>

#include "calor/kernels/metric_steps.h"

namespace calor::kernels {

// R [width][width], W1 [hidden][width], b1 [hidden], W2 [width][hidden]: each contiguous.
template <class Number>
struct MetricMap {
  Number *residual = nullptr, *first = nullptr, *first_bias = nullptr, *second = nullptr;
};

struct MapBatch {
  std::int64_t width = 0, hidden = 0, count = 0, stride = 0;  // of points; stride: count rounded up to batch_lanes
  const float* points = nullptr;                              // [width][stride], zeros after the last point, cache-line aligned as all of these
};

inline std::int64_t batch_stride(std::int64_t count) { return (count + batch_lanes - 1) / batch_lanes * batch_lanes; }

// units [hidden][stride] receives relu(W1 z + b1), mapped [width][stride] the points.
void map_batch(const MapBatch& batch, const MetricMap<const float>& map, float* units, float* mapped);

// From the gradient of a loss by the mapped points [width][stride], with zeros after the last, those by the map's numbers (overwritten).
void map_gradient(const MapBatch& batch, const MetricMap<const float>& map, const float* units, const float* d_mapped, const MetricMap<float>& gradient);

}  // namespace calor::kernels
