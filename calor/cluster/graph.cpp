#include "calor/cluster/graph.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "calor/engine/passes.h"

namespace calor::cluster {

using engine::Components, engine::Csr, engine::Edge, engine::Pattern, engine::Similarity;

namespace {

// An edge as it is sent.
struct Sent {
  std::int32_t row, column;
  double value;
};

void add(std::string& text, const Sent& edge) { text.append(reinterpret_cast<const char*>(&edge), sizeof edge); }

template <class Use>
void each_sent(const std::string& text, const Use& use) {
  Sent edge{};
  for (std::size_t at = 0; at < text.size(); at += sizeof edge) {
    std::memcpy(&edge, text.data() + at, sizeof edge);
    use(edge);
  }
}

int owner_of(const Blocks& blocks, std::int64_t row) {
  return static_cast<int>(std::upper_bound(blocks.begin.begin(), blocks.begin.end(), row) - blocks.begin.begin()) - 1;
}

// Edges that come in order of their rows; without values where the own ones have none.
Csr graph_of(std::int64_t rows, std::int64_t columns, const std::vector<std::string>& texts, bool values, const std::function<Edge(const Sent&)>& placed) {
  std::vector<Edge> edges;
  for (const std::string& text : texts) each_sent(text, [&](const Sent& sent) { edges.push_back(placed(sent)); });
  Csr graph = engine::from_edges(rows, columns, std::move(edges));
  if (!values) graph.values.clear();
  return graph;
}

template <class Use>
void each_edge(const Csr& own, const Use& use) {
  for (std::int64_t i = 0; i < own.rows; ++i)
    for (std::int64_t e = own.begin[i]; e < own.begin[i + 1]; ++e) use(i, own.column[e], own.values.empty() ? 0.0 : own.values[e]);
}

}  // namespace

Csr transpose_rows(const Part& part, const Csr& own) {
  std::vector<std::string> sent(static_cast<std::size_t>(part.processes.count()));
  each_edge(own, [&](std::int64_t i, std::int32_t column, double value) {
    add(sent[static_cast<std::size_t>(owner_of(part.rows, column))], {static_cast<std::int32_t>(part.first_row() + i), column, value});
  });
  return graph_of(part.own_rows(), part.rows.rows(), part.processes.exchange(sent), true,
                  [&](const Sent& edge) { return Edge{edge.column - part.first_row(), edge.row, edge.value}; });
}

Components components(const Part& part, const Csr& own) {
  Pattern placed;  // the own rows where they are in the whole graph
  placed.rows = placed.columns = part.rows.rows();
  placed.begin.assign(static_cast<std::size_t>(part.first_row()) + 1, 0);
  placed.begin.insert(placed.begin.end(), own.begin.begin() + 1, own.begin.end());
  placed.begin.resize(static_cast<std::size_t>(placed.rows) + 1, own.edges());
  placed.column = own.column;
  const Components here = engine::connected_components(placed);
  std::vector<std::int64_t> first(static_cast<std::size_t>(here.count), -1);
  std::string forest;
  for (std::int64_t i = 0; i < placed.rows; ++i) {
    std::int64_t& root = first[static_cast<std::size_t>(here.of[static_cast<std::size_t>(i)])];
    if (root < 0) root = i;
    else add(forest, {static_cast<std::int32_t>(i), static_cast<std::int32_t>(root), 0});
  }
  return engine::connected_components(graph_of(placed.rows, placed.rows, part.processes.all_texts(forest), false,
                                               [](const Sent& edge) { return Edge{edge.row, edge.column, 0}; }));
}

Csr scores_on_edges(const Part& part, const Csr& own, const engine::Score& score) {
  Csr result = own;
  result.values.resize(own.column.size());
  part.processes.each_block(part.state.points, part.rows, [&](int owner, const Processes::Block& block) {
    const std::int64_t first = part.rows.first(owner), end = first + block->rows();
    Csr inside;
    inside.rows = own.rows;
    inside.columns = block->rows();
    std::vector<std::int64_t> edges;
    for (std::int64_t i = 0; i < own.rows; ++i) {
      for (std::int64_t e = own.begin[i]; e < own.begin[i + 1]; ++e)
        if (own.column[e] >= first && own.column[e] < end) {
          inside.column.push_back(static_cast<std::int32_t>(own.column[e] - first));
          edges.push_back(e);
        }
      inside.begin.push_back(inside.edges());
    }
    Similarity record;
    record.rows = own.rows;
    record.columns = inside.columns;
    record.row_points = part.state.points;
    record.column_points = block;
    record.support = std::make_shared<const Csr>(std::move(inside));
    record.score = score;
    const Csr scores = engine::scores_on_support(record, part.context);
    for (std::size_t n = 0; n < edges.size(); ++n) result.values[static_cast<std::size_t>(edges[n])] = scores.values[n];
  });
  return result;
}

Csr graph_in_first(const Part& part, const Csr& own) {
  std::vector<std::string> sent(static_cast<std::size_t>(part.processes.count()));
  each_edge(own, [&](std::int64_t i, std::int32_t column, double value) { add(sent.front(), {static_cast<std::int32_t>(part.first_row() + i), column, value}); });
  const bool values = part.processes.sum(own.values.empty() ? 0 : 1) > 0;  // a process without edges has none
  const std::int64_t rows = part.processes.first() ? part.rows.rows() : 0;
  return graph_of(rows, part.rows.rows(), part.processes.exchange(sent), values, [](const Sent& edge) { return Edge{edge.row, edge.column, edge.value}; });
}

Csr graph_in_all(const Part& part, const Csr& own) {
  std::string sent;
  each_edge(own, [&](std::int64_t i, std::int32_t column, double value) { add(sent, {static_cast<std::int32_t>(part.first_row() + i), column, value}); });
  return graph_of(part.rows.rows(), part.rows.rows(), part.processes.all_texts(sent), true, [](const Sent& edge) { return Edge{edge.row, edge.column, edge.value}; });
}

}  // namespace calor::cluster
