#include "calor/kernels/near_blocks.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "calor/kernels/block_order.h"

namespace calor::kernels {

NearBlocks::NearBlocks(const CoordinatesView& points, std::int64_t size)
    : dims_(points.dims), blocks_((points.count + size - 1) / size), error_(points.error), noise_(points.noise), order_(static_cast<std::size_t>(points.count)) {
  std::iota(order_.begin(), order_.end(), 0);
  const auto coordinate = [&](std::int64_t i, std::int64_t c) { return points.at[i * points.stride + c]; };
  order_in_blocks(coordinate, dims_, size, order_, 0, points.count);
  low_.resize(static_cast<std::size_t>(blocks_ * dims_));
  high_ = mean_ = low_;
  for (std::int64_t b = 0; b < blocks_; ++b) {
    const std::int64_t begin = b * size, end = std::min(points.count, begin + size);
    for (std::int64_t c = 0; c < dims_; ++c) {
      float low = coordinate(order_[begin], c), high = low;
      double sum = 0;
      for (std::int64_t i = begin; i < end; ++i) {
        const float value = coordinate(order_[i], c);
        low = std::min(low, value);
        high = std::max(high, value);
        sum += value;
      }
      low_[b * dims_ + c] = low;
      high_[b * dims_ + c] = high;
      mean_[b * dims_ + c] = static_cast<float>(sum / static_cast<double>(end - begin));
    }
  }
}

double NearBlocks::gap(std::int64_t a, const NearBlocks& other, std::int64_t b) const {
  const float *low = low_.data() + a * dims_, *high = high_.data() + a * dims_;
  const float *other_low = other.low_.data() + b * dims_, *other_high = other.high_.data() + b * dims_;
  double sum = 0;
  for (std::int64_t c = 0; c < dims_; ++c) {
    const double between = std::max(static_cast<double>(low[c]) - other_high[c], static_cast<double>(other_low[c]) - high[c]);
    const double beyond = std::max(0.0, between - error_ - other.error_);
    sum += beyond * beyond;
  }
  return std::max(0.0, sum * (1 - 1e-9) - noise_ - other.noise_);  // 1e-9: for the rounding of this sum
}

double NearBlocks::apart(std::int64_t a, const NearBlocks& other, std::int64_t b) const {
  const float *mean = mean_.data() + a * dims_, *other_mean = other.mean_.data() + b * dims_;
  float sum = 0;
  for (std::int64_t c = 0; c < dims_; ++c) sum += (mean[c] - other_mean[c]) * (mean[c] - other_mean[c]);
  return sum;
}

std::vector<std::int32_t> NearBlocks::nearest(std::int64_t a, const NearBlocks& other, std::int64_t most) const {
  std::vector<std::pair<double, std::int32_t>> all(static_cast<std::size_t>(other.blocks_));
  for (std::int64_t b = 0; b < other.blocks_; ++b) all[b] = {apart(a, other, b), static_cast<std::int32_t>(b)};
  const std::int64_t count = std::min(most, other.blocks_);
  std::partial_sort(all.begin(), all.begin() + count, all.end());
  std::vector<std::int32_t> result;
  for (std::int64_t n = 0; n < count; ++n) result.push_back(all[n].second);
  return result;
}

}  // namespace calor::kernels
