#include "calor/pipeline/load.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/greatest_edges.h"
#include "calor/io/mesh.h"
#include "calor/io/number.h"
#include "calor/io/sparse_assembly.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/forms.h"
#include "calor/pipeline/wants.h"

namespace calor::pipeline {
namespace {

Loaded with_classes(const io::Dataset& dataset) {
  Loaded loaded;
  loaded.data = data_of(dataset);
  loaded.hash = dataset.hash;
  loaded.label = dataset.label;
  for (const std::int64_t label : dataset.labels) loaded.label_values.push_back(label < 0 ? "" : dataset.classes[static_cast<std::size_t>(label)]);
  loaded.reading = io::full_reading(dataset);
  loaded.read = io::reading_line(dataset);
  loaded.coding = dataset.coding;
  return loaded;
}

// The first label that is no finite number; null where all are.
const std::string* no_number(const io::Dataset& dataset) {
  for (const std::string& text : dataset.classes)
    if (const auto value = io::parse_number(text); !value || !std::isfinite(*value)) return &text;
  return nullptr;
}

// x1, x2, x3 or 0, 1, 2: names that count.
bool count_up(const std::vector<std::string>& names) {
  if (names.empty()) return false;
  const std::size_t digits = std::min(names[0].find_last_not_of("0123456789") + 1, names[0].size());
  const auto first = io::parse_number(std::string_view(names[0]).substr(digits));
  if (!first) return false;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] != fmt::format("{}{}", names[0].substr(0, digits), static_cast<std::int64_t>(*first) + static_cast<std::int64_t>(i))) return false;
  return true;
}

bool same_names(std::vector<std::string> one, std::vector<std::string> other) {
  std::ranges::sort(one);
  std::ranges::sort(other);
  return one == other;
}

// Whether the columns of a square table stand for its rows in their order, as far as names tell.
bool in_order_of_rows(const std::vector<std::string>& rows, const std::vector<std::string>& columns) {
  if (rows.empty() || columns.empty() || rows == columns) return true;
  return (count_up(rows) || count_up(columns)) && !same_names(rows, columns);
}

// Puts the columns in the order of these rows, by their names.
void sort_columns(io::Dataset& table, const std::vector<std::string>& rows, const std::string& source) {
  if (in_order_of_rows(rows, table.features)) return;
  std::map<std::string_view, std::int64_t> place;
  for (std::size_t c = 0; c < table.features.size(); ++c) place.emplace(table.features[c], static_cast<std::int64_t>(c));
  std::vector<std::int64_t> order;
  for (const std::string& name : rows) {
    const auto found = place.find(name);
    require(found != place.end(), Fault::input, "[data] expected the same names for rows and columns, found the row \"{}\" without a column of that name, or with one twice ({}): rename them, or "
                                                "leave out the names of one", name, source);
    order.push_back(found->second);
    place.erase(found);
  }
  if (table.sparse) table.sparse = std::make_shared<const io::SparseMatrix>(io::columns_of(*table.sparse, order));
  std::vector<double> row(order.size());
  for (std::int64_t i = 0; i < table.rows && !table.sparse; ++i) {
    double* values = table.values.data() + i * table.columns;
    for (std::size_t c = 0; c < order.size(); ++c) row[c] = values[order[c]];
    std::ranges::copy(row, values);
  }
  table.features = rows;
  table.reading.notes.push_back("the columns are put in the order of the rows, by their names");
}

// Labels that are numbers as measured values, which may be missing.
Loaded with_measured(const io::Dataset& dataset) {
  Loaded loaded = with_classes(dataset);
  loaded.data.labels.clear();
  loaded.data.classes.clear();
  return loaded;
}

// A table that is evidently one of distances is taken for it where the pipeline can read that, and else asked about.
Loaded taken_for_distances(Loaded&& loaded, const std::vector<BoundStage>& stages, const std::string& source) {
  const Matrix& table = *loaded.data.features;
  const bool weights = (table.array() == 0 || table.array() == table.maxCoeff()).all();  // a graph without weights looks like this too
  require(!weights && without_form(stages, Form::distances) == nullptr, Fault::input,
          "[data] expected points, found a square symmetric table with zeros on its diagonal ({}): say what it is with --as points, distances or similarities", source);
  return as_distances(std::move(loaded));
}

// What a person gave, and what is added for such labels.
io::LoadOptions for_labels(io::LoadOptions options, Labels labels) {
  options.labels = labels == Labels::shown ? io::LabelUse::shown : io::LabelUse::expected;
  options.partly_labelled = true;
  options.measured = labels == Labels::values;
  options.sparse = true;
  return options;
}

Labels labels_for(Wants wants) { return wants == Wants::values ? Labels::values : wants == Wants::nothing ? Labels::shown : Labels::classes; }

}  // namespace

Loaded load_points(const std::string& source, io::LoadOptions options, Labels labels, const Context& context) {
  io::Dataset dataset = io::load_dataset(source, for_labels(std::move(options), labels), context);
  const io::Filling filling = io::settle_missing(dataset, context);
  Loaded loaded = labels == Labels::values ? with_measured(dataset) : with_classes(dataset);
  loaded.filling = filling;
  return loaded;
}

Loaded load_pairs(const std::string& source, io::LoadOptions options, As as, const Context& context) {
  const bool distances = as == As::distances;
  if (io::is_list_of_pairs(source, options.text, context)) {
    const io::EdgeList pairs = io::load_edge_list(source, options, context);
    Loaded loaded;
    loaded.data = distances ? data_of_distances(pairs, context) : data_of(pairs);
    loaded.hash = pairs.hash;
    loaded.reading = pairs.reading;
    loaded.read = io::reading_line(pairs) + (distances ? ", as distances" : ", as similarities");
    return loaded;
  }
  require(options.missing == io::Missing::refuse, Fault::input, "[data] expected no --missing for --as {}, found it ({}): leave it out; a pair that is not known has an empty cell",
          distances ? "distances" : "similarities", source);
  options.labels = io::LabelUse::shown;
  options.partly_labelled = true;
  options.sparse = !distances;
  options.missing = io::Missing::drop;  // kept here: what is not known of a pair is no row to drop
  io::Dataset dataset = io::load_dataset(source, options, context);
  const bool condensed = distances && (dataset.columns == 1) != (dataset.rows == 1);
  require(!condensed || io::data_part(source) == source, Fault::input,
          "[data] expected a square table beside a file of labels, found a condensed vector ({}): write it with scipy.spatial.distance.squareform", source);
  require(condensed || dataset.rows == dataset.columns, Fault::input,
          "[data] expected a square table for --as {}, found {} rows and {} columns ({}): give every row its distance to every other, a condensed vector, or a list of pairs",
          distances ? "distances" : "similarities", dataset.rows, dataset.columns, source);
  if (!condensed) sort_columns(dataset, dataset.row_names, source);
  Loaded loaded;
  std::vector<std::string> names = dataset.row_names;
  if (names.empty() && dataset.reading.header.value_or(false) && !condensed) names = dataset.features;
  const auto table = [&] { return Matrix(Eigen::Map<const Matrix>(dataset.values.data(), dataset.rows, dataset.columns)); };
  if (condensed) loaded.data = data_of_distances(dataset.values, {}, context);
  else if (distances) loaded.data = data_of_distances(table(), std::move(names));
  else if (dataset.sparse) loaded.data = data_of_similarities(*dataset.sparse, std::move(names));
  else loaded.data = data_of_similarities(table(), std::move(names), context);
  loaded.hash = dataset.hash;
  loaded.reading = io::full_reading(dataset);
  loaded.read = io::reading_line(dataset) + (distances ? ", as distances" : ", as similarities");
  if (!dataset.labelled() || condensed) return loaded;
  loaded.label = dataset.label;
  for (const std::int64_t label : dataset.labels) loaded.label_values.push_back(label < 0 ? "" : dataset.classes[static_cast<std::size_t>(label)]);
  set_labels(loaded.data, dataset.labels, dataset.classes);
  return loaded;
}

bool looks_like_distances(const Data& data) {
  const Matrix& table = *data.features;
  constexpr Eigen::Index fewest = 3;
  if (data.sparse || table.rows() != table.cols() || table.rows() < fewest || !in_order_of_rows(data.row_names, data.feature_names)) return false;
  const double largest = table.maxCoeff(), rounding = 1e-6 * largest;
  return largest > 0 && table.minCoeff() >= 0 && table.diagonal().maxCoeff() <= rounding && (table - table.transpose()).cwiseAbs().maxCoeff() <= rounding;
}

Loaded as_distances(Loaded&& loaded) {
  Data data = data_of_distances(*loaded.data.features, loaded.data.row_names.empty() && loaded.reading.header.value_or(false) ? loaded.data.feature_names : loaded.data.row_names);
  set_labels(data, loaded.data.labels, loaded.data.classes);
  loaded.data = std::move(data);
  loaded.coding = {};
  loaded.filling = {};
  loaded.reading.notes.push_back("the table is square and symmetric with zeros on its diagonal, and is taken for distances: --as points if its rows are points");
  return std::move(loaded);
}

Loaded load_surface(const std::string& source, const Context& context) {
  const auto mesh = std::make_shared<const io::Mesh>(io::load_mesh(source, context));
  Loaded loaded;
  loaded.data = data_of(mesh);
  loaded.hash = mesh->hash;
  loaded.reading.format = mesh->format;
  loaded.reading.rows = mesh->nodes();
  loaded.reading.features = 3;
  loaded.read = io::reading_line(*mesh);
  loaded.coding = io::numbers_named(loaded.data.feature_names);
  return loaded;
}

Loaded load_graph(const std::string& source, const io::LoadOptions& options, const Context& context) {
  const io::EdgeList edges = io::load_edge_list(source, options, context);
  Loaded loaded;
  loaded.data = data_of(edges);
  loaded.hash = edges.hash;
  loaded.reading = edges.reading;
  loaded.read = io::reading_line(edges);
  return loaded;
}

// The distances of new rows to the rows of a fit.
static Loaded load_new_distances(const std::string& source, io::LoadOptions options, const Data& fitted, const Context& context) {
  options.labels = io::LabelUse::none;
  io::Dataset dataset = io::load_dataset(source, options, context);
  require(dataset.columns == fitted.rows(), Fault::input, "[apply] expected the distances to the {} rows of the fit, one column each in their order, found {} columns ({})", fitted.rows(),
          dataset.columns, source);
  sort_columns(dataset, fitted.row_names, source);
  Loaded loaded = with_classes(dataset);
  loaded.data.distances = loaded.data.features;
  loaded.data.features = std::make_shared<const Matrix>(dataset.rows, 0);
  loaded.read += ", as distances to the fit's rows";
  return loaded;
}

// Nodes that the fit has not, by their edges to those that it has; of several between two nodes the greatest weight counts.
static Loaded load_new_nodes(const std::string& source, const io::LoadOptions& options, const Data& fitted, const Context& context) {
  const io::EdgeList list = io::load_edge_list(source, options, context);
  std::map<std::string, std::int64_t> known;
  for (std::int64_t i = 0; i < fitted.rows(); ++i) known.emplace(fitted.row_names.empty() ? std::to_string(i + 1) : fitted.row_names[i], i);
  std::vector<std::int64_t> place(list.nodes.size());  // among the fit's nodes, or -1 less the number among the new ones
  Loaded loaded;
  for (std::size_t node = 0; node < list.nodes.size(); ++node) {
    const auto found = known.find(list.nodes[node]);
    place[node] = found != known.end() ? found->second : -1 - static_cast<std::int64_t>(loaded.data.row_names.size());
    if (found == known.end()) loaded.data.row_names.push_back(list.nodes[node]);
  }
  const auto count = static_cast<std::int64_t>(loaded.data.row_names.size());
  require(count > 0, Fault::input, "[apply] expected nodes that the fit has not, with edges to its {}, found none ({}): the fit has the clusters of its own nodes", fitted.rows(), source);
  std::vector<Edge> edges;
  std::int64_t among_new = 0, among_old = 0;
  for (const io::NamedEdge& edge : list.edges) {
    const std::int64_t from = place[static_cast<std::size_t>(edge.from)], to = place[static_cast<std::size_t>(edge.to)];
    if (from < 0 && to < 0) ++among_new;
    else if (from >= 0 && to >= 0) ++among_old;
    else edges.push_back({-1 - std::min(from, to), std::max(from, to), edge.weight});
  }
  Csr rows = greatest_edges(count, fitted.rows(), std::move(edges));
  loaded.data.sparse = std::make_shared<const io::SparseMatrix>(io::SparseMatrix{count, fitted.rows(), std::move(rows.begin), std::move(rows.column), std::move(rows.values)});
  loaded.data.features = std::make_shared<const Matrix>(count, 0);
  loaded.hash = list.hash;
  loaded.reading = list.reading;
  loaded.read = fmt::format("{}, {} of them new", io::reading_line(list), counted(count, "node"));
  if (among_new > 0) loaded.reading.notes.push_back(fmt::format("{} among new nodes do not count: each is placed by itself", counted(among_new, "edge")));
  if (among_old > 0) loaded.reading.notes.push_back(fmt::format("{} among the fit's nodes do not count: the fit stays as it is", counted(among_old, "edge")));
  return loaded;
}

Loaded load_for(const std::vector<BoundStage>& stages, const std::string& source, const io::LoadOptions& options, As as, const Context& context) {
  const Wants wants = wants_of(stages);
  if (wants == Wants::mesh || (as == As::automatic && wants == Wants::nothing && io::is_mesh_file(source))) return load_surface(source, context);
  if (wants == Wants::graph && as != As::similarities) return load_graph(source, options, context);
  if (as == As::distances || as == As::similarities) {
    Loaded loaded = load_pairs(source, options, as, context);
    if (wants == Wants::values) {
      loaded.data.labels.clear();
      loaded.data.classes.clear();
    }
    return loaded;
  }
  Loaded loaded = load_points(source, options, labels_for(wants), context);
  return as == As::automatic && looks_like_distances(loaded.data) ? taken_for_distances(std::move(loaded), stages, source) : loaded;
}

std::optional<LoadedPart> load_part_for(const std::vector<BoundStage>& stages, const std::string& source, io::LoadOptions options, const io::PartReaders& readers, std::string& why,
                                        const Context& context) {
  const Wants wants = wants_of(stages);
  const bool bundled = std::ranges::any_of(io::bundled_sets(), [&](const io::BundledSet& set) { return set.name == source; });
  if (wants == Wants::mesh || wants == Wants::graph || bundled || io::data_part(source) != source || (wants == Wants::nothing && io::is_mesh_file(source))) return {};
  const Labels labels = labels_for(wants);
  std::optional<io::PartOfText> part = io::load_part(source, for_labels(std::move(options), labels), readers, why, context);
  if (!part || part->data.rows == part->data.columns) return {};
  return LoadedPart{labels == Labels::values ? with_measured(part->data) : with_classes(part->data), std::move(part->values)};
}

Loaded load_new_points(const std::string& source, io::LoadOptions options, const SavedFit& saved, const Context& context) {
  const Data& fitted = *saved.fit.data;
  if (fitted.distances) return load_new_distances(source, std::move(options), fitted, context);
  if (fitted.graph && fitted.columns() == 0) return load_new_nodes(source, options, fitted, context);
  const bool measured = fitted.classes.empty() && fitted.targets.size() > 0;
  const bool asked = options.label.has_value();
  options.label_must_exist = asked;
  if (!asked && !saved.label.empty()) options.label = saved.label;
  options.coding = saved.coding.columns.empty() ? io::numbers_named(fitted.feature_names) : saved.coding;
  options.missing = saved.filling.how;
  options.sparse = true;
  options.partly_labelled = true;
  options.measured = measured;
  // Only a prediction is of the fit's classes: elsewhere labels are to look at, and may be others.
  if (saved.fit.stages.back().gives == types::prediction) options.classes = fitted.classes;
  if (fitted.classes.empty() && !measured && !asked) options.labels = io::LabelUse::none;
  io::Dataset dataset = io::load_dataset(source, options, context);
  if (measured && no_number(dataset)) {
    require(!asked, Fault::input, "[data] expected numbers in the column \"{}\", found \"{}\" ({}): name a numeric column with --label, or none", dataset.label,
            *no_number(dataset), source);
    dataset.reading.notes.push_back(fmt::format("the label \"{}\" holds texts, not the values of the fit: it is left out", dataset.label));
    dataset.labels.clear();
    dataset.classes.clear();
    dataset.label.clear();
  }
  const Matrix& points = *fitted.features;
  io::fill_new(dataset, saved.filling, context,
               saved.filling.how == io::Missing::neighbours ? std::span<const double>(points.data(), static_cast<std::size_t>(points.size())) : std::span<const double>());
  return measured ? with_measured(dataset) : with_classes(dataset);
}

}  // namespace calor::pipeline
