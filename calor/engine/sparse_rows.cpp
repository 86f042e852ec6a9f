#include "calor/engine/sparse_rows.h"

namespace calor::engine {

std::int64_t SparseRows::edges() const {
  std::int64_t count = 0;
  for (const SparseRow& row : rows) count += static_cast<std::int64_t>(row.column.size());
  return count;
}

SparseRows rows_of(const Csr& graph) {
  SparseRows result;
  result.columns = graph.columns;
  result.rows.resize(static_cast<std::size_t>(graph.rows));
  for (std::int64_t i = 0; i < graph.rows; ++i) {
    result.rows[i].column.assign(graph.column.begin() + graph.begin[i], graph.column.begin() + graph.begin[i + 1]);
    result.rows[i].value.assign(graph.values.begin() + graph.begin[i], graph.values.begin() + graph.begin[i + 1]);
  }
  return result;
}

Csr csr_of(const SparseRows& rows) {
  Csr graph;
  graph.rows = static_cast<std::int64_t>(rows.rows.size());
  graph.columns = rows.columns;
  for (const SparseRow& row : rows.rows) {
    graph.column.insert(graph.column.end(), row.column.begin(), row.column.end());
    graph.values.insert(graph.values.end(), row.value.begin(), row.value.end());
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

}  // namespace calor::engine
