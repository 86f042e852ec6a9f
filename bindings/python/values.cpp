#include "values.h"

#include <fmt/format.h>

#include "calor/engine/points.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/evidence.h"

namespace calor::python {

static io::SparseMatrix sparse_from(PyObject* tuple) {
  PyObject *begin = nullptr, *column = nullptr, *value = nullptr;
  long long rows = 0, columns = 0;
  if (!PyArg_ParseTuple(tuple, "OOOLL", &begin, &column, &value, &rows, &columns)) throw Raised{};
  return {rows, columns, vector_from<std::int64_t>(begin), vector_from<std::int32_t>(column), vector_from<double>(value)};
}

Given given_from(PyObject* dict) {
  Given given;
  if (PyObject* dense = item(dict, "dense")) given.dense = matrix_from(dense);
  if (PyObject* sparse = item(dict, "sparse")) given.sparse = sparse_from(sparse);
  if (PyObject* distances = item(dict, "distances")) given.distances = matrix_from(distances);
  if (PyObject* similarities = item(dict, "similarities")) {
    if (PyTuple_Check(similarities)) given.sparse_similarities = sparse_from(similarities);
    else given.similarities = matrix_from(similarities);
  }
  given.feature_names = texts_from(item(dict, "feature_names"));
  given.row_names = texts_from(item(dict, "row_names"));
  given.classes = texts_from(item(dict, "classes"));
  if (PyObject* labels = item(dict, "labels")) given.labels = vector_from<std::int64_t>(labels);
  if (PyObject* targets = item(dict, "targets")) given.targets = vector_from<double>(targets);
  return given;
}

// Those that a file without names gets, so that the fit finds them there.
static std::vector<std::string> standard_names(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 1; i <= count; ++i) names.push_back(fmt::format("x{}", i));
  return names;
}

// New nodes by the weights of their edges to the fit's.
static pipeline::Data new_nodes(Given& given, const Context& context) {
  if (given.sparse_similarities) return pipeline::data_of(*std::move(given.sparse_similarities), {}, std::move(given.row_names));
  const auto edges = static_cast<std::uint64_t>((given.similarities->array() != 0).count());
  context.memory.require(12 * edges, "data", fmt::format("{} edges", edges), "give fewer rows or a sparse table, or raise --max-memory");
  return pipeline::data_of(engine::sparse_of(*given.similarities), {}, std::move(given.row_names));
}

static pipeline::Data points_of(Given& given, Use use, const Context& context) {
  if ((given.similarities || given.sparse_similarities) && use == Use::new_points) return new_nodes(given, context);
  if (given.similarities) return pipeline::data_of_similarities(*given.similarities, std::move(given.row_names), context);
  if (given.sparse_similarities) return pipeline::data_of_similarities(*given.sparse_similarities, std::move(given.row_names));
  if (given.distances && use == Use::fit) return pipeline::data_of_distances(*std::move(given.distances), std::move(given.row_names));
  pipeline::Data data;
  if (given.distances) {
    data.features = std::make_shared<const Matrix>(given.distances->rows(), 0);
    data.distances = std::make_shared<const Matrix>(*std::move(given.distances));
    data.row_names = std::move(given.row_names);
    return data;
  }
  const std::int64_t columns = given.sparse ? given.sparse->columns : given.dense->cols();
  std::vector<std::string> names = given.feature_names.empty() ? standard_names(columns) : std::move(given.feature_names);
  if (given.sparse) return pipeline::data_of(*std::move(given.sparse), std::move(names), std::move(given.row_names));
  data.features = std::make_shared<const Matrix>(*std::move(given.dense));
  data.feature_names = std::move(names);
  data.row_names = std::move(given.row_names);
  return data;
}

pipeline::Data data_of(Given given, Use use, const Context& context) {
  pipeline::Data data = points_of(given, use, context);
  if (!given.labels.empty()) pipeline::set_labels(data, std::move(given.labels), std::move(given.classes));
  if (!given.targets.empty()) data.targets = Eigen::Map<const Vector>(given.targets.data(), static_cast<Eigen::Index>(given.targets.size()));
  return data;
}

Result result_of(const Value& value, std::int64_t most, const Context& context) {
  Result result;
  result.state = std::visit([](const auto& held) { return std::make_shared<const pipeline::State>(held.state()); }, value);
  if (const auto* similarity = std::get_if<Similarity>(&value); similarity && !similarity->state().field) {
    if (similarity->record().all_pairs()) result.all_pairs = similarity->values();
    else result.edges = similarity->on_edges();
  }
  if (const auto* graph = std::get_if<Graph>(&value)) result.edges = graph->edges();
  if (most > 0) result.evidence = pipeline::evidence_of(*result.state, most, context);
  return result;
}

static void set_evidence(PyObject* dict, const std::vector<std::vector<engine::Evidence>>& found, std::int64_t most) {
  const auto rows = static_cast<std::int64_t>(found.size());
  std::vector<std::int64_t> index(static_cast<std::size_t>(rows * most), -1);
  std::vector<double> weight(index.size(), 0.0);
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t e = 0; e < found[i].size(); ++e) {
      index[i * static_cast<std::size_t>(most) + e] = found[i][e].row;
      weight[i * static_cast<std::size_t>(most) + e] = found[i][e].weight;
    }
  set(dict, "evidence_rows", array_of(index.data(), {rows, most}));
  set(dict, "evidence_weights", array_of(weight.data(), {rows, most}));
}

static void set_edges(PyObject* dict, const engine::Csr& edges) {
  const auto count = edges.edges();
  const std::vector<double> ones(edges.values.empty() ? static_cast<std::size_t>(count) : 0, 1.0);
  set(dict, "edges", Object(Py_BuildValue("(OOO(LL))", array_of(edges.begin.data(), {edges.rows + 1}).get(), array_of(edges.column.data(), {count}).get(),
                                          array_of(ones.empty() ? edges.values.data() : ones.data(), {count}).get(), static_cast<long long>(edges.rows),
                                          static_cast<long long>(edges.columns))));
}

static void set_decisions(PyObject* dict, const pipeline::State& state) {
  std::vector<std::int64_t> pairs;
  for (const auto& [one, other] : state.decision_pairs) pairs.insert(pairs.end(), {one, other});
  set(dict, "decisions", array_of(state.decisions));
  set(dict, "decision_pairs", array_of(pairs.data(), {state.decisions.cols(), 2}));
}

static Object figures_of(const pipeline::State& state) {
  Object figures(PyDict_New());
  for (const auto& [name, value] : state.figures) set(figures.get(), name.c_str(), Object(PyFloat_FromDouble(value)));
  return figures;
}

static Object series_of(const pipeline::State& state) {
  Object series(PyDict_New());
  for (const auto& [name, values] : state.series) set(series.get(), name.c_str(), array_of(values.data(), {static_cast<std::int64_t>(values.size())}));
  return series;
}

static Object notes_of(const std::vector<pipeline::Note>& notes) {
  Object list(PyList_New(0));
  for (const pipeline::Note& note : notes)
    if (PyList_Append(list.get(), Object(Py_BuildValue("(OO)", text_of(note.stage).get(), text_of(note.text).get())).get()) < 0) throw Raised{};
  return list;
}

Object dict_of(const Result& result, std::int64_t most) {
  namespace types = pipeline::types;
  const pipeline::State& state = *result.state;
  Object dict(PyDict_New());
  set(dict.get(), "gives", text_of(pipeline::type_names(state.type)));
  set(dict.get(), "figures", figures_of(state));
  set(dict.get(), "series", series_of(state));
  set(dict.get(), "notes", notes_of(state.notes));
  if (state.points) set(dict.get(), "points", array_of(*state.points));
  if (state.type == types::labels) {
    set(dict.get(), "labels", array_of(state.labels.data(), {static_cast<std::int64_t>(state.labels.size())}));
    if (state.scores.size()) set(dict.get(), "memberships", array_of(state.scores));
  }
  if (state.type == types::prediction) {
    set(dict.get(), "scores", array_of(state.scores));
    set(dict.get(), "of_classes", Object(PyBool_FromLong(state.class_scores)));
    if (state.decisions.size()) set_decisions(dict.get(), state);
  }
  if (state.spectrum.size()) set(dict.get(), "spectrum", array_of(state.spectrum));
  if (state.field && (state.type & types::any_similarity)) {
    set(dict.get(), "field", array_of(*state.field));
    set(dict.get(), "field_names", texts_of(state.field_names));
  }
  if (result.edges) set_edges(dict.get(), *result.edges);
  if (result.all_pairs) set(dict.get(), "all_pairs", array_of(*result.all_pairs));
  if (result.evidence) set_evidence(dict.get(), *result.evidence, most);
  return dict;
}

}  // namespace calor::python
