// The sets of Yang, Cohen and Salakhutdinov 2016, as github.com/kimiyoung/planetoid publishes them, put together as tkipf/gcn does.
#include <algorithm>
#include <charconv>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/file_options.h"
#include "calor/io/hash.h"
#include "calor/io/node_formats.h"
#include "calor/io/output.h"
#include "calor/io/pickle.h"
#include "calor/io/sparse_assembly.h"

namespace calor::io {
namespace {

namespace fs = std::filesystem;

// A file that was read: its bytes as stored.
struct Part {
  std::string path, bytes;
};

class Planetoid {
 public:
  Planetoid(const fs::path& folder, const std::string& name, const Context& context) : context_(context) {
    for (const std::string_view part : planetoid_parts) {
      const fs::path path = folder / fmt::format("ind.{}.{}", name, part);
      std::error_code error;
      require(fs::is_regular_file(path, error), Fault::input,
              "[planetoid] expected the eight files ind.{}.{}, found no {}: put them into one folder", name, fmt::join(planetoid_parts, ", ."),
              path.string());
      context.memory.require(fs::file_size(path, error), "planetoid", path.string(), "use a smaller file, or raise --max-memory");
      parts_.push_back({path.string(), read_file(path.string())});
      hashes_ += sha256(parts_.back().bytes);
    }
  }

  NodeDataset read() {
    NodeDataset data;
    data.hash = sha256(hashes_);
    data.reading.format = "Planetoid";
    const std::vector<std::int64_t> test = test_nodes();
    const SparseMatrix all = matrix("allx", "features"), tested = matrix("tx", "features");
    const SparseMatrix classes = matrix("ally", "classes"), tested_classes = matrix("ty", "classes");
    const std::int64_t labelled = matrix("y", "classes").rows;
    check_equal(all.columns, tested.columns, "columns", "allx", "tx");
    check_equal(classes.columns, tested_classes.columns, "columns", "ally", "ty");
    check_equal(all.rows, classes.rows, "rows", "allx", "ally");
    check_equal(tested.rows, tested_classes.rows, "rows", "tx", "ty");
    check_equal(matrix("x", "features").rows, labelled, "rows", "x", "y");
    check_equal(tested.rows, static_cast<std::int64_t>(test.size()), "rows", "tx", "test.index");
    require(labelled <= all.rows, Fault::input,
            "[planetoid] expected at most the {} rows of allx in x, found {} ({}): the files are of different sets", all.rows, labelled, part("x").path);

    // The row of tx that each node behind allx has; -1: none.
    const std::int64_t nodes = std::max(all.rows, test.empty() ? 0 : std::ranges::max(test) + 1);
    check_sparse_size(nodes, all.columns, static_cast<std::uint64_t>(all.entries() + tested.entries()), 0, "planetoid", part("test.index").path, context_);
    std::vector<std::int64_t> row(static_cast<std::size_t>(nodes - all.rows), -1);
    for (std::size_t k = 0; k < test.size(); ++k) {
      require(test[k] >= all.rows, Fault::input,
              "[planetoid] expected nodes behind the {} of allx, found {} ({}, line {}): the files are of different sets", all.rows, test[k],
              part("test.index").path, k + 1);
      std::int64_t& place = row[static_cast<std::size_t>(test[k] - all.rows)];
      require(place < 0, Fault::input,
              "[planetoid] expected each node once, found {} again ({}, line {}): the file is damaged", test[k], part("test.index").path, k + 1);
      place = static_cast<std::int64_t>(k);
    }
    data.features = stacked(all, tested, row);
    data.labels = labels_of(stacked(classes, tested_classes, row));
    for (std::int64_t c = 0; c < classes.columns; ++c) data.classes.push_back(std::to_string(c));
    const auto without = static_cast<std::int64_t>(std::ranges::count(row, -1));
    if (without > 0)
      data.reading.notes.push_back(fmt::format("{} that test.index leaves out {} neither features nor a label", counted(without, "node"),
                                               without == 1 ? "has" : "have"));
    read_graph(data);

    constexpr std::int64_t validated = 500;
    data.train.resize(static_cast<std::size_t>(labelled));
    data.validation.resize(static_cast<std::size_t>(std::min(validated, all.rows - labelled)));
    std::iota(data.train.begin(), data.train.end(), std::int64_t{0});
    std::iota(data.validation.begin(), data.validation.end(), labelled);
    data.test = test;
    std::ranges::sort(data.test);
    return data;
  }

 private:
  Part& part(std::string_view name) { return parts_[static_cast<std::size_t>(std::ranges::find(planetoid_parts, name) - std::begin(planetoid_parts))]; }

  SparseMatrix matrix(std::string_view name, std::string_view what) {
    Part& file = part(name);
    const Pickle pickle(std::move(file.bytes), file.path, context_);
    return pickle.matrix(pickle.root(), what);
  }

  void check_equal(std::int64_t expected, std::int64_t found, const char* what, const char* first, const char* second) {
    require(expected == found, Fault::input,
            "[planetoid] expected {} {} as in {}, found {} ({}): the files are of different sets", expected, what, first, found, part(second).path);
  }

  // In the order of the rows of tx.
  std::vector<std::int64_t> test_nodes() {
    const Part& file = part("test.index");
    std::vector<std::int64_t> nodes;
    std::int64_t line = 0;
    for (const std::string& text : split_text(file.bytes, '\n')) {
      ++line;
      const std::string_view digits = trim(text);
      if (digits.empty()) continue;
      std::int64_t node = -1;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), node);
      require(error == std::errc() && end == digits.data() + digits.size() && node >= 0 && node < most_indices, Fault::input,
              "[planetoid] expected the number of a node, found \"{}\" ({}, line {}): the file is damaged", digits.substr(0, 40), file.path, line);
      nodes.push_back(node);
    }
    return nodes;
  }

  static SparseMatrix stacked(const SparseMatrix& upper, const SparseMatrix& lower, const std::vector<std::int64_t>& row) {
    SparseMatrix matrix = upper;
    matrix.rows += static_cast<std::int64_t>(row.size());
    for (const std::int64_t i : row) {
      if (i >= 0) {
        const std::int64_t begin = lower.begin[static_cast<std::size_t>(i)], end = lower.begin[static_cast<std::size_t>(i) + 1];
        matrix.column.insert(matrix.column.end(), lower.column.begin() + begin, lower.column.begin() + end);
        matrix.value.insert(matrix.value.end(), lower.value.begin() + begin, lower.value.begin() + end);
      }
      matrix.begin.push_back(matrix.entries());
    }
    return matrix;
  }

  // Each row has a single 1, or nothing.
  std::vector<std::int64_t> labels_of(const SparseMatrix& classes) {
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < static_cast<std::size_t>(classes.rows); ++i) {
      const std::int64_t begin = classes.begin[i], count = classes.begin[i + 1] - begin;
      require(count <= 1, Fault::input,
              "[planetoid] expected one class per node, found {} of node {} ({}): sets of several classes per node are not read", count, i, part("ally").path);
      labels.push_back(count == 0 ? -1 : classes.column[static_cast<std::size_t>(begin)]);
    }
    return labels;
  }

  // A dictionary of the lists of neighbours.
  void read_graph(NodeDataset& data) {
    Part& file = part("graph");
    const Pickle pickle(std::move(file.bytes), file.path, context_);
    const PickleValue& graph = pickle.root();
    require(graph.kind == PickleKind::dictionary, Fault::input,
            "[planetoid] expected a dictionary of neighbours, found {} ({}): fetch the file again", name_of(graph.kind), file.path);
    const auto node = [&](const PickleValue& value) {
      require(value.kind == PickleKind::whole, Fault::input,
              "[planetoid] expected the number of a node, found {} ({}): fetch the file again", name_of(value.kind), file.path);
      require(value.whole >= 0 && value.whole < data.nodes(), Fault::input,
              "[planetoid] expected nodes from 0 to {}, found {} ({}): the files are of different sets", data.nodes() - 1,
              value.whole, file.path);
      return value.whole;
    };
    std::vector<NodeDataset::Pair> pairs;
    for (std::size_t k = 0; k + 1 < graph.items.size(); k += 2) {
      const std::int64_t from = node(*graph.items[k]);
      const PickleValue& neighbours = *graph.items[k + 1];
      require(neighbours.kind == PickleKind::list || neighbours.kind == PickleKind::tuple, Fault::input,
              "[planetoid] expected a list of neighbours of node {}, found {} ({}): fetch the file again",
              from, name_of(neighbours.kind), file.path);
      context_.memory.require((pairs.size() + neighbours.items.size()) * sizeof(NodeDataset::Pair), "planetoid", fmt::format("the edges of {}", file.path),
                              "use a smaller graph, or raise --max-memory");
      for (const PickleValue* const neighbour : neighbours.items) pairs.push_back({from, node(*neighbour)});
    }
    set_edges(data, std::move(pairs));
  }

  const Context& context_;
  std::vector<Part> parts_;
  std::string hashes_;
};

}  // namespace

NodeDataset read_planetoid(const fs::path& folder, const std::string& name, const LoadOptions& options, const Context& context) {
  check_options(node_set, options, false, (folder / ("ind." + name)).string());
  return Planetoid(folder, name, context).read();
}

}  // namespace calor::io
