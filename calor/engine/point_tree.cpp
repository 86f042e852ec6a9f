#include "calor/engine/point_tree.h"

#include <algorithm>
#include <numeric>

namespace calor::engine {

PointTree::PointTree(const Matrix& points) : dims_(points.cols()), points_(static_cast<std::size_t>(points.size())) {
  const std::int64_t n = points.rows();
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < dims_; ++c) points_[i * dims_ + c] = points(i, c);
  if (n == 0) return;
  boxes_.push_back({0, n});
  for (std::int64_t box = 0; box < std::ssize(boxes_); ++box) divide(box);
}

// Its sides and mean, and where it has more points than a leaf, its halves.
void PointTree::divide(std::int64_t box) {
  const std::int64_t first = boxes_[box].first, end = boxes_[box].end, number = end - first;
  std::int64_t longest = 0;
  for (std::int64_t c = 0; c < dims_; ++c) {
    double low = points_[first * dims_ + c], high = low, sum = 0;
    for (std::int64_t i = first; i < end; ++i) {
      const double value = points_[i * dims_ + c];
      low = std::min(low, value);
      high = std::max(high, value);
      sum += value;
    }
    low_.push_back(low);
    high_.push_back(high);
    mean_.push_back(sum / static_cast<double>(number));
    if (high - low > high_[box * dims_ + longest] - low_[box * dims_ + longest]) longest = c;
  }
  if (number <= leaf || high_[box * dims_ + longest] == low_[box * dims_ + longest]) return;
  std::vector<std::int64_t> order(static_cast<std::size_t>(number));
  std::iota(order.begin(), order.end(), first);
  std::nth_element(order.begin(), order.begin() + number / 2, order.end(), [&](std::int64_t a, std::int64_t b) {
    const double one = points_[a * dims_ + longest], other = points_[b * dims_ + longest];
    return one != other ? one < other : a < b;
  });
  std::vector<double> moved;
  for (const std::int64_t i : order) moved.insert(moved.end(), points_.begin() + i * dims_, points_.begin() + (i + 1) * dims_);
  std::copy(moved.begin(), moved.end(), points_.begin() + first * dims_);
  boxes_[box].lower = std::ssize(boxes_);
  boxes_.push_back({first, first + number / 2});
  boxes_.push_back({first + number / 2, end});
}

void PointTree::seen_from(const double* y, double angle, SeenPoints& seen) const {
  seen.dims = dims_;
  seen.at.clear();
  seen.number.clear();
  if (boxes_.empty()) return;
  std::vector<std::int64_t> left{0};
  while (!left.empty()) {
    const std::int64_t box = left.back();
    left.pop_back();
    const Box& one = boxes_[box];
    double away = 0, diagonal = 0;
    for (std::int64_t c = box * dims_; c < (box + 1) * dims_; ++c) {
      const double at = y[c - box * dims_], outside = std::max({low_[c] - at, at - high_[c], 0.0}), side = high_[c] - low_[c];
      away += outside * outside;
      diagonal += side * side;
    }
    if (diagonal <= angle * angle * away) {
      seen.at.insert(seen.at.end(), mean_.begin() + box * dims_, mean_.begin() + (box + 1) * dims_);
      seen.number.push_back(static_cast<double>(one.end - one.first));
    } else if (one.lower >= 0) {
      left.push_back(one.lower + 1);
      left.push_back(one.lower);
    } else if (diagonal == 0) {  // copies
      seen.at.insert(seen.at.end(), mean_.begin() + box * dims_, mean_.begin() + (box + 1) * dims_);
      seen.number.push_back(static_cast<double>(one.end - one.first));
    } else {
      seen.at.insert(seen.at.end(), points_.begin() + one.first * dims_, points_.begin() + one.end * dims_);
      seen.number.insert(seen.number.end(), static_cast<std::size_t>(one.end - one.first), 1);
    }
  }
}

}  // namespace calor::engine
