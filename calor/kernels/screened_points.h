// Pairs of points that may be near each other: what the searches for neighbours and for pairs within reach have in common.
//
// Points lie in blocks of near ones (near_blocks.h).  Products of two blocks, of the points or of their leading coordinates (leading_points.h),
// leave few pairs, those of the first third of the coordinates
// few enough to look at the others pair by pair, or else the tile is multiplied by all; what is left then has its whole products formed and come with bounds of their distance that leave no doubt but for what they say.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/leading_points.h"
#include "calor/kernels/near_blocks.h"
#include "calor/kernels/packed_points.h"

namespace calor::kernels {

// One side of a search: rows or columns.
class ScreenedPoints {
 public:
  static constexpr std::int64_t block = ProductTile::block;
  static std::int64_t blocks_of(std::int64_t count) { return (count + block - 1) / block; }

  // Without leading directions `ordered` points lie in blocks by their own coordinates, others as they come.
  ScreenedPoints(const Products& pairs, const PointsView& points, const Frame& frame, const LeadingDirections* leading, bool ordered,
                 const Context& context);
  ScreenedPoints(const ScreenedPoints&) = delete;

  const PointsView& points() const { return points_; }  // listed, in the order of the blocks: point i is at place i
  std::int64_t place(std::int64_t i) const { return blocks_.order()[static_cast<std::size_t>(i)]; }  // before
  const NearBlocks& blocks() const { return blocks_; }
  const PackedPoints& packed() const { return *packed_; }
  const RoundedPoints* rounded() const { return rounded_ ? &*rounded_ : nullptr; }  // where the packed ones are leading coordinates
  // The first of these, where a few tell most pairs apart; the packed ones' halves are theirs too.
  const PackedPoints* first() const { return first_ ? &*first_ : nullptr; }
  // All of these and what they leave, point by point, filled up with zeros to a multiple of 16; where there are first ones.
  const float* leading(std::int64_t i) const { return leading_ + i * leading_width_; }
  std::int64_t leading_width() const { return leading_width_; }

 private:
  void put_in_blocks(const CoordinatesView& coordinates);
  void keep_leading(const LeadingPoints& coordinates, const Context& context);

  PointsView points_;
  NearBlocks blocks_;
  std::vector<std::int32_t> numbers_;
  std::optional<PackedPoints> packed_, first_;
  Workspace memory_;
  std::int64_t leading_width_ = 0;
  float* leading_ = nullptr;
  std::optional<RoundedPoints> rounded_;
};

// Whether so many rows and columns of few dimensions are worth putting in order by their own coordinates: few rows are done before.
bool worth_ordering(std::int64_t rows, std::int64_t columns, std::int64_t dim);
// At most so many own coordinates order points; more take leading ones, at most so many.
inline constexpr std::int64_t most_own_coordinates = 31, most_leading = 192;
// For each point, beside the point itself.
std::uint64_t screened_bytes(std::int64_t dim);

struct ScreenedPair {
  std::int32_t row, column;  // places
  float lower, upper;        // of the squared distance in the frame's scale
};

// Of block a of the rows and block b of the columns, the pairs whose product is at least row_bounds[row] + the column's half or column_bounds[column]
// + the row's half (packed_points.h), bounds from the blocks' first on; null: no pair by it.  Ascending by row, then column.
std::vector<ScreenedPair> screened_pairs(const Products& pairs, const ScreenedPoints& rows, std::int64_t a, const ScreenedPoints& columns, std::int64_t b,
                                         const Frame& frame, const float* row_bounds, const float* column_bounds, bool leave_itself_out);

// For points with leading coordinates: no less, row by row of block a, than the squared distance of the k-th nearest column of block b, in the frame's scale.
// Infinite where there are fewer.
std::vector<float> near_limits(const Products& pairs, const ScreenedPoints& rows, std::int64_t a, const ScreenedPoints& columns, std::int64_t b, const Frame& frame,
                               std::int64_t k, bool leave_itself_out);

}  // namespace calor::kernels
