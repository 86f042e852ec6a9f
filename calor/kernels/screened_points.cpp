#include "calor/kernels/screened_points.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace calor::kernels {

ScreenedPoints::ScreenedPoints(const Products& pairs, const PointsView& points, const Frame& frame, const LeadingDirections* leading, bool ordered,
                               const Context& context)
    : points_(points) {
  // Rounding to floats moves a point by at most u of its length; twice that is for the double that it is rounded from.  The measure may be wrong
  // by 4 (d + 4) v of the squares of both (neighbours.h).
  const auto view = [&](const auto& coordinates, const float* at, std::int64_t stride, std::int64_t dims, double slack) {
    double most = 0;
    for (std::int64_t i = 0; i < points.count; ++i) most = std::max(most, coordinates.square(i));
    return CoordinatesView{at, points.count, stride, dims, (0x1p-23 + slack) * std::sqrt(most), 8 * static_cast<double>(points.dim + 4) * 0x1p-53 * most};
  };
  if (leading) {
    constexpr std::int64_t ordering = 16;  // coordinates; boxes of more seldom lie apart in more of them
    const LeadingPoints coordinates(points, frame, *leading, context);
    put_in_blocks(view(coordinates, coordinates.point(0), coordinates.dim(), std::min(leading->count, ordering), coordinates.slack()));
    if (leading->screen) {
      packed_.emplace(pairs, coordinates, blocks_.order(), frame, context);
      rounded_.emplace(points_, frame, context);
    }
  } else if (ordered) {
    const RoundedPoints coordinates(points, frame, context);
    put_in_blocks(view(coordinates, coordinates.at(), points.dim, points.dim, 0));
  } else {
    put_in_blocks({nullptr, points.count, 0, 0, 0, 0});
  }
  if (!packed_) packed_.emplace(pairs, points_, frame, context);
}

void ScreenedPoints::put_in_blocks(const CoordinatesView& coordinates) {
  blocks_ = NearBlocks(coordinates, block);
  for (std::int64_t i = 0; i < points_.count; ++i) numbers_.push_back(static_cast<std::int32_t>(points_.number(place(i))));
  points_.listed = numbers_.data();
}

bool worth_ordering(std::int64_t rows, std::int64_t columns, std::int64_t dim) {
  return dim <= most_own_coordinates && std::min(rows, columns) > 8 * ScreenedPoints::block;
}

std::uint64_t screened_bytes(std::int64_t dim) {
  const std::int64_t coordinates = dim <= most_own_coordinates ? dim : 2 * std::min(dim / 2, most_leading) + 2;
  return static_cast<std::uint64_t>(4 * (dim + coordinates) + 52);
}

std::vector<ScreenedPair> screened_pairs(const Products& pairs, const ScreenedPoints& rows, std::int64_t a, const ScreenedPoints& columns, std::int64_t b,
                                         const Frame& frame, const float* row_bounds, const float* column_bounds, bool leave_itself_out) {
  constexpr std::int64_t block = ScreenedPoints::block;
  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  const ProductTile tile = product_tile(pairs, rows.packed(), a * block, columns.packed(), b * block, *scratch);
  const RoundedPoints *const whole_row = rows.rounded(), *const whole_column = columns.rounded();
  std::vector<ScreenedPair> result;
  std::int32_t found[block];
  float values[block];
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const std::int64_t i = tile.row + r;
    const float* products = tile.at + r * ProductTile::stride;
    std::int64_t count = pairs.survivors(products, tile.width, row_bounds ? row_bounds[r] : std::numeric_limits<float>::infinity(),
                                         columns.packed().rounded_halves() + tile.column, rows.packed().rounded_halves()[i], column_bounds, found);
    if (leave_itself_out)
      count = std::remove_if(found, found + count, [&](std::int32_t c) { return columns.points().listed[tile.column + c] == rows.points().listed[i]; }) - found;
    if (whole_row) {
      const std::int64_t dim = whole_row->dim();
      pairs.listed_dots(whole_row->at() + i * dim, whole_column->at() + tile.column * dim, dim, found, count, values);
    } else {
      for (std::int64_t s = 0; s < count; ++s) values[s] = products[found[s]];
    }
    for (std::int64_t s = 0; s < count; ++s) {
      const std::int64_t j = tile.column + found[s];
      const double squares = whole_row ? whole_row->square(i) + whole_column->square(j) : rows.packed().square(i) + columns.packed().square(j);
      const double estimate = squares - 2 * static_cast<double>(values[s]), error = frame.relative * squares + frame.absolute;
      result.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), rounded_down(estimate - error), rounded_up(estimate + error)});
    }
  }
  return result;
}

}  // namespace calor::kernels
