// A table of features and classes, and a graph of its rows; LINQS's pairs of files are one of these.
#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/edge_list.h"
#include "calor/io/file_options.h"
#include "calor/io/hash.h"
#include "calor/io/missing.h"
#include "calor/io/node_formats.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"
#include "calor/io/sparse_assembly.h"

namespace calor::io {
namespace {

NodeDataset nodes_of(Dataset&& table, const std::string& place, const Context& context) {
  NodeDataset data;
  data.name = table.name;
  data.hash = table.hash;
  data.label = table.label;
  data.coding = std::move(table.coding);
  data.reading = full_reading(table);
  if (table.sparse) {
    data.features = *table.sparse;
  } else {
    const auto filled = static_cast<std::uint64_t>(table.values.size() - static_cast<std::size_t>(std::ranges::count(table.values, 0.0)));
    check_sparse_size(table.rows, table.columns, filled, 0, "graph", place, context);
    data.features = sparse_of(table.values, table.rows, table.columns);
  }
  if (table.features != generic_names(table.columns)) data.feature_names = std::move(table.features);
  data.labels = std::move(table.labels);
  if (data.labels.empty()) data.labels.assign(static_cast<std::size_t>(table.rows), -1);
  data.classes = std::move(table.classes);
  data.node_names = std::move(table.row_names);
  return data;
}

void set_split(NodeDataset& data, const std::vector<std::string>& split, const std::string& place) {
  for (std::size_t i = 0; i < split.size(); ++i) {
    const std::string part = lower_case(split[i]);
    const auto node = static_cast<std::int64_t>(i);
    if (part == "train") data.train.push_back(node);
    else if (part == "validation" || part == "val") data.validation.push_back(node);
    else if (part == "test") data.test.push_back(node);
    else
      require(is_missing(part), Fault::input,
              "[graph] expected train, validation, test or nothing in the column \"split\", found \"{}\" ({}, row {}): correct it, or rename the column", split[i],
              place, i + 1);
  }
}

// The row of each node, by the names of the rows; -1: there is none.
std::vector<std::int64_t> rows_by_name(const std::vector<std::string>& nodes, const std::vector<std::string>& rows, const std::string& place) {
  std::unordered_map<std::string_view, std::int64_t> row;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const bool fresh = row.emplace(rows[i], static_cast<std::int64_t>(i)).second;
    require(fresh, Fault::input,
            "[graph] expected different names of rows, found \"{}\" twice ({}): rename one, or match nodes by number with --names none", rows[i], place);
  }
  std::vector<std::int64_t> found;
  for (const std::string& node : nodes) {
    const auto at = row.find(node);
    found.push_back(at == row.end() ? -1 : at->second);
  }
  return found;
}

// A whole number of at most 15 digits; nothing for another text.
std::optional<std::int64_t> number_of(const std::string& name) {
  constexpr std::size_t most_digits = 15;
  if (name.empty() || name.size() > most_digits || name.find_first_not_of("0123456789") != std::string::npos) return {};
  return std::stoll(name);
}

// The same by number: from 0, or from 1 where N is a node and 0 is none.
std::vector<std::int64_t> rows_by_number(NodeDataset& data, const std::vector<std::string>& nodes, const std::string& place, const std::string& graph) {
  std::vector<std::int64_t> numbers;
  for (const std::string& node : nodes) {
    const auto number = number_of(node);
    require(number.has_value(), Fault::input,
            "[graph] expected the numbers of rows as nodes, for the rows of {} have no names, found \"{}\" ({}): give the table a column \"id\" with the names", place,
            node, graph);
    numbers.push_back(*number);
  }
  const std::int64_t rows = data.nodes();
  const bool from_one = std::ranges::find(numbers, 0) == numbers.end() && std::ranges::find(numbers, rows) != numbers.end();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    require(numbers[i] < rows + (from_one ? 1 : 0), Fault::input,
            "[graph] expected nodes from {}, for the table has {} rows, found {} ({}): add the row, correct the node, or name the rows in a column \"id\"",
            from_one ? fmt::format("1 to {}", rows) : fmt::format("0 to {}", rows - 1), rows, numbers[i], graph);
    numbers[i] -= from_one ? 1 : 0;
  }
  if (from_one) data.reading.notes.push_back(fmt::format("the nodes 1 to {} count the rows from one", rows));
  return numbers;
}

bool is_matrix(const EdgeList& list) { return list.reading.format == "Matrix Market" || list.reading.format == "scipy.sparse npz"; }

// What goes along each edge both ways, from the columns of `pairs`: the first line of a direction counts, and stands for the other where that has none.
void set_edge_values(NodeDataset& data, const std::vector<NodeDataset::Pair>& pairs, const std::vector<std::int64_t>& line_of, EdgeColumns columns) {
  std::vector<std::size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return pairs[a] < pairs[b]; });
  const auto found = [&](const NodeDataset::Pair& pair) {
    const auto at = std::ranges::lower_bound(order, pair, {}, [&](std::size_t n) { return pairs[n]; });
    return at != order.end() && pairs[*at] == pair ? line_of[*at] : -1;
  };
  const std::size_t width = columns.names.size();
  data.edge_values.reserve(2 * data.edges.size() * width);
  for (const NodeDataset::Pair& pair : data.edges) {
    const std::int64_t there = found(pair), back = found({pair.b, pair.a});
    for (const std::int64_t line : {there < 0 ? back : there, back < 0 ? there : back}) {
      const auto begin = columns.values.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(line) * width);
      data.edge_values.insert(data.edge_values.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
    }
  }
  data.edge_names = std::move(columns.names);
}

// `every`: each node is to be a row; else edges of other nodes are left out and counted.  columns: of the edges, null where not wanted.
void join(NodeDataset& data, const EdgeList& list, EdgeColumns* columns, bool every, const std::string& place, const std::string& graph) {
  const auto size = static_cast<std::int64_t>(list.nodes.size());
  require(!is_matrix(list) || size == data.nodes(), Fault::input,
          "[graph] expected a matrix of as many rows as the table, {}, found {} ({}): give it a row and a column for every row of {}", data.nodes(),
          size, graph, place);
  const bool named = !is_matrix(list) && !data.node_names.empty();
  std::vector<std::int64_t> row;  // of each node; unused for a matrix
  if (named) row = rows_by_name(list.nodes, data.node_names, place);
  else if (!is_matrix(list)) row = rows_by_number(data, list.nodes, place, graph);
  const auto lost = std::ranges::find(row, -1);
  if (every && lost != row.end()) {
    const std::string& name = list.nodes[static_cast<std::size_t>(lost - row.begin())];
    const std::string nearest = nearest_name(name, data.node_names);
    fail(Fault::input, "[graph] expected nodes that are rows of {}, found \"{}\" ({}){}: correct the name or add the row; --names says which column names the rows, and with "
                       "none nodes are numbers",
         place, name, graph, nearest.empty() ? "" : fmt::format(", nearest \"{}\"", nearest));
  }
  const auto place_of = [&](std::int64_t node) { return is_matrix(list) ? node : row[static_cast<std::size_t>(node)]; };
  std::vector<NodeDataset::Pair> pairs;
  std::vector<std::int64_t> line_of;
  bool weighted = false;
  for (std::size_t e = 0; e < list.edges.size(); ++e) {
    const NamedEdge& edge = list.edges[e];
    const NodeDataset::Pair pair{place_of(edge.from), place_of(edge.to)};
    weighted = weighted || edge.weight != 1;
    if (pair.a < 0 || pair.b < 0) {
      ++data.unknown;
      continue;
    }
    pairs.push_back(pair);
    line_of.push_back(static_cast<std::int64_t>(e));
  }
  set_edges(data, pairs);
  if (columns && !columns->names.empty()) set_edge_values(data, pairs, line_of, std::move(*columns));
  if (columns && !list.reading.left_out.empty()) data.reading.notes.push_back(fmt::format("{}: {} left out, which are no numbers", graph, list_names(list.reading.left_out, 6)));
  if (weighted && data.edge_names.empty()) data.reading.notes.push_back(fmt::format("the weights of the edges ({}) do not count", graph));
  for (const std::string& note : list.reading.notes) data.reading.notes.push_back(fmt::format("{}: {}", graph, note));
  data.hash = sha256(data.hash + list.hash);
}

NodeDataset read_pair(const std::string& source, const std::string& graph, const LoadOptions& table_options, const LoadOptions& graph_options, bool every,
                      const Filling* known, bool edge_columns, const Context& context) {
  Dataset table = load_dataset(source, table_options, context);
  Filling filling;
  if (known) fill_new(table, filling = *known, context);
  else filling = settle_missing(table, context);
  const std::vector<std::string> split = std::move(table.kept);
  NodeDataset data = nodes_of(std::move(table), source, context);
  data.filling = std::move(filling);
  set_split(data, split, source);
  EdgeColumns columns;
  const EdgeList list = load_edge_list(graph, graph_options, context, edge_columns ? &columns : nullptr);
  join(data, list, edge_columns ? &columns : nullptr, every, source, graph);
  return data;
}

}  // namespace

NodeDataset read_table_and_graph(const std::string& source, const std::string& graph, const LoadOptions& options, const Filling* known, bool edge_columns, const Context& context) {
  require(options.missing != Missing::drop, Fault::input,
          "[graph] expected every node to keep its row, found --missing drop ({}): fill values in with mean or neighbours", source);
  LoadOptions table = options, list;
  table.partly_labelled = true;
  table.measured = false;
  table.sparse = true;
  table.kept = "split";
  list.text.encoding = options.text.encoding;
  return read_pair(source, graph, table, list, true, known, edge_columns, context);
}

NodeDataset read_linqs(const std::string& content, const std::string& cites, const LoadOptions& options, const Context& context) {
  check_options(linqs_set, options, true, content);
  LoadOptions table, list;
  table.text = options.text;
  table.text.header = false;
  table.names.emplace("1");
  table.label.emplace("-1");
  table.partly_labelled = true;
  list.text = table.text;
  NodeDataset data = read_pair(content, cites, table, list, false, nullptr, false, context);
  data.reading.format = "LINQS";
  data.label.clear();
  data.coding = {};
  data.reading.label.reset();
  data.reading.names.reset();
  return data;
}

}  // namespace calor::io
