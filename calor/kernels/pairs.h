// What an instruction set provides for reductions over all pairs of points: products of packed points, and the reductions
// of a tile of them.  Plain functions on raw pointers; packed_points.h bounds their errors.
//
// Packed points lie in panels, [panel][dim][panel width], the last one filled up with zeros, so that one copy serves as the
// rows and as the columns of a product.  Distances follow from products as |x - y|^2 = |x|^2 + |y|^2 - 2 x.y.
#pragma once

#include <cstdint>

namespace calor::kernels {

struct Pairs {
  std::int64_t panel_width;         // of floats: two vectors
  std::int64_t double_panel_width;  // of doubles

  // tile[r][c] = rows_r . columns_c for `rows` points of packed rows and every point of `panels` panels of columns; tile
  // rows are `stride` apart.  One rounding a multiply-add at most two, in order of the dimension.
  void (*products)(const float* rows, std::int64_t row_count, const float* columns, std::int64_t panels, std::int64_t dim, float* tile,
                   std::int64_t stride);
  void (*double_products)(const double* rows, std::int64_t row_count, const double* columns, std::int64_t panels, std::int64_t dim,
                          double* tile, std::int64_t stride);

  // The same for rows at the given addresses, unpacked, and panels of `width` points: panel_width or its half.
  void (*gathered_products)(const float* const* rows, std::int64_t row_count, const float* columns, std::int64_t panels,
                            std::int64_t width, std::int64_t dim, float* tile, std::int64_t stride);

  // The c < width (a multiple of the panel width) with products[c] >= row_bound + halves[c] or, where column_bounds is given,
  // products[c] >= column_bounds[c] + row_half.  Returns how many; ascending.
  std::int64_t (*survivors)(const float* products, std::int64_t width, float row_bound, const float* halves, float row_half,
                            const float* column_bounds, std::int32_t* found);

  // See packed_doubles.h.
  bool (*distances_from_products)(const double* products, std::int64_t count, double row_square, const double* column_squares,
                                  double share, double* out);
  void (*exponentials)(double* x, std::int64_t count);

  // |x - y|^2 from differences.
  double (*squared_distance)(const double* x, const double* y, std::int64_t dim);
};

}  // namespace calor::kernels
