// The npz of Shchur, Mumme, Bojchevski and Günnemann 2018 (github.com/shchur/gnn-benchmark): csr matrices adj_* and attr_*, labels, and perhaps names.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/array.h"
#include "calor/io/file_options.h"
#include "calor/io/labels.h"
#include "calor/io/node_formats.h"
#include "calor/io/npy.h"
#include "calor/io/pickle.h"
#include "calor/io/scipy_sparse.h"
#include "calor/io/sparse_assembly.h"

namespace calor::io {
namespace {

const ZipEntry* find_entry(const std::vector<ZipEntry>& entries, std::string_view name) {
  const auto found = std::ranges::find_if(entries, [&](const ZipEntry& entry) { return entry.name == fmt::format("{}.npy", name); });
  return found == entries.end() ? nullptr : &*found;
}

class Archive {
 public:
  Archive(std::string_view bytes, const std::string& place, const Context& context)
      : bytes_(bytes), entries_(zip_entries(bytes, place)), place_(place), context_(context) {}

  NodeDataset read() const {
    NodeDataset data;
    data.reading.format = "graph npz";
    const SparseMatrix graph = parse_prefixed_csr(bytes_, "adj_", place_, context_);
    require(graph.rows == graph.columns, Fault::input,
            "[npz] expected a square matrix as adj, found {} x {} ({}): give rows and columns the same nodes", graph.rows, graph.columns, place_);
    data.features = features();
    require(data.nodes() == graph.rows, Fault::input,
            "[npz] expected features of the {} nodes, found {} rows ({}): write the file again", graph.rows, data.nodes(), place_);
    data.node_names = names("node_names", data.nodes());
    data.feature_names = names("attr_names", data.features.columns);
    set_classes(data);
    std::vector<NodeDataset::Pair> pairs;
    for (std::int64_t i = 0; i < graph.rows; ++i)
      for (auto e = static_cast<std::size_t>(graph.begin[static_cast<std::size_t>(i)]); e < static_cast<std::size_t>(graph.begin[static_cast<std::size_t>(i) + 1]); ++e)
        pairs.push_back({i, graph.column[e]});
    set_edges(data, std::move(pairs));
    return data;
  }

 private:
  std::string where(std::string_view name) const { return fmt::format("{}, array \"{}\"", place_, name); }

  SparseMatrix features() const {
    if (find_entry(entries_, "attr_data")) return parse_prefixed_csr(bytes_, "attr_", place_, context_);
    const ZipEntry* entry = find_entry(entries_, "attr_matrix");
    require(entry, Fault::input,
            "[npz] expected features in attr_data, attr_indices, attr_indptr and attr_shape, or in attr_matrix, found neither ({}): add them", place_);
    const std::string content = zip_content(bytes_, *entry, place_, context_);
    const Array array = parse_npy(content, where("attr_matrix"));
    require(array.shape.size() == 2, Fault::input,
            "[npz] expected a matrix, found shape ({}) ({}): save one row per node", fmt::join(array.shape, ", "), where("attr_matrix"));
    check_sparse_size(array.shape[0], array.shape[1], static_cast<std::uint64_t>(array.rows() * array.columns()), 0, "npz", where("attr_matrix"), context_);
    return sparse_of(array_values(array, where("attr_matrix"), context_), array.rows(), array.columns());
  }

  // A list of texts, of a fixed size or Python's own; empty where the archive has none.
  std::vector<std::string> texts(std::string_view name) const {
    const ZipEntry* entry = find_entry(entries_, name);
    if (!entry) return {};
    const std::string content = zip_content(bytes_, *entry, place_, context_);
    std::vector<std::string> found;
    if (const std::string_view objects = npy_objects(content, where(name)); !objects.empty()) {
      const Pickle pickle(std::string(objects), where(name), context_);
      const PickleValue& root = pickle.root();
      require(root.kind == PickleKind::array && !root.array && !root.items.empty(), Fault::input,
              "[npz] expected an array of texts, found {} ({}): save them with astype(str)",
              name_of(root.kind), where(name));
      for (const PickleValue* const value : root.items[0]->items) {
        const bool number = value->kind == PickleKind::whole;
        require(number || value->kind == PickleKind::text || value->kind == PickleKind::bytes, Fault::input,
                "[npz] expected texts, found {} ({}): save them with astype(str)",
                name_of(value->kind), where(name));
        found.push_back(number ? std::to_string(value->whole) : std::string(value->text));
      }
      return found;
    }
    const Array array = parse_npy(content, where(name));
    const LabelTexts all = array_labels(array, 0);
    require(array.columns() == 1, Fault::input,
            "[npz] expected a list, found shape ({}) ({}): save one value each", fmt::join(array.shape, ", "), where(name));
    for (const std::int64_t id : all.ids()) found.push_back(all.texts()[static_cast<std::size_t>(id)]);
    return found;
  }

  std::vector<std::string> names(std::string_view name, std::int64_t count) const {
    std::vector<std::string> found = texts(name);
    require(found.empty() || static_cast<std::int64_t>(found.size()) == count, Fault::input,
            "[npz] expected {} names, found {} ({}): write the file again", count, found.size(), where(name));
    return found;
  }

  // Numbers from 0 that index class_names, or classes of their own; below 0 there is no label.
  void set_classes(NodeDataset& data) const {
    data.labels.assign(static_cast<std::size_t>(data.nodes()), -1);
    const std::vector<std::string> found = texts("labels"), class_names = texts("class_names");
    require(!find_entry(entries_, "labels_data"), Fault::input,
            "[npz] expected one class per node in an array labels, found a matrix ({}): save labels.argmax(1)", place_);
    if (found.empty()) return;
    LabelTexts labels("row");
    for (std::size_t i = 0; i < found.size(); ++i) labels.add(found[i].starts_with('-') ? "" : found[i], static_cast<std::int64_t>(i) + 1);
    Dataset dataset;
    dataset.rows = data.nodes();
    dataset.label = "labels";
    LoadOptions options;
    options.partly_labelled = true;
    const auto numbers = static_cast<std::int64_t>(class_names.size());
    for (std::int64_t c = 0; c < numbers; ++c) options.classes.push_back(std::to_string(c));
    set_labels(dataset, labels, options, where("labels"));
    data.labels = std::move(dataset.labels);
    data.classes = class_names.empty() ? std::move(dataset.classes) : class_names;
    data.reading.notes = std::move(dataset.reading.notes);
    data.reading.label = "labels";
  }

  std::string_view bytes_;
  std::vector<ZipEntry> entries_;
  const std::string& place_;
  const Context& context_;
};

}  // namespace

bool is_graph_archive(const std::vector<ZipEntry>& entries) { return find_entry(entries, "adj_data") && find_entry(entries, "adj_indptr"); }

NodeDataset read_graph_archive(std::string_view zip_bytes, const std::string& place, const LoadOptions& options, const Context& context) {
  check_options(node_set, options, false, place);
  return Archive(zip_bytes, place, context).read();
}

}  // namespace calor::io
