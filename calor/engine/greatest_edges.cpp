#include "calor/engine/greatest_edges.h"

#include <algorithm>

namespace calor::engine {

Csr greatest_edges(std::int64_t rows, std::int64_t columns, std::vector<Edge> edges) {
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    if (a.row != b.row) return a.row < b.row;
    return a.column != b.column ? a.column < b.column : a.value > b.value;
  });
  const auto parallel = [](const Edge& a, const Edge& b) { return a.row == b.row && a.column == b.column; };
  edges.erase(std::unique(edges.begin(), edges.end(), parallel), edges.end());
  return from_edges(rows, columns, std::move(edges));
}

}  // namespace calor::engine
