// The blocks of a search: which points lie together, and how far blocks are apart at least.
#pragma once

#include <cstdint>
#include <vector>

namespace calor::kernels {

// Coordinates [count][stride] of which the first `dims` are used, each within `error` of the truth.  `noise`: what the measure that gaps are held
// against may be wrong by for two of these points, half of it.
struct CoordinatesView {
  const float* at = nullptr;
  std::int64_t count = 0, stride = 0, dims = 0;
  double error = 0, noise = 0;
};

class NearBlocks {
 public:
  NearBlocks() = default;
  // One block of all, and gaps of 0, without dims.
  NearBlocks(const CoordinatesView& points, std::int64_t size);

  const std::vector<std::int32_t>& order() const { return order_; }  // the points of block b are order()[b size ..]
  std::int64_t count() const { return blocks_; }
  bool ordered() const { return dims_ > 0; }

  // At most the squared distance of any point of block a to any of block b of the other, and its measure.
  double gap(std::int64_t a, const NearBlocks& other, std::int64_t b) const;
  // The squared distance of their means.
  double apart(std::int64_t a, const NearBlocks& other, std::int64_t b) const;
  // The `most` blocks of the other whose means are nearest, nearest first.
  std::vector<std::int32_t> nearest(std::int64_t a, const NearBlocks& other, std::int64_t most) const;

 private:
  std::int64_t dims_ = 0, blocks_ = 0;
  double error_ = 0, noise_ = 0;
  std::vector<std::int32_t> order_;
  std::vector<float> low_, high_, mean_;  // [blocks][dims]
};

}  // namespace calor::kernels
