#include "calor/kernels/metric_map.h"

#include <algorithm>

#include "calor/kernels/isa.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {

// Units at a time: a few hundred points of them stay in the first-level cache between their making and their use.
static constexpr std::int64_t unit_block = 16;

void map_batch(const MapBatch& batch, const MetricMap<const float>& map, float* units, float* mapped) {
  const MetricSteps& steps = current_isa().metric_steps();
  const auto [width, hidden, count, stride, points] = batch;
  std::fill_n(mapped, width * stride, 0.0F);
  steps.add_product({map.residual, width, points, stride, width, width, stride, mapped, stride});
  for (std::int64_t u = 0; u < hidden; u += unit_block) {
    const std::int64_t here = std::min(unit_block, hidden - u);
    float* block = units + u * stride;
    steps.rectified_product({map.first + u * width, width, points, stride, here, width, stride, block, stride}, map.first_bias + u);
    steps.add_product({map.second + u, hidden, block, stride, width, here, stride, mapped, stride});
  }
  for (std::int64_t c = 0; c < width; ++c) std::fill_n(mapped + c * stride + count, stride - count, 0.0F);
}

void map_gradient(const MapBatch& batch, const MetricMap<const float>& map, const float* units, const float* d_mapped, const MetricMap<float>& gradient) {
  const MetricSteps& steps = current_isa().metric_steps();
  const auto [width, hidden, count, stride, points] = batch;
  const WorkspaceScope workspace(WorkspaceScope::Use::piece);
  float* d_units = workspace->take<float>(unit_block * stride);
  float* ones = workspace->take<float>(stride);
  std::fill_n(ones, stride, 1.0F);
  steps.inner_products(d_mapped, stride, width, points, stride, width, stride, gradient.residual, width, 1);
  for (std::int64_t u = 0; u < hidden; u += unit_block) {
    const std::int64_t here = std::min(unit_block, hidden - u);
    const float* block = units + u * stride;
    steps.gated_product({map.second + u, hidden, d_mapped, stride, here, width, stride, d_units, stride}, block);
    steps.inner_products(d_units, stride, here, points, stride, width, stride, gradient.first + u * width, width, 1);
    steps.inner_products(d_units, stride, here, ones, stride, 1, stride, gradient.first_bias + u, 1, 1);
    steps.inner_products(d_mapped, stride, width, block, stride, here, stride, gradient.second + u, hidden, 1);
  }
}

}  // namespace calor::kernels
