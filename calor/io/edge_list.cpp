#include "calor/io/edge_list.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/container.h"
#include "calor/io/file_options.h"
#include "calor/io/graphml.h"
#include "calor/io/matrix_market.h"
#include "calor/io/number.h"
#include "calor/io/roles.h"
#include "calor/io/scipy_sparse.h"
#include "calor/io/source.h"
#include "calor/io/text_pool.h"
#include "calor/io/text_scanner.h"
#include "calor/io/zip.h"

namespace calor::io {
namespace {

// Whole numbers as names: nodes then stand in their order, not in that of the lines.
void sort_numbers(EdgeList& list) {
  std::vector<double> value;
  for (const std::string& name : list.nodes) {
    const auto number = parse_number(name);
    if (!number || *number != std::floor(*number)) return;
    value.push_back(*number);
  }
  std::vector<std::size_t> order(value.size()), rank(value.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return value[a] < value[b]; });
  std::vector<std::string> nodes;
  for (std::size_t r = 0; r < order.size(); ++r) {
    nodes.push_back(list.nodes[order[r]]);
    rank[order[r]] = r;
  }
  list.nodes = std::move(nodes);
  for (NamedEdge& edge : list.edges) {
    edge.from = static_cast<std::int64_t>(rank[static_cast<std::size_t>(edge.from)]);
    edge.to = static_cast<std::int64_t>(rank[static_cast<std::size_t>(edge.to)]);
  }
}

// Which columns hold what; weight -1: none.
struct Ends {
  std::size_t from = 0, to = 1;
  std::ptrdiff_t weight = -1;
  std::ptrdiff_t type = -1;  // "Directed" or "Undirected", as Gephi writes it
  std::vector<std::size_t> columns;  // that are wanted beside these
};

std::optional<std::size_t> named(const std::vector<std::string>& names, const std::set<std::string>& wanted) {
  for (std::size_t c = 0; c < names.size(); ++c)
    if (wanted.contains(lower_case(names[c]))) return c;
  return {};
}

Ends find_ends(const Dialect& dialect, EdgeList& list, bool columns, const std::string& place) {
  const std::vector<std::string>& names = dialect.names;
  const std::size_t width = names.size();
  require(width >= 2, Fault::input, "[edges] expected \"from to\" or \"from to weight\", found 1 field ({}, line {}): separate the two nodes by a comma, a tab or blanks; the separator "
                                    "was taken to be {} (--delimiter settles it)",
          place, dialect.first_line, delimiter_name(dialect.delimiter));
  Ends ends;
  if (!dialect.header) {
    require(width <= 3, Fault::input, "[edges] expected \"from to\" or \"from to weight\", found {} fields ({}, line {}): quote names with {} in them, or name the columns in a first line: "
                                      "from, to, weight; a square table is read with --as similarities",
            width, place, dialect.first_line, dialect.delimiter == ' ' ? "blanks" : "separators");
    if (width == 3) ends.weight = 2;
    if (columns && width == 3) ends.columns.push_back(2);
    return ends;
  }
  auto from = named(names, {"from", "source", "src", "source_id", "from_id", "tail"}), to = named(names, {"to", "target", "dst", "dest", "destination", "target_id", "to_id", "head"});
  const auto weight = named(names, {"weight", "weights", "w", "value", "similarity", "score", "strength", "count"});
  if (!from || !to || from == to) {
    // The running number of a table that was written with its index has no name.
    const std::size_t skipped = width > 2 && is_names_name(names[0]) && names[0] != "name" ? 1 : 0;
    from = skipped;
    to = skipped + 1;
    require(width - skipped <= 3, Fault::input, "[edges] expected columns named from and to (or source and target) among {} ({}, line {}): rename them", list_names(names), place,
            dialect.header_line);
  }
  ends.from = *from;
  ends.to = *to;
  if (const auto type = named(names, {"type"}); type && dialect.texts[*type] && *type != ends.from && *type != ends.to) ends.type = static_cast<std::ptrdiff_t>(*type);
  if (weight && *weight != ends.from && *weight != ends.to) ends.weight = static_cast<std::ptrdiff_t>(*weight);
  else if (width == 3)
    for (std::size_t c = 0; c < width; ++c)
      if (c != ends.from && c != ends.to && static_cast<std::ptrdiff_t>(c) != ends.type && !is_names_name(names[c])) ends.weight = static_cast<std::ptrdiff_t>(c);
  for (std::size_t c = 0; c < width; ++c) {
    const auto place_of = static_cast<std::ptrdiff_t>(c);
    if (c == ends.from || c == ends.to || place_of == ends.type) continue;
    if (columns && !dialect.texts[c] && !names[c].empty()) ends.columns.push_back(c);
    else if (place_of != ends.weight) list.reading.left_out.push_back(names[c].empty() ? "(the first column)" : names[c]);
  }
  list.columns = fmt::format("from \"{}\" to \"{}\"{}", names[ends.from], names[ends.to],
                             ends.weight < 0 ? "" : fmt::format(", weight \"{}\"", names[static_cast<std::size_t>(ends.weight)]));
  return ends;
}

// Reads the rows; nodes are numbered as they come.
void read_edges(TextSource& text, const TextFacts& facts, const Dialect& dialect, const Ends& ends, EdgeList& list, EdgeColumns* columns, const std::string& place, const Context& context) {
  TextPool nodes;
  TextScanner scanner(text, dialect.delimiter, dialect.decimal, place);
  const std::size_t expected = dialect.names.size(), least = dialect.header ? expected : 2, most = dialect.header ? expected : 3;
  std::vector<std::string> cells;
  std::int64_t both_ways = 0;
  for (std::int64_t rows = 0; scanner.begin_row(); ++rows) {
    const std::int64_t line = scanner.line();
    if (line < dialect.first_line || line == dialect.header_line) {
      list.reading.comments += line != dialect.header_line && is_comment(scanner.row(), 0, 0);
      continue;
    }
    if (rows % 4096 == 0) {
      context.check_stop("edges");
      context.advance(static_cast<double>(scanner.bytes_read()), static_cast<double>(facts.bytes), "reading");
    }
    std::size_t count = 0;
    do {
      if (count == cells.size()) cells.emplace_back();
      cells[count++] = scanner.text_cell();
    } while (scanner.next_cell());
    const std::string_view row = scanner.row();
    if (is_comment(row, std::clamp(count, least, most) == count ? 0 : 1, 0)) {
      ++list.reading.comments;
      continue;
    }
    if (dialect.delimiter == ' ')  // "1 2 # remark"
      for (std::size_t c = least; c < count; ++c)
        if (cells[c].starts_with('#')) count = c;
    require(count >= least && count <= most, Fault::input, "[edges] expected {}, found {} field{} ({}, line {}): give two nodes and perhaps a weight, and quote names with {} in them",
            dialect.header ? fmt::format("{} fields as in line {}", expected, dialect.first_line) : "\"from to\" or \"from to weight\"", count, count == 1 ? "" : "s", place, line,
            dialect.delimiter == ' ' ? "blanks" : "separators");
    const auto first = static_cast<std::ptrdiff_t>(columns ? columns->values.size() : 0);
    for (std::size_t c = 0; columns && c < ends.columns.size(); ++c) {
      const bool without_weight = !dialect.header && ends.columns[c] >= count;  // as others have one
      const std::string cell = without_weight ? "1" : cells[ends.columns[c]];
      const auto value = number_in(cell, dialect.decimal);
      require(value && std::isfinite(*value), Fault::input, "[edges] expected a finite number in the column \"{}\", found {} ({}, line {}): correct it, or remove the column", columns->names[c],
              cell.empty() ? "an empty cell" : fmt::format("\"{}\"", cell), place, line);
      columns->values.push_back(*value);
    }
    double weight = 1;
    const std::ptrdiff_t at = dialect.header ? ends.weight : count == 3 ? 2 : -1;
    if (at >= 0) {
      const std::string& cell = cells[static_cast<std::size_t>(at)];
      const auto value = number_in(cell, dialect.decimal);
      require(value && std::isfinite(*value), Fault::input,
              "[edges] expected a finite number as weight, found {} ({}, line {}): correct it; a header reads from, to, weight, and a decimal comma is settled by --decimal comma",
              cell.empty() ? "an empty cell" : fmt::format("\"{}\"", cell), place, line);
      weight = *value;
    }
    std::int64_t ids[2];
    for (const int end : {0, 1}) {
      const std::string& name = cells[end == 0 ? ends.from : ends.to];
      require(!name.empty(), Fault::input, "[edges] expected two nodes, found an empty name ({}, line {}, column {}): give the node or remove the line", place, line,
              (end == 0 ? ends.from : ends.to) + 1);
      const std::int64_t known = nodes.size();
      ids[end] = nodes.add(name, line);
      require(ids[end] < known || is_utf8(name), Fault::input,
              "[edges] expected text in UTF-8, found other bytes ({}, line {}): name the --encoding (latin1, windows-1252, ...), or save the file as UTF-8", place, line);
    }
    list.edges.push_back({ids[0], ids[1], weight});
    if (ends.type >= 0 && ids[0] != ids[1] && lower_case(cells[static_cast<std::size_t>(ends.type)]) == "undirected") {
      list.edges.push_back({ids[1], ids[0], weight});
      if (columns)
        for (std::size_t c = 0; c < ends.columns.size(); ++c) columns->values.push_back(columns->values[static_cast<std::size_t>(first) + c]);
      ++both_ways;
    }
    if ((list.edges.size() & (list.edges.size() - 1)) == 0)  // before a vector of edges doubles
      context.memory.require(2 * list.edges.size() * sizeof(NamedEdge), "edges", fmt::format("the edges of {}", place), "use a smaller graph, or raise --max-memory");
  }
  list.nodes = nodes.texts();
  if (both_ways > 0)
    list.reading.notes.push_back(fmt::format("{} (by the column \"{}\") {} read in both directions", counted(both_ways, "undirected edge"),
                                             dialect.names[static_cast<std::size_t>(ends.type)], both_ways == 1 ? "is" : "are"));
}

// Nodes are numbered from `first`; an entry in row i and column j is an edge from i to j.
EdgeList edges_of(const SparseMatrix& matrix, std::int64_t first, std::string_view op, const std::string& place) {
  require(matrix.rows == matrix.columns, Fault::input, "[{}] expected a square matrix for a graph, found {} x {} ({}): give rows and columns the same nodes", op, matrix.rows,
          matrix.columns, place);
  require(matrix.entries() > 0, Fault::input, "[{}] expected at least one edge, found none ({})", op, place);
  EdgeList list;
  for (std::int64_t i = 0; i < matrix.rows; ++i) list.nodes.push_back(std::to_string(first + i));
  for (std::int64_t i = 0; i < matrix.rows; ++i)
    for (auto e = static_cast<std::size_t>(matrix.begin[static_cast<std::size_t>(i)]); e < static_cast<std::size_t>(matrix.begin[static_cast<std::size_t>(i) + 1]); ++e)
      list.edges.push_back({i, matrix.column[e], matrix.value[e]});
  return list;
}

}  // namespace

static void count_graph(EdgeList& list) {
  list.reading.rows = static_cast<std::int64_t>(list.nodes.size());
  list.reading.edges = static_cast<std::int64_t>(list.edges.size());
}

// Three rows of three numbers that are a table rather than pairs: zeros on the diagonal, symmetric, or fractions where pairs have names.
static bool looks_square(const std::vector<double>& table) {
  const bool zeros = table[0] == 0 && table[4] == 0 && table[8] == 0;
  const bool symmetric = table[1] == table[3] && table[2] == table[6] && table[5] == table[7];
  bool fractions = false;
  for (const std::size_t at : {0, 1, 3, 4, 6, 7}) fractions = fractions || table[at] != std::floor(table[at]);
  return zeros || symmetric || fractions;
}

static void note_table(EdgeList& list) {
  std::vector<double> table;
  for (const NamedEdge& edge : list.edges) {
    const auto from = parse_number(list.nodes[static_cast<std::size_t>(edge.from)]), to = parse_number(list.nodes[static_cast<std::size_t>(edge.to)]);
    if (from && to) table.insert(table.end(), {*from, *to, edge.weight});
  }
  if (table.size() == 9 && looks_square(table)) list.reading.notes.push_back("3 rows of 3 numbers are read as edges with weights: --as similarities if they are a square table");
}

EdgeList load_edge_list(const std::string& path, const LoadOptions& load, const Context& context, EdgeColumns* columns) {
  const TextOptions& options = load.text;
  EdgeList list;
  require(data_part(path) == path, Fault::input, "[edges] expected a list of edges alone, found a file of labels beside it ({}): leave it out; for distances with labels give a square table", path);
  Source source = open_source(path, context);
  refuse_foreign(source.head, path);
  if (is_zip(source.head) && is_scipy_sparse(zip_entries(source.bytes, path))) {
    check_options(graph_file, load, false, path);
    EdgeList list_of_matrix = edges_of(parse_scipy_sparse(source.bytes, path, context), 0, "scipy", path);
    list_of_matrix.reading.format = "scipy.sparse npz";
    count_graph(list_of_matrix);
    list_of_matrix.hash = source.hash.get();
    return list_of_matrix;
  }
  require(!is_container(source.head), Fault::input, "[edges] expected a text of edges, found arrays or an archive ({}): give a csv of \"from, to, weight\"", path);
  TextFacts facts;
  const auto text = as_utf8(std::move(source.text), options.encoding, path, context, facts, source.counted);
  const std::string head = beginning_of(*text);
  const bool graph = is_graphml(head) || is_matrix_market(head);
  check_options(graph ? graph_file : edge_list, load, false, path);
  if (graph) {
    const std::string whole = whole_text(*text, facts.bytes, path, context);
    EdgeList other = is_graphml(head) ? parse_graphml(whole, path, context) : edges_of(parse_matrix_market(whole, path, context).matrix, 1, "mtx", path);
    other.reading.format = is_graphml(head) ? "GraphML" : "Matrix Market";
    count_graph(other);
    other.hash = source.hash.get();
    return other;
  }
  const Dialect dialect = find_dialect(*text, options, {}, "", true, path);
  list.reading.format = "edges";
  list.reading.header = dialect.header;
  list.reading.delimiter = delimiter_name(dialect.delimiter);
  list.reading.decimal = dialect.decimal == ',' ? "decimal comma" : "";
  list.reading.encoding = facts.encoding == "UTF-8" ? "" : facts.encoding;
  if (!dialect.remark.empty()) list.reading.notes.push_back(dialect.remark);
  const Ends ends = find_ends(dialect, list, columns != nullptr, path);
  if (columns)
    for (const std::size_t c : ends.columns) columns->names.push_back(dialect.header ? dialect.names[c] : "weight");
  read_edges(*text, facts, dialect, ends, list, columns, path, context);
  require(!list.edges.empty(), Fault::input, "[edges] expected at least one edge, found none ({})", path);
  if (list.reading.comments > 0) list.reading.notes.push_back(counted(list.reading.comments, "comment line") + " left out");
  if (list.edges.size() == 3 && dialect.names.size() == 3 && !dialect.header) note_table(list);
  sort_numbers(list);
  count_graph(list);
  list.hash = source.hash.get();
  return list;
}

bool is_list_of_pairs(const std::string& source_name, const TextOptions& options, const Context& context) {
  const std::string path = data_part(source_name);
  if (path == "-") return false;  // can be read once
  Source source = open_source(path, context);
  if (is_container(source.head)) return false;
  TextFacts facts;
  const auto text = as_utf8(std::move(source.text), options.encoding, path, context, facts, source.counted);
  const std::string head = beginning_of(*text);
  if (is_graphml(head)) return true;
  if (is_matrix_market(head)) return false;
  const Dialect dialect = find_dialect(*text, options, {}, "", true, path);
  if (dialect.names.size() != 3) return false;
  TextScanner scanner(*text, dialect.delimiter, dialect.decimal, path);
  std::size_t rows = 0, numbers = 0;
  std::vector<double> table;
  while (scanner.begin_row() && rows < 4) {
    if (scanner.line() < dialect.first_line || scanner.line() == dialect.header_line) continue;
    const std::vector<std::string> cells = read_cells(scanner);
    for (const std::string& cell : cells) {
      const auto value = number_in(cell, dialect.decimal);
      numbers += value.has_value() || cell.empty();  // one triangle alone
      if (rows < 3) table.push_back(value.value_or(0));
    }
    ++rows;
  }
  const bool square = rows == 3 && numbers == 9 && looks_square(table), row_of_three = rows == 1 && numbers == 3;
  return !square && !row_of_three;
}

std::string reading_line(const EdgeList& edges) {
  std::vector<std::string> facts;
  if (!edges.columns.empty()) facts.push_back(edges.columns);
  if (edges.reading.format != "edges") facts.push_back(edges.reading.format);
  if (edges.reading.header) facts.push_back(*edges.reading.header ? "header yes" : "header no");
  for (const std::string& fact : {edges.reading.delimiter, edges.reading.decimal, edges.reading.encoding})
    if (!fact.empty()) facts.push_back(fact);
  const bool weighted = std::any_of(edges.edges.begin(), edges.edges.end(), [](const NamedEdge& edge) { return edge.weight != 1; });
  facts.push_back(weighted ? "weighted" : "no weights");
  if (!edges.reading.left_out.empty()) facts.push_back(fmt::format("left out {}", list_names(edges.reading.left_out, 6)));
  return fmt::format("read {} and {} ({})", counted(static_cast<std::int64_t>(edges.nodes.size()), "node"), counted(static_cast<std::int64_t>(edges.edges.size()), "edge"), fmt::join(facts, "; "));
}

}  // namespace calor::io
