// What an instruction set provides beside attention (tiles.h), a table for each concern.  Plain functions on raw pointers; the headers named
// below bound their errors and give them their loops.
//
// Packed points lie in panels, [panel][dim][panel width], the last one filled up with zeros, so that one copy serves as the
// rows and as the columns of a product.  Distances follow from products as |x - y|^2 = |x|^2 + |y|^2 - 2 x.y.
#pragma once

#include <cstdint>

#include "calor/kernels/dense_steps.h"
#include "calor/kernels/descents.h"
#include "calor/kernels/edge_rows.h"
#include "calor/kernels/metric_steps.h"
#include "calor/kernels/walk_sums.h"
#include "calor/kernels/working_set.h"

namespace calor::kernels {

// Products of packed points, and the reductions of a tile of them; packed_points.h and packed_doubles.h.
struct Products {
  std::int64_t panel_width;         // of floats: two vectors
  std::int64_t double_panel_width;  // of doubles
  std::int64_t whole_panel_width;   // of pairs of whole numbers

  // tile[r][c] = rows_r . columns_c for `rows` points of packed rows and every point of `panels` panels of columns; tile
  // rows are `stride` apart.  One rounding a multiply-add at most two, in order of the dimension.
  void (*products)(const float* rows, std::int64_t row_count, const float* columns, std::int64_t panels, std::int64_t dim, float* tile,
                   std::int64_t stride);
  void (*double_products)(const double* rows, std::int64_t row_count, const double* columns, std::int64_t panels, std::int64_t dim,
                          double* tile, std::int64_t stride);
  // The same, exactly, of whole numbers of 15 bits and a sign whose products add up to less than 2^31 in size: two dimensions, the even one in the lower
  // half of 32 bits, make a step.
  void (*whole_products)(const std::int32_t* rows, std::int64_t row_count, const std::int32_t* columns, std::int64_t panels, std::int64_t pairs,
                         std::int32_t* tile, std::int64_t stride);

  // The same for rows at the given addresses, unpacked, and panels of `width` points: panel_width or its half.
  void (*gathered_products)(const float* const* rows, std::int64_t row_count, const float* columns, std::int64_t panels,
                            std::int64_t width, std::int64_t dim, float* tile, std::int64_t stride);

  // out[n] = x . the row listed[n] of `at` [..][dim].  One rounding a multiply-add at most two, in any order.
  void (*listed_dots)(const float* x, const float* at, std::int64_t dim, const std::int32_t* listed, std::int64_t count, float* out);

  // The c < width (a multiple of the panel width) with products[c] >= row_bound + halves[c] or, where column_bounds is given,
  // products[c] >= column_bounds[c] + row_half.  Returns how many; ascending.
  std::int64_t (*survivors)(const float* products, std::int64_t width, float row_bound, const float* halves, float row_half,
                            const float* column_bounds, std::int32_t* found);

  // See packed_doubles.h.
  bool (*distances_from_products)(const double* products, std::int64_t count, double row_square, const double* column_squares,
                                  double share, double* out);

  // See packed_doubles.h.
  void (*add_weighted_rows)(const double* values, std::int64_t row_count, std::int64_t stride, std::int64_t count, const double* weights,
                            std::int64_t width, double* sums);

  // |x - y|^2 from differences.
  double (*squared_distance)(const double* x, const double* y, std::int64_t dim);
};

// Exponentials, as every normaliser needs them; packed_doubles.h.
struct Softmax {
  void (*exponentials)(double* x, std::int64_t count);
};

// Sums with Gaussian weights, and weights with one point left out.
struct Gaussian {
  // gaussian_sums.h: sums[0] = sum of w exp(rate |x - y|^2) over the `count` leaves listed, sums[1] = that of w exp(..) (h - own).
  void (*gaussian_row)(const double* x, std::int64_t dim, double rate, double own, const std::int32_t* leaves, std::int64_t count,
                       const double* coordinates, const double* weights, const double* values, double* sums);

  // left_out.h, in float and in double.
  double (*powers)(const float* offsets, float rate, const float* before, std::int64_t count, float* powers);
  double (*double_powers)(const double* offsets, double rate, const double* before, std::int64_t count, double* powers);
  void (*weigh_left_out)(const float* powers, const float* thin, float share, const float* counts, std::int64_t count, double* all,
                         double* own);
  void (*double_weigh_left_out)(const double* powers, const double* thin, double share, const double* counts, std::int64_t count,
                                double* all, double* own);
};

// Shortest paths from several sources at once.
struct Paths {
  // paths.h: shortens reached[node][path_lanes] for each node of `order` over its edges until no edge shortens any.  `pending` (one a
  // node) must be 1 for the nodes of the order.
  void (*shorten_paths)(const std::int64_t* begin, const std::int32_t* column, const double* length, const std::int32_t* order,
                        std::int64_t count, double* reached, std::uint8_t* pending);
};

// A symmetric matrix times a block of vectors, and a majorisation step of the stress.
struct Symmetric {
  // symmetric.h: y += A x for rows first..first+row_count of the lower triangle (row_count of 1 to 8, rows[r][c] for c <= first + r) and
  // their mirror images; x and y are [n][block_width].
  void (*symmetric_rows)(const double* const* rows, std::int64_t row_count, std::int64_t first, const double* x, double* y);

  // stress.h: point `row` against the points before it.
  double (*stress_row)(const double* distances, std::int64_t row, std::int64_t dims, const double* points, std::int64_t stride,
                       double* pulls);
};

// One instruction set's.
struct Tables {
  const Products* products;
  const Softmax* softmax;
  const Gaussian* gaussian;
  const Paths* paths;
  const Symmetric* symmetric;
  const Descents* descents;
  const WalkSums* walk_sums;
  const WorkingSet* working_set;
  const Edges* edges;
  const MetricSteps* metric_steps;
  const DenseSteps* dense_steps;
};

}  // namespace calor::kernels
