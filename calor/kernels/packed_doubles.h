// Points as doubles in panels, and tiles of their products.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/packed_points.h"

namespace calor::kernels {

// T is double, or std::int32_t: two whole numbers of 16 bits, whose products are exact.
template <class T>
class PackedPanels {
 public:
  PackedPanels() = default;
  // Points less the centre (null: as they are, as whole numbers always are; what is none of 15 bits and a sign becomes 0).
  PackedPanels(const PointsView& points, const double* centre, const Context& context);

  double square(std::int64_t i) const { return squares_[i]; }
  const double* squares() const { return squares_.data(); }

 private:
  template <class U>
  friend void products(const PackedPanels<U>&, std::int64_t, std::int64_t, const PackedPanels<U>&, std::int64_t, std::int64_t, double*, std::int64_t);
  template <class U>
  friend void listed_products(const PackedPanels<U>&, const std::int64_t*, std::int64_t, const PackedPanels<U>&, std::int64_t, std::int64_t, double*, std::int64_t);

  const Products* pairs_ = nullptr;
  std::int64_t steps_ = 0, width_ = 1;  // numbers of type T for a point, points of a panel
  Workspace memory_;
  T* panels_ = nullptr;
  std::vector<double> squares_;
};
using PackedDoubles = PackedPanels<double>;
using PackedWhole = PackedPanels<std::int32_t>;

// tile[a * stride + b] = row_{row + a} . columns_{column + b}, each a sum in order of the dimension: symmetric to the last bit.
template <class T>
void products(const PackedPanels<T>& rows, std::int64_t row, std::int64_t row_count, const PackedPanels<T>& columns, std::int64_t column,
              std::int64_t column_count, double* tile, std::int64_t stride);
// The same for rows listed in any order.
template <class T>
void listed_products(const PackedPanels<T>& rows, const std::int64_t* listed, std::int64_t row_count, const PackedPanels<T>& columns, std::int64_t column,
                     std::int64_t column_count, double* tile, std::int64_t stride);

// The largest size of a coordinate where all are whole numbers that PackedWhole takes; minus 1 where one is not.
double largest_whole(const PointsView& points);
// Whether the products of points in `dim` dimensions, with coordinates of at most these sizes, are exact as PackedWhole.
bool products_stay_whole(double row_largest, double column_largest, std::int64_t dim);

// out[b] = row_square + column_squares[b] - 2 products[b].  True when one of them is at most `share` of the sum of its squares.
bool distances_from_products(const double* products, std::int64_t count, double row_square, const double* column_squares, double share,
                             double* out);

// sums[r][m] += sum over b < count of values[r][b] weights[b][m], in order of b, so that a row's bits do not depend on those beside it.  Rows of
// values are `stride` apart; sums [row_count][width], weights [count][width], width a multiple of `weighted_width`.
inline constexpr std::int64_t weighted_width = 8;
void add_weighted_rows(const double* values, std::int64_t row_count, std::int64_t stride, std::int64_t count, const double* weights, std::int64_t width,
                       double* sums);

// x[n] = exp(x[n]), within 1 unit in the last place; exactly 0 for minus infinity.
void exponentials(double* x, std::int64_t count);

}  // namespace calor::kernels
