// Exact nearest neighbours of every row: float products of tiles find the candidates, double decides.
//
// A pair is a candidate while a lower bound of its squared distance (packed_points.h) is at most the k-th smallest upper bound
// that its row has met, so no neighbour is lost to rounding; what is left at the end, and what there is too much of on the
// way, is ordered by the measure itself.  The result is that of sorting all measures, ties to the lower column, whatever
// the order in which tiles are seen: same bits for any number of threads.
// Between points and themselves every pair of blocks is multiplied once and feeds the lists of both.
//
// Blocks are of near points and the nearest are met first, so that later ones are seen to be too far: all at once by a gap between their boxes,
// or one by one by the products of a few leading coordinates (leading_points.h), where only what these leave is multiplied in full.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/leading_points.h"
#include "calor/kernels/packed_points.h"

namespace calor::kernels {

struct NeighboursProblem {
  PointsView rows, columns;     // the same `at` and nothing listed: points and themselves
  std::int64_t k = 1;
  bool leave_itself_out = true;  // row i leaves out the column numbered i
  bool directions = false;       // unit vectors or 0 (packed_points.h)
  // Where the points spread most; null: points of few dimensions are ordered by their own coordinates, others are taken as they come.
  const LeadingDirections* leading = nullptr;
  // Where given, what each row, by number, has already: a column with a greater measure is not asked for, and a row may get fewer than k.
  const double* reach = nullptr;
  // What the order is by, of a row and a column by number: |x - y|^2 to within 4 (d + 4) 2^-53 (|x - c|^2 + |y - c|^2) for the
  // centre c.  Called from several threads.
  std::function<double(std::int64_t row, std::int64_t column)> measure;
};

struct Neighbours {
  std::vector<std::int32_t> columns;  // the numbers of the k nearest of each row, ascending; -1 where a row has fewer
  std::vector<double> farthest;       // the measure of the farthest of them, 0 for a row without
  std::vector<std::int32_t> order;    // all rows, near ones after each other; empty where they were taken as they come
};

// At most O(rows columns d) float operations, half of it between points and themselves; O((rows + columns) d + rows k) memory, see
// neighbours_bytes.  Coordinates of magnitude 2^-400 to 2^400 (or 0).
Neighbours nearest_columns(const NeighboursProblem& problem, const Context& context);

std::uint64_t neighbours_bytes(const NeighboursProblem& problem);
// The same for so many rows of `dim` numbers against so many other columns, 0 for themselves.
std::uint64_t neighbours_bytes(std::int64_t rows, std::int64_t other_columns, std::int64_t dim, std::int64_t k);

// The measure of Euclidean distance: |x - y|^2 from differences, by the instruction set in use.
double squared_distance(const double* x, const double* y, std::int64_t dim);

}  // namespace calor::kernels
