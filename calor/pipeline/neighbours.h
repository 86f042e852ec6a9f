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

// The k nearest columns of each row as pairs without values; ties go to the lower column.  O(rows columns d) time,
// O((rows + columns) d + rows k) memory.  A row has fewer where fewer are allowed.
// Candidates come from one matrix product a tile and their distances are computed again from differences, so the order is
// that of exactly rounded distances but for pairs within rounding of the k-th.
Csr nearest(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context);

// The distance of each row to its farthest neighbour of the graph; 0 for a row without.
Vector farthest_neighbour(const Csr& graph, const Matrix& rows, const Matrix& columns, Metric metric);

// All pairs at distance at most `radius`.  Throws Fault::memory when they outgrow the limit.
Csr within(const Matrix& rows, const Matrix& columns, double radius, Metric metric, bool leave_itself_out, const Context& context);

}  // namespace calor::pipeline
