// Exact nearest neighbours of every row, by tiles.
#pragma once

#include "calor/core/progress.h"
#include "calor/pipeline/csr.h"
#include "calor/pipeline/similarity.h"

namespace calor::pipeline {

struct NeighbourOptions {
  std::int64_t k = 15;
  Metric metric = Metric::euclidean;
  bool leave_itself_out = true;                        // rows and columns are the same points: row i leaves out column i
  const std::vector<std::uint8_t>* allowed = nullptr;  // columns that may be neighbours; null: all
};

// The k nearest columns of each row as pairs without values: those of sorting all distances computed in double from
// differences, ties to the lower column; a row has fewer where fewer are allowed.  O(rows columns d) time,
// O((rows + columns) d + rows k) memory.  Euclidean and cosine: float products find the candidates within a proven bound of
// their rounding (kernels/neighbours.h), whatever the offset and the range of the points.
Csr nearest(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context);

// The distance of each row to its farthest neighbour of the graph; 0 for a row without.
Vector farthest_neighbour(const Csr& graph, const Matrix& rows, const Matrix& columns, Metric metric, const Context& context);

struct ReachOptions {
  Metric metric = Metric::euclidean;
  bool leave_itself_out = false;
  const char* op = "radius";  // whose pairs outgrow the memory, if they do
  void check(std::uint64_t pairs, const Context& context) const;  // throws Fault::memory
};

// The columns whose own reach a row is in: distance(row, column) <= reach[column], as `distance` of score.h computes it.
Csr within(const Matrix& rows, const Matrix& columns, const Vector& reach, const ReachOptions& options, const Context& context);

// The columns at distance at most `radius` of each row.
Csr within(const Matrix& rows, const Matrix& columns, double radius, Metric metric, bool leave_itself_out, const Context& context);

}  // namespace calor::pipeline
