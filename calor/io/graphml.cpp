#include "calor/io/graphml.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <pugixml.hpp>
#include <unordered_map>
#include <unordered_set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"

namespace calor::io {

namespace {

// What the file declares of one attribute of nodes or edges.
struct Key {
  std::string id;  // "": the file has no such attribute
  std::optional<std::string> standard;
};

class Parser {
 public:
  Parser(std::string_view text, const std::string& place, const Context& context) : place_(place), context_(context) {
    // The parser holds the text, and at most a node an opening bracket and an attribute an equals sign.
    const auto count = [&](char c) { return static_cast<std::uint64_t>(std::ranges::count(text, c)); };
    context.memory.require(text.size() + 2 * sizeof(void*) * 8 * count('<') + sizeof(void*) * 8 * count('='), "graphml",
                           fmt::format("the elements of {}", place), "use a smaller graph, or raise --max-memory");
    const pugi::xml_parse_result result = document_.load_buffer(text.data(), text.size());
    require(result, Fault::input, "[graphml] expected XML, found: {} ({}, byte {}): the file is damaged; write it again", result.description(), place_,
            result.offset + 1);
  }

  EdgeList parse() {
    const pugi::xml_node root = document_.child("graphml"), graph = root.child("graph");
    require(graph, Fault::input, "[graphml] expected a <graph> in <graphml>, found none ({}): write the file again", place_);
    require(!graph.next_sibling("graph"), Fault::input, "[graphml] expected one graph, found several ({}): write each to a file of its own", place_);
    for (const pugi::xml_node& element : graph.children()) {
      require(element.name() != std::string_view("hyperedge"), Fault::input,
              "[graphml] expected edges between two nodes, found a hyperedge ({}): write it as edges", place_);
      if (element.name() == std::string_view("node")) add_node(element);
    }
    name_nodes(root, graph);
    const Key weight = key(root, "edge", "weight");
    const bool directed = direction(graph.attribute("edgedefault"), true);
    for (const pugi::xml_node& edge : graph.children("edge")) add_edge(edge, weight, directed);
    require(!list_.edges.empty(), Fault::input, "[graphml] expected at least one edge, found none ({})", place_);
    return std::move(list_);
  }

 private:
  void add_node(const pugi::xml_node& element) {
    if (list_.nodes.size() % 65536 == 0) context_.check_stop("graphml");
    const std::string id = element.attribute("id").value();
    require(!id.empty(), Fault::input, "[graphml] expected an id of each node, found none for node {} ({}): write the file again", list_.nodes.size() + 1, place_);
    require(!element.child("graph"), Fault::input, "[graphml] expected nodes without graphs in them, found one in node \"{}\" ({}): write the graph flat", id,
            place_);
    const bool fresh = number_.emplace(id, static_cast<std::int64_t>(list_.nodes.size())).second;
    require(fresh, Fault::input, "[graphml] expected different ids of nodes, found \"{}\" twice ({}): rename one", id, place_);
    list_.nodes.push_back(id);
  }

  static Key key(const pugi::xml_node& root, std::string_view of, std::string_view name) {
    for (const pugi::xml_node& element : root.children("key")) {
      const std::string_view owner = element.attribute("for").value();
      if (element.attribute("attr.name").value() != name || (owner != of && owner != "all" && !owner.empty())) continue;
      Key key{element.attribute("id").value(), {}};
      if (const pugi::xml_node standard = element.child("default")) key.standard = trim(standard.child_value());
      return key;
    }
    return {};
  }

  // An element's own value of an attribute, else the default.
  static std::optional<std::string> value(const pugi::xml_node& element, const Key& key) {
    if (key.id.empty()) return {};
    const pugi::xml_node data = element.find_child([&](const pugi::xml_node& child) {
      return child.name() == std::string_view("data") && child.attribute("key").value() == key.id;
    });
    return data ? std::string(trim(data.child_value())) : key.standard;
  }

  void name_nodes(const pugi::xml_node& root, const pugi::xml_node& graph) {
    for (const char* const attribute : {"name", "label"}) {
      const Key key = Parser::key(root, "node", attribute);
      std::vector<std::string> names;
      std::unordered_set<std::string> different;
      if (!key.id.empty())
        for (const pugi::xml_node& node : graph.children("node")) {
          names.push_back(value(node, key).value_or(""));
          if (names.back().empty() || !different.insert(names.back()).second) break;
        }
      if (different.empty() || different.size() != list_.nodes.size()) continue;
      list_.nodes = std::move(names);
      return;
    }
  }

  bool direction(const pugi::xml_attribute& attribute, bool of_graph) const {
    const std::string text = lower_case(attribute.value());
    const bool yes = text == "directed" || text == "true" || text == "1", no = text == "undirected" || text == "false" || text == "0";
    require(yes || no || text.empty(), Fault::input, "[graphml] expected directed or undirected (true or false of an edge), found \"{}\" ({}): correct it", text, place_);
    return yes || (!no && of_graph);
  }

  std::int64_t end_of(const pugi::xml_node& edge, const char* end) const {
    const std::string id = edge.attribute(end).value();
    const auto found = number_.find(id);
    require(found != number_.end(), Fault::input, "[graphml] expected a node of this file as {} of edge {}, found \"{}\" ({}): add the node or correct the edge", end,
            edges_ + 1, id, place_);
    return found->second;
  }

  void add_edge(const pugi::xml_node& edge, const Key& key, bool directed) {
    if (edges_ % 65536 == 0) context_.check_stop("graphml");
    const std::int64_t from = end_of(edge, "source"), to = end_of(edge, "target");
    const std::optional<std::string> text = value(edge, key);
    const auto weight = text ? parse_number(*text) : 1.0;
    require(weight && std::isfinite(*weight), Fault::input, "[graphml] expected a finite number as weight, found \"{}\" ({}, edge {} from \"{}\" to \"{}\"): correct it",
            text.value_or(""), place_, edges_ + 1, list_.nodes[static_cast<std::size_t>(from)], list_.nodes[static_cast<std::size_t>(to)]);
    list_.edges.push_back({from, to, *weight});
    if (from != to && !direction(edge.attribute("directed"), directed)) list_.edges.push_back({to, from, *weight});
    ++edges_;
  }

  const std::string& place_;
  const Context& context_;
  pugi::xml_document document_;
  EdgeList list_;
  std::unordered_map<std::string, std::int64_t> number_;  // of each id
  std::int64_t edges_ = 0;
};

}  // namespace

bool is_graphml(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (;;) {
    text = text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (text.starts_with("<graphml")) return true;
    // Declarations, comments and document types may come before.
    const std::string_view end = text.starts_with("<!--") ? "-->" : text.starts_with("<?") ? "?>" : text.starts_with("<!") ? ">" : "";
    const std::size_t at = end.empty() ? std::string_view::npos : text.find(end);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + end.size());
  }
}

EdgeList parse_graphml(std::string_view text, const std::string& place, const Context& context) {
  return Parser(text, place, context).parse();
}

}  // namespace calor::io
