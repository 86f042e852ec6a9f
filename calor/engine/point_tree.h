// Low-dimensional points as they are seen from a place: near ones one by one, farther ones in groups, each at its mean (Barnes & Hut 1986).
#pragma once

#include <cstdint>
#include <vector>

#include "calor/engine/matrix.h"

namespace calor::engine {

struct SeenPoints {
  std::int64_t dims = 0;
  std::vector<double> at;      // [count][dims]
  std::vector<double> number;  // of points there
  std::int64_t count() const { return static_cast<std::int64_t>(number.size()); }
};

// A tree of boxes, halved at the median of their longest side down to `leaf` points.  O(N log N) time, O(N dims) memory.
class PointTree {
 public:
  explicit PointTree(const Matrix& points);
  // Every point once.  A box whose diagonal is at most `angle` of its distance from y is one group: a sum over the points of a function like
  // 1 / (1 + d^2), whose slope by log d is at most 2, errs by about angle^2 / 8 of what the groups add to it; one that falls faster than a power has no such bound.  O(log N / angle^dims) groups.
  void seen_from(const double* y, double angle, SeenPoints& seen) const;

 private:
  static constexpr std::int64_t leaf = 4;
  struct Box {
    std::int64_t first, end;      // of the points, in the tree's order
    std::int64_t lower = -1;      // the first of its two halves; -1: none
  };
  void divide(std::int64_t box);

  std::int64_t dims_;
  std::vector<double> points_;  // [N][dims], in the tree's order
  std::vector<Box> boxes_;
  std::vector<double> low_, high_, mean_;  // [boxes][dims]
};

}  // namespace calor::engine
