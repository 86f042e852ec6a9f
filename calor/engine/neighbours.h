// Exact nearest neighbours of every row: of dense points by tiles, of sparse ones by their common columns, of others in a table.
#pragma once

#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/record.h"

namespace calor::engine {

struct NeighbourOptions {
  std::int64_t k = 15;
  Metric metric = Metric::euclidean;
  bool leave_itself_out = true;                        // rows and columns are the same points: row i leaves out column i
  const std::vector<std::uint8_t>* allowed = nullptr;  // columns that may be neighbours; null: all
  bool may_be(std::int64_t row, std::int64_t column) const {
    return !(leave_itself_out && column == row) && (!allowed || (*allowed)[static_cast<std::size_t>(column)]);
  }
};

// What `nearest` orders a row's columns by, of dense points: the squared distance, of cosines twice the distance, of others the distance.
double order_of(const Matrix& rows, std::int64_t row, const Matrix& columns, std::int64_t column, Metric metric);

// The power of two that brings the largest magnitude to 1 where squares would leave the range of doubles, else 1.
double tame_scale(const Matrix& rows, const Matrix& columns);

// The k nearest columns of each row as pairs without values: those of sorting all distances computed in double from
// differences, ties to the lower column; a row has fewer where fewer are allowed.  O(rows columns d) time,
// O((rows + columns) d + rows k) memory.  Euclidean and cosine: float products find the candidates within a proven bound of
// their rounding (kernels/neighbours.h), whatever the offset and the range of the points.
Csr nearest(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context);

// The same of sparse points, in double: products are added up over the columns in which a row and others have entries, and what
// cancels is summed from differences.  O(pairs of entries in one column + rows columns) time, for each thread O(columns) memory.
Csr nearest(const io::SparseMatrix& rows, const io::SparseMatrix& columns, const NeighbourOptions& options, const Context& context);

// Of points in any form, rows and columns in the same one.  By a table of distances a pair without one is never neighbours.
// `farthest`, where given, gets the distance of each row to its farthest neighbour, as farthest_neighbour does.
Csr nearest(const Points& rows, const Points& columns, const NeighbourOptions& options, const Context& context, Vector* farthest = nullptr);

// The distance of each row to its farthest neighbour of the graph; 0 for a row without.
Vector farthest_neighbour(const Csr& graph, const Points& rows, const Points& columns, Metric metric, const Context& context);

struct ReachOptions {
  Metric metric = Metric::euclidean;
  bool leave_itself_out = false;
  const char* op = "radius";  // whose pairs outgrow the memory, if they do
  void check(std::uint64_t pairs, const Context& context) const;  // throws Fault::memory
};

// The columns whose own reach a row is in: distance(row, column) <= reach[column], as `distance` of points.h computes it.
Csr within(const Matrix& rows, const Matrix& columns, const Vector& reach, const ReachOptions& options, const Context& context);
Csr within(const io::SparseMatrix& rows, const io::SparseMatrix& columns, const Vector& reach, const ReachOptions& options, const Context& context);
Csr within(const Points& rows, const Points& columns, const Vector& reach, const ReachOptions& options, const Context& context);

// The columns at distance at most `radius` of each row.
Csr within(const Points& rows, const Points& columns, double radius, Metric metric, bool leave_itself_out, const Context& context);

// Edges of `a` that `b` has too, without values: with transpose(a), the pairs that are among each other's neighbours.
Csr common_edges(const Csr& a, const Csr& b);

// The pairs of a search: k columns a row with -1 where there are fewer, or a list a row.
Csr graph_of_nearest(std::int64_t rows, std::int64_t columns, std::int64_t k, std::vector<std::int32_t> nearest);
Csr graph_of_lists(std::int64_t columns, const std::vector<std::vector<std::int32_t>>& lists);

}  // namespace calor::engine
