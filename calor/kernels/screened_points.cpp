#include "calor/kernels/screened_points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "calor/core/threads.h"

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
      packed_.emplace(pairs, coordinates, leading->count, blocks_.order(), frame, context);
      if (const std::int64_t first = leading->count / 3 / 8 * 8; first > 0) {
        first_.emplace(pairs, coordinates, first, blocks_.order(), frame, context);
        keep_leading(coordinates, context);
      }
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

void ScreenedPoints::keep_leading(const LeadingPoints& coordinates, const Context& context) {
  constexpr std::int64_t filled = 16;
  leading_width_ = (coordinates.dim() + filled - 1) / filled * filled;
  leading_ = memory_.take<float>(points_.count * leading_width_);
  parallel_for(blocks_of(points_.count), context.threads, [&](std::int64_t b) {
    for (std::int64_t i = b * block; i < std::min(points_.count, (b + 1) * block); ++i)
      std::fill(std::copy_n(coordinates.point(place(i)), coordinates.dim(), leading_ + i * leading_width_), leading_ + (i + 1) * leading_width_, 0.0F);
  });
}

bool worth_ordering(std::int64_t rows, std::int64_t columns, std::int64_t dim) {
  return dim <= most_own_coordinates && std::min(rows, columns) > 8 * ScreenedPoints::block;
}

std::uint64_t screened_bytes(std::int64_t dim) {
  const std::int64_t coordinates = dim <= most_own_coordinates ? dim : 10 * std::min(dim / 2, most_leading) / 3 + 20;
  return static_cast<std::uint64_t>(4 * (dim + coordinates) + 52);
}

namespace {

// Bounds of the distance of row i and column j, whose product is `value`.
ScreenedPair bounded(const ScreenedPoints& rows, std::int64_t i, const ScreenedPoints& columns, std::int64_t j, const Frame& frame, float value) {
  const double squares = rows.rounded() ? rows.rounded()->square(i) + columns.rounded()->square(j) : rows.packed().square(i) + columns.packed().square(j);
  const double estimate = squares - 2 * static_cast<double>(value), error = frame.relative * squares + frame.absolute;
  return {static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), rounded_down(estimate - error), rounded_up(estimate + error)};
}

// values[n] = the whole product of row i and the column listed[n] of those from `first` on.
void whole_products(const Products& pairs, const RoundedPoints& rows, std::int64_t i, const RoundedPoints& columns, std::int64_t first, const std::int32_t* listed,
                    std::int64_t count, float* values) {
  pairs.listed_dots(rows.at() + i * rows.dim(), columns.at() + first * rows.dim(), rows.dim(), listed, count, values);
}

}  // namespace

std::vector<float> near_limits(const Products& pairs, const ScreenedPoints& rows, std::int64_t a, const ScreenedPoints& columns, std::int64_t b, const Frame& frame,
                               std::int64_t k, bool leave_itself_out) {
  constexpr std::int64_t block = ScreenedPoints::block, more = 8;
  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  const ProductTile tile = product_tile(pairs, rows.packed(), a * block, columns.packed(), b * block, *scratch);
  const std::int64_t count = std::min(tile.width, columns.packed().count() - tile.column), most = std::min(k + more, count);
  std::vector<float> limits(static_cast<std::size_t>(tile.rows), std::numeric_limits<float>::infinity()), uppers;
  std::int32_t near[block];
  float away[block], values[block];
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const std::int64_t i = tile.row + r;
    for (std::int64_t c = 0; c < count; ++c) {
      near[c] = static_cast<std::int32_t>(c);
      away[c] = columns.packed().rounded_halves()[tile.column + c] - tile.at[r * ProductTile::stride + c];
    }
    std::nth_element(near, near + most - 1, near + count, [&](std::int32_t c, std::int32_t d) { return away[c] < away[d]; });
    whole_products(pairs, *rows.rounded(), i, *columns.rounded(), tile.column, near, most, values);
    uppers.clear();
    for (std::int64_t n = 0; n < most; ++n)
      if (!leave_itself_out || columns.points().listed[tile.column + near[n]] != rows.points().listed[i])
        uppers.push_back(bounded(rows, i, columns, tile.column + near[n], frame, values[n]).upper);
    if (std::ssize(uppers) < k) continue;
    std::nth_element(uppers.begin(), uppers.begin() + (k - 1), uppers.end());
    limits[r] = uppers[static_cast<std::size_t>(k - 1)];
  }
  return limits;
}

namespace {

// What the first leading coordinates leave of two blocks: of row r the columns before end[r].
struct Listed {
  std::vector<std::int32_t> columns;
  std::array<std::int32_t, ScreenedPoints::block> end;
};

// False where that is more than it is worth to look at one by one.
bool list_few(const Products& pairs, const ScreenedPoints& rows, std::int64_t a, const ScreenedPoints& columns, std::int64_t b, const float* row_bounds,
              const float* column_bounds, Listed& listed) {
  constexpr std::int64_t block = ScreenedPoints::block, most = block * block / 12;
  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  const ProductTile tile = product_tile(pairs, *rows.first(), a * block, *columns.first(), b * block, *scratch);
  listed.columns.resize(static_cast<std::size_t>(most + block));
  std::int64_t total = 0;
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    total += pairs.survivors(tile.at + r * ProductTile::stride, tile.width, row_bounds ? row_bounds[r] : std::numeric_limits<float>::infinity(),
                             columns.packed().rounded_halves() + tile.column, rows.packed().rounded_halves()[tile.row + r], column_bounds, listed.columns.data() + total);
    listed.end[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(total);
    if (total > most) return false;
  }
  return true;
}

}  // namespace

std::vector<ScreenedPair> screened_pairs(const Products& pairs, const ScreenedPoints& rows, std::int64_t a, const ScreenedPoints& columns, std::int64_t b,
                                         const Frame& frame, const float* row_bounds, const float* column_bounds, bool leave_itself_out) {
  constexpr std::int64_t block = ScreenedPoints::block;
  std::vector<ScreenedPair> result;
  std::int32_t found[block];
  float values[block];
  // The `count` columns found for row i; `products` are those of all columns where they are whole.
  const auto add = [&](std::int64_t i, std::int64_t count, const float* products) {
    if (leave_itself_out)
      count = std::remove_if(found, found + count, [&](std::int32_t c) { return columns.points().listed[b * block + c] == rows.points().listed[i]; }) - found;
    if (rows.rounded()) {
      whole_products(pairs, *rows.rounded(), i, *columns.rounded(), b * block, found, count, values);
    } else {
      for (std::int64_t n = 0; n < count; ++n) values[n] = products[found[n]];
    }
    for (std::int64_t n = 0; n < count; ++n) result.push_back(bounded(rows, i, columns, b * block + found[n], frame, values[n]));
  };
  const float* const halves = columns.packed().rounded_halves() + b * block;
  const auto row_bound = [&](std::int64_t r) { return row_bounds ? row_bounds[r] : std::numeric_limits<float>::infinity(); };

  if (Listed listed; rows.first() && list_few(pairs, rows, a, columns, b, row_bounds, column_bounds, listed)) {
    const std::int64_t width = rows.leading_width(), number = std::min(block, rows.packed().count() - a * block);
    for (std::int64_t r = 0, begin = 0; r < number; begin = listed.end[static_cast<std::size_t>(r++)]) {
      const std::int64_t i = a * block + r, few = listed.end[static_cast<std::size_t>(r)] - begin;
      const std::int32_t* const some = listed.columns.data() + begin;
      if (few == 0) continue;
      pairs.listed_dots(rows.leading(i), columns.leading(b * block), width, some, few, values);
      std::int64_t count = 0;
      for (std::int64_t n = 0; n < few; ++n) {
        float least = row_bound(r) + halves[some[n]];
        if (column_bounds) least = std::min(least, rows.packed().rounded_halves()[i] + column_bounds[some[n]]);
        found[count] = some[n];
        count += values[n] >= least;
      }
      add(i, count, nullptr);
    }
    return result;
  }

  const WorkspaceScope scratch(WorkspaceScope::Use::piece);
  const ProductTile tile = product_tile(pairs, rows.packed(), a * block, columns.packed(), b * block, *scratch);
  for (std::int64_t r = 0; r < tile.rows; ++r) {
    const float* const products = tile.at + r * ProductTile::stride;
    const std::int64_t i = tile.row + r;
    add(i, pairs.survivors(products, tile.width, row_bound(r), halves, rows.packed().rounded_halves()[i], column_bounds, found), products);
  }
  return result;
}

}  // namespace calor::kernels
