// Compressed sparse rows: the pairs that count, and values on them.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "calor/engine/matrix.h"

namespace calor::engine {

// The pairs that count, apart from any numbers on them.  Edge e of row i: begin[i] <= e < begin[i + 1], to column[e], with the columns of a row
// ascending and distinct.
struct Pattern {
  std::int64_t rows = 0, columns = 0;
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> column;
  // All rows in an order in which those with common columns follow each other, so that what a pass reads for one is at hand for the next; null:
  // none is known.
  std::shared_ptr<const std::vector<std::int32_t>> near;

  std::int64_t edges() const { return static_cast<std::int64_t>(column.size()); }
};

// `values` is empty (the pairs alone) or has one number an edge.  Numbers of another width, such as a network's heads, stand beside a Pattern.
struct Csr : Pattern {
  std::vector<double> values;
};

// One edge before it is sorted into rows.
struct Edge {
  std::int64_t row, column;
  double value;
};

// Sorts edges into rows; parallel edges add their values.  Rows and columns below 2^31.
Csr from_edges(std::int64_t rows, std::int64_t columns, std::vector<Edge> edges);

// The same edges seen from their columns, in O(edges).
Csr transpose(const Csr& graph);

// Whether every edge has its reverse (and, with values, an equal one).
bool is_symmetric(const Csr& graph);

// On the union of both supports: combine(value of one or 0, value of the other or 0).  As many rows and columns.
Csr combine(const Csr& one, const Csr& other, double (*combine)(double forward, double backward));

// The same of a square graph and its transpose.
Csr combine_with_reverse(const Csr& graph, double (*combine)(double forward, double backward));

// The component of each node when edges count in both directions, numbered by first appearance; `count` components.
struct Components {
  std::int64_t count = 0;
  std::vector<std::int64_t> of;               // one a node
  std::vector<std::vector<std::int64_t>> members() const;
  std::vector<std::int64_t> sizes() const;    // in order of number
};
Components connected_components(const Pattern& graph);

}  // namespace calor::engine
