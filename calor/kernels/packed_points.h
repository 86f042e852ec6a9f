// Points as floats in panels (pairs.h), and how far squared distances from their products may be from the truth.
//
// Packed values are y = float((x - centre) scale) with a power of two for the scale.  With n = |y|^2 (in double) and the float
// product p = y_i . y_j, the estimate n_i + n_j - 2 p is within
//
//   relative (n_i + n_j) + absolute,     relative = (d + 1) u / (1 - (d + 1) u) + 5 u + 8 (d + 4) v,  u = 2^-24, v = 2^-53,
//
// of the squared distance of the scaled points, however it is rounded in double: d + 1 roundings in the product (Higham 2002,
// section 3.1; |y_i| |y_j| is at most half of n_i + n_j), 4 u from packing both points (|e| <= u |y|, and (|y_i| + |y_j|)^2 is at
// most twice n_i + n_j), and rounding in double.  `absolute` covers what underflows.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/tables.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {

// Rows of `dim` numbers, one after the other; `listed`, where given, names the `count` rows that are meant, ascending.
struct PointsView {
  const double* at = nullptr;
  std::int64_t count = 0, dim = 0;
  const std::int32_t* listed = nullptr;

  std::int64_t number(std::int64_t i) const { return listed ? listed[i] : i; }
  const double* point(std::int64_t i) const { return at + number(i) * dim; }
};

// What points are packed about.  Sums are taken over fixed pieces, so the bits do not depend on the threads.
struct Frame {
  std::vector<double> centre;
  double scale = 1, relative = 0, absolute = 0;
  bool directions = false;  // unit vectors or 0, which counts as at squared distance 2 from every other; no centre

  // The centre is the mean of `columns`; the scale brings the largest magnitude of both into [1, 2).
  Frame(const PointsView& rows, const PointsView& columns, bool directions, const Context& context);

  // The point as floats, `stride` apart; returns their square.
  double round(const double* point, std::int64_t dim, float* to, std::int64_t stride) const;
};

// Packed values point by point.
class RoundedPoints {
 public:
  RoundedPoints(const PointsView& points, const Frame& frame, const Context& context);

  const float* at() const { return at_; }  // [count][dim]
  std::int64_t dim() const { return dim_; }
  double square(std::int64_t i) const { return squares_[i]; }

 private:
  std::int64_t dim_;
  Workspace memory_;
  float* at_;
  std::vector<double> squares_;
};

class LeadingPoints;

class PackedPoints {
 public:
  PackedPoints(const Products& pairs, const PointsView& points, const Frame& frame, const Context& context);
  // The first `coordinates` leading ones (leading_points.h) and the length of what is left, those of point order[i] at place i.  The estimate is a lower bound
  // but for the relative error of all leading coordinates.
  PackedPoints(const Products& pairs, const LeadingPoints& points, std::int64_t coordinates, const std::vector<std::int32_t>& order, const Frame& frame,
               const Context& context);

  std::int64_t count() const { return count_; }
  std::int64_t panel_width() const { return width_; }
  // The panel that point i, a multiple of the panel width, begins.
  const float* panel(std::int64_t i) const { return panels_ + i * dim_; }
  std::int64_t dim() const { return dim_; }
  double square(std::int64_t i) const { return squares_[i]; }
  // ((1 - relative) n - absolute / 2) / 2, in double and rounded down: an estimate's lower bound is at most t exactly
  // when product >= half_i + half_j - t / 2.  Infinite for what fills up the last panel.
  double half(std::int64_t i) const { return halves_[i]; }
  const float* rounded_halves() const { return rounded_.data(); }

 private:
  // fill(i, panel, lane) puts point i's coordinates at panel[c * width + lane] and returns its square.
  template <class Fill>
  void pack(double relative, double absolute, const Context& context, const Fill& fill);

  std::int64_t count_, dim_, width_;
  Workspace memory_;
  float* panels_;
  std::vector<double> squares_, halves_;
  std::vector<float> rounded_;
};

// Products of a block of rows and a block of columns.  256 x 256 of them (272 KiB) and the parts of both blocks that they are
// being made of stay in the second-level cache; rows are off the power of two that would map them all to the same cache sets.
struct ProductTile {
  static constexpr std::int64_t block = 256, stride = block + 16;
  const float* at;
  std::int64_t row, rows, column, width;  // whole panels of columns
};

// The tile of the blocks that begin at `row` and `column`, multiples of the block.  Valid until scratch is cleared.
ProductTile product_tile(const Products& pairs, const PackedPoints& rows, std::int64_t row, const PackedPoints& columns, std::int64_t column,
                         Workspace& scratch);

// Floats on the safe side of a number that is far from overflow.
inline float rounded_down(double value) {
  const auto nearest = static_cast<float>(value);
  return nearest - (nearest < 0 ? -nearest : nearest) * 0x1p-22f - 0x1p-120f;
}
inline float rounded_up(double value) { return -rounded_down(-value); }

}  // namespace calor::kernels
