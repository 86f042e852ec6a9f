#include "calor/engine/csr.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "calor/core/error.h"
#include "calor/kernels/edges.h"

namespace calor::engine {

Csr from_edges(std::int64_t rows, std::int64_t columns, std::vector<Edge> edges) {
  require(rows <= std::numeric_limits<std::int32_t>::max() && columns <= std::numeric_limits<std::int32_t>::max(),
          Fault::input, "[graph] expected fewer than 2^31 nodes, found {} x {}", rows, columns);
  std::stable_sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) {
    return a.row != b.row ? a.row < b.row : a.column < b.column;
  });
  Csr graph;
  graph.rows = rows;
  graph.columns = columns;
  graph.begin.assign(static_cast<std::size_t>(rows) + 1, 0);
  std::int64_t last_row = -1;
  for (const Edge& edge : edges) {
    if (edge.row == last_row && graph.column.back() == edge.column) {
      graph.values.back() += edge.value;
      continue;
    }
    last_row = edge.row;
    graph.column.push_back(static_cast<std::int32_t>(edge.column));
    graph.values.push_back(edge.value);
    ++graph.begin[static_cast<std::size_t>(edge.row) + 1];
  }
  std::partial_sum(graph.begin.begin(), graph.begin.end(), graph.begin.begin());
  return graph;
}

Csr transpose(const Csr& graph) {
  Csr result;
  result.rows = graph.columns;
  result.columns = graph.rows;
  result.begin.resize(static_cast<std::size_t>(graph.columns) + 1);
  result.column.resize(graph.column.size());
  std::vector<std::int64_t> edge(graph.column.size());
  kernels::edges_by_column(graph.rows, graph.columns, graph.begin.data(), graph.column.data(), result.begin.data(), result.column.data(), edge.data());
  result.values.resize(graph.values.size());
  for (std::size_t e = 0; e < graph.values.size(); ++e) result.values[e] = graph.values[static_cast<std::size_t>(edge[e])];
  return result;
}

bool is_symmetric(const Csr& graph) {
  if (graph.rows != graph.columns) return false;
  const Csr reverse = transpose(graph);
  return reverse.begin == graph.begin && reverse.column == graph.column && reverse.values == graph.values;
}

Csr combine(const Csr& one, const Csr& other, double (*combine)(double, double)) {
  Csr result;
  result.rows = one.rows;
  result.columns = one.columns;
  result.begin.reserve(static_cast<std::size_t>(one.rows) + 1);
  for (std::int64_t i = 0; i < one.rows; ++i) {
    std::int64_t a = one.begin[i], b = other.begin[i];
    const std::int64_t a_end = one.begin[i + 1], b_end = other.begin[i + 1];
    while (a < a_end || b < b_end) {
      constexpr std::int32_t none = std::numeric_limits<std::int32_t>::max();
      const std::int32_t to_a = a < a_end ? one.column[a] : none, to_b = b < b_end ? other.column[b] : none;
      const std::int32_t to = std::min(to_a, to_b);
      const double forward = to_a == to ? one.values[a++] : 0, backward = to_b == to ? other.values[b++] : 0;
      result.column.push_back(to);
      result.values.push_back(combine(forward, backward));
    }
    result.begin.push_back(result.edges());
  }
  return result;
}

Csr combine_with_reverse(const Csr& graph, double (*combine)(double, double)) {
  require(graph.rows == graph.columns, Fault::usage, "[graph] expected a square support, found {} x {}", graph.rows,
          graph.columns);
  return engine::combine(graph, transpose(graph), combine);
}

Components connected_components(const Pattern& graph) {
  // Union by smaller index with path halving; both directions of an edge join.
  const std::int64_t nodes = std::max(graph.rows, graph.columns);
  std::vector<std::int64_t> parent(static_cast<std::size_t>(nodes));
  std::iota(parent.begin(), parent.end(), std::int64_t{0});
  const auto root = [&](std::int64_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) {
      const std::int64_t a = root(i), b = root(graph.column[e]);
      if (a != b) parent[std::max(a, b)] = std::min(a, b);
    }
  Components result;
  result.of.assign(static_cast<std::size_t>(nodes), -1);
  for (std::int64_t i = 0; i < nodes; ++i) {
    const std::int64_t r = root(i);
    result.of[i] = r == i ? result.count++ : result.of[r];
  }
  return result;
}

std::vector<std::vector<std::int64_t>> Components::members() const {
  std::vector<std::vector<std::int64_t>> lists(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < of.size(); ++i) lists[of[i]].push_back(static_cast<std::int64_t>(i));
  return lists;
}

std::vector<std::int64_t> Components::sizes() const {
  std::vector<std::int64_t> result(static_cast<std::size_t>(count), 0);
  for (const std::int64_t c : of) ++result[c];
  return result;
}

}  // namespace calor::engine
