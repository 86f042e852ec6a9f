#include "calor/io/node_dataset.h"

#include <algorithm>
#include <optional>
#include <set>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/node_formats.h"
#include "calor/io/source.h"

namespace calor::io {
namespace {

namespace fs = std::filesystem;

// The NAME of "ind.NAME.allx"; "" for a name of another form.
std::string planetoid_name(const std::string& file) {
  constexpr std::string_view prefix = "ind.";
  for (const std::string_view part : planetoid_parts) {
    const std::string suffix = fmt::format(".{}", part);
    if (file.starts_with(prefix) && file.ends_with(suffix) && file.size() > prefix.size() + suffix.size())
      return file.substr(prefix.size(), file.size() - prefix.size() - suffix.size());
  }
  return "";
}

// A set of several files that have one name in one folder.
struct Together {
  fs::path folder;
  std::string name;
  bool planetoid;
  std::string shown() const { return (planetoid ? "ind." : "") + name + (planetoid ? "" : ".content"); }
  auto operator<=>(const Together&) const = default;
};

std::set<Together> sets_in(const fs::path& folder) {
  std::set<Together> sets;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path file = entry->path().filename();
    if (const std::string name = planetoid_name(file.string()); !name.empty()) sets.insert({folder, name, true});
    else if (file.extension() == ".content" && file.has_stem()) sets.insert({folder, file.stem().string(), false});
  }
  return sets;
}

// The set that a folder, a name in it, or one of its files means; nothing for other files.
std::optional<Together> find_together(const std::string& source) {
  std::error_code error;
  const fs::path path = source;
  if (fs::is_directory(path, error)) {
    const std::set<Together> sets = sets_in(path);
    std::vector<std::string> names;
    for (const Together& set : sets) names.push_back(set.shown());
    require(!sets.empty(), Fault::input,
            "[graph] expected a folder with ind.NAME.x, .allx, ... (Planetoid) or NAME.content and NAME.cites (LINQS), found neither ({}): name a file", source);
    require(sets.size() == 1, Fault::input,
            "[graph] expected one data set in the folder, found {} ({}): name one, as in {}", list_names(names), source, (path / names[0]).string());
    return *sets.begin();
  }
  const fs::path folder = path.parent_path();
  const std::string file = path.filename().string();
  if (const std::string name = planetoid_name(file); !name.empty()) return Together{folder, name, true};
  if (path.extension() == ".content" || path.extension() == ".cites") return Together{folder, path.stem().string(), false};
  if (fs::exists(path, error)) return {};
  for (const Together& set : sets_in(folder.empty() ? "." : folder))
    if (file == set.name || (set.planetoid && file == set.shown())) return Together{folder, set.name, set.planetoid};
  return {};
}

NodeDataset read_together(const Together& set, const LoadOptions& options, const Context& context) {
  if (set.planetoid) return read_planetoid(set.folder, set.name, options, context);
  const fs::path content = set.folder / (set.name + ".content"), cites = set.folder / (set.name + ".cites");
  for (const fs::path& part : {content, cites}) {
    std::error_code error;
    require(fs::exists(part, error), Fault::input,
            "[graph] expected {0}.content and {0}.cites, found no {1}: put it beside the other", set.name, part.string());
  }
  return read_linqs(content.string(), cites.string(), options, context);
}

// The one file that holds a graph and the features of its nodes; nothing for a table, a bundled name and what is no regular file.
std::optional<Source> open_archive(const std::string& source, const Context& context) {
  std::error_code error;
  char head[4];
  if (!fs::is_regular_file(source, error) || !is_zip({head, text_of_file(source)->read(head, sizeof(head))})) return {};
  Source opened = open_source(source, context);
  if (!is_graph_archive(zip_entries(opened.bytes, source))) return {};
  return opened;
}

std::optional<NodeDataset> read_archive(const std::string& source, const LoadOptions& options, const Context& context) {
  const std::optional<Source> opened = open_archive(source, context);
  if (!opened) return {};
  NodeDataset data = read_graph_archive(opened->bytes, source, options, context);
  data.name = fs::path(source).stem().string();
  data.hash = opened->hash.get();
  return data;
}

void check_no_graph(const std::string& source, const std::string& graph) {
  require(graph.empty(), Fault::input, "[graph] expected no graph beside a data set that has its own, found {} ({}): leave it out", graph, source);
}

// A graph that is not there, before the table is read.  (A bundled table's name is answered where files are opened.)
void check_there(const std::string& graph) {
  std::error_code error;
  const std::vector<BundledSet>& tables = bundled_sets();
  if (graph.empty() || graph == "-" || fs::exists(graph, error) || error || std::ranges::any_of(tables, [&](const BundledSet& table) { return table.name == graph; })) return;
  fail(Fault::input, "[graph] expected a file of edges, found that {} does not exist: check the name and its folder", graph);
}

NodeDataset read_any(const std::string& source, const std::string& graph, const LoadOptions& options, const Filling* known, bool edge_columns, const Context& context) {
  if (const auto set = find_together(source)) {
    check_no_graph(source, graph);
    NodeDataset data = read_together(*set, options, context);
    data.name = set->name;
    return data;
  }
  if (auto archive = read_archive(source, options, context)) {
    check_no_graph(source, graph);
    return *std::move(archive);
  }
  require(!graph.empty(), Fault::input,
          "[graph] expected a graph beside the table, or a data set that has one (Planetoid, LINQS, npz with adj_data), found neither ({}): name a file of edges with --graph", source);
  return read_table_and_graph(source, graph, options, known, edge_columns, context);
}

}  // namespace

void set_edges(NodeDataset& data, std::vector<NodeDataset::Pair> found) {
  using Pair = NodeDataset::Pair;
  const auto size = [&] { return static_cast<std::int64_t>(found.size()); };
  const auto drop_repeated = [&] {
    std::ranges::sort(found);
    found.erase(std::ranges::unique(found).begin(), found.end());
  };
  const std::int64_t all = size();
  std::erase_if(found, [](const Pair& pair) { return pair.a == pair.b; });
  data.loops = all - size();
  drop_repeated();
  data.repeated = all - data.loops - size();
  for (Pair& pair : found)
    if (pair.a > pair.b) std::swap(pair.a, pair.b);
  drop_repeated();
  data.edges = std::move(found);
}

bool is_node_dataset(const std::string& source, const Context& context) {
  std::error_code error;
  return is_bundled_graph(source) || fs::is_directory(source, error) || find_together(source) || open_archive(source, context);
}

NodeDataset load_node_dataset(const std::string& source, const std::string& graph, const LoadOptions& options, const Context& context, const Filling* known, bool edge_columns) {
  require(!source.empty(), Fault::usage, "[graph] expected a data set of nodes, found nothing: name a file or a folder");
  check_there(graph);
  NodeDataset data = is_bundled_graph(source) && graph.empty() ? planted_blocks({}, 0) : read_any(source, graph, options, known, edge_columns, context);
  data.source = graph.empty() ? source : fmt::format("{} with {}", source, graph);
  data.reading.rows = data.nodes();
  data.reading.features = data.features.columns;
  data.reading.edges = static_cast<std::int64_t>(data.edges.size());
  data.reading.classes = static_cast<std::int64_t>(data.classes.size());
  return data;
}

std::string reading_line(const NodeDataset& data) {
  const auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  const std::string label = data.reading.label ? fmt::format("label \"{}\", ", *data.reading.label) : "";
  std::vector<std::string> facts{data.classes.empty() ? "no labels" : label + counted(count(data.classes), "class")};
  const auto none = static_cast<std::int64_t>(std::ranges::count(data.labels, -1));
  if (none > 0 && !data.classes.empty()) facts.push_back(fmt::format("{} without a label", counted(none, "node")));
  if (count(data.train) + count(data.validation) + count(data.test) > 0)
    facts.push_back(fmt::format("split {}, {}, {}", grouped_digits(count(data.train)), grouped_digits(count(data.validation)),
                                grouped_digits(count(data.test))));
  facts.push_back(data.reading.format);
  const auto left_out = [&](std::int64_t edges, const std::string& what) {
    if (edges > 0) facts.push_back(fmt::format("{} left out", counted(edges, what)));
  };
  left_out(data.loops, "loop");
  left_out(data.repeated, "repeated edge");
  if (!data.edge_names.empty()) facts.push_back(fmt::format("of each edge {}", list_names(data.edge_names, 6)));
  if (data.unknown > 0) facts.push_back(fmt::format("{} of unknown nodes left out", counted(data.unknown, "edge")));
  if (!data.reading.left_out.empty()) facts.push_back(fmt::format("left out {}", list_names(data.reading.left_out, 6)));
  return fmt::format("read {} x {} and {} ({})", counted(data.nodes(), "node"), counted(data.features.columns, "feature"),
                     counted(count(data.edges), "edge"), fmt::join(facts, "; "));
}

}  // namespace calor::io
