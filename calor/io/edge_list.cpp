#include "calor/io/edge_list.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/gzip.h"
#include "calor/io/hash.h"
#include "calor/io/number.h"
#include "calor/io/output.h"

namespace calor::io {
namespace {

std::vector<std::string_view> fields_of(std::string_view line) {
  constexpr std::string_view separators = " \t,;\r";
  std::vector<std::string_view> fields;
  for (std::size_t begin = line.find_first_not_of(separators); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(separators, begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(separators, end);
  }
  return fields;
}

// "from,to,weight", "source target": what the columns are called.
bool is_header(const std::vector<std::string_view>& fields) {
  const std::string first = lower_case(std::string(fields[0])), second = lower_case(std::string(fields[1]));
  return (first == "from" && second == "to") || (first == "source" && second == "target") || (first == "src" && second == "dst");
}

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
    edge.from = static_cast<std::int64_t>(rank[edge.from]);
    edge.to = static_cast<std::int64_t>(rank[edge.to]);
  }
}

}  // namespace

EdgeList load_edge_list(const std::string& path, const Context& context) {
  EdgeList list;
  std::string text = read_file(path);
  list.hash = sha256(text);
  if (is_gzip(text)) text = gunzip(text, path, context);
  std::unordered_map<std::string, std::int64_t> number;
  const auto node = [&](std::string_view name) {
    const auto [at, fresh] = number.try_emplace(std::string(name), static_cast<std::int64_t>(list.nodes.size()));
    if (fresh) list.nodes.emplace_back(name);
    return at->second;
  };
  std::string_view rest = text;
  for (std::int64_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view content = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (content.empty() || content[0] == '#' || content[0] == '%') continue;
    const std::vector<std::string_view> fields = fields_of(content);
    require(fields.size() == 2 || fields.size() == 3, Fault::input,
            "[edges] expected \"from to\" or \"from to weight\", found {} fields ({}, line {}): give two nodes, without "
            "blanks in their names, and perhaps a weight",
            fields.size(), path, line);
    if (list.edges.empty() && is_header(fields)) continue;
    const auto weight = fields.size() == 3 ? parse_number(fields[2]) : 1.0;
    require(weight && std::isfinite(*weight), Fault::input,
            "[edges] expected a finite number as weight, found \"{}\" ({}, line {}): correct it; a header reads from, to, weight",
            fields.back(), path, line);
    const std::int64_t from = node(fields[0]);
    list.edges.push_back({from, node(fields[1]), *weight});
  }
  require(!list.edges.empty(), Fault::input, "[edges] expected at least one edge, found none ({})", path);
  sort_numbers(list);
  return list;
}

}  // namespace calor::io
