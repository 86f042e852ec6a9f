#include "pipeline_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/io/number.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/evidence.h"

namespace calor::app {

using nlohmann::json;
namespace types = pipeline::types;

static bool named_label(const io::Dataset& data) {
  const std::string name = io::lower_case(data.label);
  return name == "label" || name == "class" || name == "target" || name == "y";
}

static bool says_label(const io::Dataset& data) {
  if (named_label(data)) return true;
  const auto& sets = io::bundled_sets();
  if (std::any_of(sets.begin(), sets.end(), [&](const io::BundledSet& set) { return set.name == data.source; })) return true;
  if (data.rows > 2 && static_cast<std::int64_t>(data.classes.size()) == data.rows) return false;  // all different: names of the rows
  return std::any_of(data.classes.begin(), data.classes.end(), [](const std::string& text) { return !io::parse_number(text); });
}

static std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : std::string(); }

static Points with_classes(const io::Dataset& dataset) {
  Points points{pipeline::data_of(dataset), dataset.hash, dataset.labelled() ? dataset.label : "", {}};
  for (const std::int64_t label : dataset.labels) points.label_values.push_back(label < 0 ? "" : dataset.classes[label]);
  return points;
}

static Points with_target(const io::Dataset& dataset, const std::string& label) {
  Points points;
  points.hash = dataset.hash;
  points.data = pipeline::data_with_target(dataset, label, points.label);
  for (const double target : points.data.targets) points.label_values.push_back(number(target));
  return points;
}

// The first label that is no finite number; null where all are.
static const std::string* no_number(const io::Dataset& dataset) {
  for (const std::string& text : dataset.classes)
    if (const auto value = io::parse_number(text); !value || !std::isfinite(*value)) return &text;
  return nullptr;
}

// Labels that are numbers as measured values, which may be missing; nothing where one is no number.
static std::optional<Points> with_measured(const io::Dataset& dataset) {
  if (!dataset.labelled() || no_number(dataset)) return std::nullopt;
  Points points = with_classes(dataset);
  points.data.labels.clear();
  points.data.classes.clear();
  return points;
}

// A fit of measured values: rows without one are predicted from the others.
static Points load_measured(const std::string& source, const io::LoadOptions& labelled, const io::LoadOptions& unlabelled, const Context& context) {
  const std::string column = labelled.label.value_or("");
  // A table without names has its values in its last column, unless said otherwise.
  const auto numbers_alone = [&] { return with_target(io::load_dataset(source, unlabelled, context), column); };
  std::optional<io::Dataset> dataset;
  try {
    dataset = io::load_dataset(source, labelled, context);
  } catch (const Error& error) {
    if (error.fault() != Fault::input || source == "-") throw;  // standard input can be read once
  }
  if (!dataset || !dataset->labelled()) return numbers_alone();
  if (auto points = with_measured(*dataset)) return std::move(*points);
  fail(Fault::input,
       "[data] expected numbers to average in the column \"{}\", found \"{}\" ({}): name a numeric column with --label, or predict classes: "
       "end with vote instead of average, as knn-classifier does",
       dataset->label, *no_number(*dataset), source);
}

// Measured values in a column that is named as a label, some of which may be missing; nothing without.
static std::optional<Points> named_values(const std::string& source, io::LoadOptions labelled, const Context& context) {
  labelled.measured = true;
  try {
    const io::Dataset dataset = io::load_dataset(source, labelled, context);
    return named_label(dataset) ? with_measured(dataset) : std::nullopt;
  } catch (const Error& error) {
    if (error.fault() != Fault::input) throw;
    return std::nullopt;
  }
}

Points load_points(const std::string& source, const std::string& label, bool measured, const Context& context) {
  io::LoadOptions labelled, unlabelled;
  unlabelled.labelled = false;
  labelled.partly_labelled = true;
  if (!label.empty()) labelled.label = label;
  labelled.measured = measured;
  if (measured) return load_measured(source, labelled, unlabelled, context);
  if (!label.empty()) return with_classes(io::load_dataset(source, labelled, context));
  if (source == "-") return with_classes(io::load_dataset(source, unlabelled, context));  // standard input can be read once
  try {
    const io::Dataset dataset = io::load_dataset(source, labelled, context);
    if (!dataset.labelled() || says_label(dataset)) return with_classes(dataset);
  } catch (const Error& error) {
    if (error.fault() != Fault::input) throw;  // a last column that cannot be labels is a feature
  }
  if (auto points = named_values(source, labelled, context)) return std::move(*points);
  const io::Dataset dataset = io::load_dataset(source, unlabelled, context);
  return pipeline::has_label_name(dataset) ? with_target(dataset, "") : with_classes(dataset);
}

Points load_new_points(const std::string& source, const std::string& label, const pipeline::SavedFit& saved, const Context& context) {
  const pipeline::Data& fitted = *saved.fit.data;
  const std::string& column = label.empty() ? saved.label : label;
  const bool measured = fitted.classes.empty() && fitted.targets.size() > 0;
  io::LoadOptions options;
  options.features = fitted.feature_names;
  options.partly_labelled = true;
  options.measured = measured;
  if (!column.empty()) options.label = column;
  if (measured && source != "-") {  // standard input can be read once
    try {
      if (auto points = with_measured(io::load_dataset(source, options, context))) return std::move(*points);
    } catch (const Error& error) {
      if (error.fault() != Fault::input) throw;  // no such column, or no value in it: the points have no known values
    }
  }
  // Only a prediction is of the fit's classes: elsewhere labels are to look at, and may be others.
  if (saved.fit.stages.back().gives == types::prediction) options.classes = fitted.classes;
  options.labelled = !fitted.classes.empty() || (!label.empty() && !measured);
  return with_classes(io::load_dataset(source, options, context));
}

static void add_numbers(Table& table, const pipeline::Matrix& values, const std::vector<std::string>& names) {
  for (Eigen::Index c = 0; c < values.cols(); ++c) {
    table.columns.push_back(names[c]);
    table.text.push_back(false);
    auto& cells = table.cells.emplace_back();
    for (Eigen::Index i = 0; i < values.rows(); ++i) cells.push_back(number(values(i, c)));
  }
}

static void add_texts(Table& table, const std::string& name, std::vector<std::string> cells) {
  table.columns.push_back(name);
  table.text.push_back(true);
  table.cells.push_back(std::move(cells));
}

static std::vector<std::string> numbered(const char* prefix, Eigen::Index count) {
  std::vector<std::string> names;
  for (Eigen::Index c = 0; c < count; ++c) names.push_back(fmt::format("{}{}", prefix, c + 1));
  return names;
}

std::int64_t winner(const pipeline::Matrix& scores, std::int64_t row) {
  Eigen::Index best = 0;
  return scores.cols() > 0 && scores.row(row).maxCoeff(&best) > 0 ? best : -1;
}

static void add_prediction(Table& table, const pipeline::State& state) {
  if (state.class_scores) {
    std::vector<std::string> winners, names;
    for (Eigen::Index i = 0; i < state.scores.rows(); ++i) {
      const std::int64_t best = winner(state.scores, i);
      winners.push_back(best < 0 ? "" : state.data->classes[best]);
    }
    add_texts(table, "prediction", std::move(winners));
    for (const std::string& name : state.data->classes) names.push_back(fmt::format("p_{}", name));
    return add_numbers(table, state.scores, names);
  }
  add_numbers(table, state.scores, {"value"});
}

// Edges as rows: the names (or numbers from 1) of both ends, and the value.
static Table edges_of(const pipeline::State& state, const std::vector<std::string>& row_names) {
  pipeline::Csr graph;
  if (state.type == types::graph) {
    graph = *state.graph;
  } else {
    require(!state.similarity.all_pairs(), Fault::usage,
            "[run] expected a pipeline that reads something out, found a similarity over all {} x {} pairs: end with eigen, apply, vote, ...",
            state.similarity.rows, state.similarity.columns);
    graph = pipeline::values_on_support(state.similarity, 1);
  }
  Table table{{"from", "to"}, {{}, {}}, {true, true}};
  if (!graph.values.empty()) {
    table.columns.push_back("value");
    table.cells.emplace_back();
    table.text.push_back(false);
  }
  const auto name = [&](std::int64_t i) { return row_names.empty() ? std::to_string(i + 1) : row_names[i]; };
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) {
      table.cells[0].push_back(name(i));
      table.cells[1].push_back(name(graph.column[e]));
      if (!graph.values.empty()) table.cells[2].push_back(number(graph.values[e]));
    }
  return table;
}

Table table_of(const pipeline::State& state, const std::vector<std::string>& row_names, const std::string& label,
               const std::vector<std::string>& label_values) {
  if ((state.type & (types::graph | types::any_similarity)) && !state.field) return edges_of(state, row_names);
  Table table;
  if (!row_names.empty()) add_texts(table, "name", row_names);
  if (state.type & (types::graph | types::any_similarity)) {
    add_numbers(table, *state.field, state.field_names);
  } else if (state.type == types::labels) {
    std::vector<std::string> cells;
    for (const std::int64_t cluster : state.labels) cells.push_back(cluster < 0 ? "" : std::to_string(cluster));
    add_texts(table, "cluster", std::move(cells));
    table.text.back() = false;
  } else if (state.type == types::prediction) {
    add_prediction(table, state);
  } else {
    const bool named = state.type == types::points && state.points->cols() == static_cast<Eigen::Index>(state.data->feature_names.size());
    add_numbers(table, *state.points, named ? state.data->feature_names : numbered("dim", state.points->cols()));
  }
  if (!label_values.empty() && !table.cells.empty() && label_values.size() == table.cells[0].size()) add_texts(table, label, label_values);
  return table;
}

void add_evidence(Table& table, const pipeline::State& state, std::int64_t most, const Context& context) {
  require(state.type == types::prediction && !state.field, Fault::usage,
          "[evidence] expected a prediction that weighs labelled rows, found {}: end with vote or average, without a flow before it",
          state.type == types::prediction ? "one of labels that flowed over a graph" : pipeline::type_names(state.type));
  const pipeline::Data& data = *state.data;
  std::vector<std::uint8_t> labelled(static_cast<std::size_t>(data.rows()));
  for (std::int64_t i = 0; i < data.rows(); ++i) labelled[static_cast<std::size_t>(i)] = data.labelled(i);
  const auto found = pipeline::evidence(state.similarity, labelled, most, context);
  for (std::size_t k = 0; k < static_cast<std::size_t>(most); ++k) {
    std::vector<std::string> rows, labels, weights;
    for (const auto& row : found) {
      const bool has = k < row.size();
      const std::int64_t i = has ? row[k].row : 0;
      rows.push_back(!has ? "" : data.row_names.empty() ? std::to_string(i + 1) : data.row_names[static_cast<std::size_t>(i)]);
      labels.push_back(!has ? "" : state.class_scores ? data.classes[static_cast<std::size_t>(data.labels[static_cast<std::size_t>(i)])] : number(data.targets[i]));
      weights.push_back(!has ? "" : number(row[k].weight));
    }
    const std::string name = fmt::format("evidence{}", k + 1);
    add_texts(table, name, std::move(rows));
    table.text.back() = !data.row_names.empty();
    add_texts(table, name + "_label", std::move(labels));
    table.text.back() = state.class_scores;
    add_texts(table, name + "_weight", std::move(weights));
    table.text.back() = false;
  }
}

// A csv cell: quoted where it holds a comma, a quote or a line break.
static std::string cell(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted(1, '"');
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  quoted += '"';
  return quoted;
}

std::string as_csv(const Table& table) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c) text += fmt::format("{}{}", c ? "," : "", cell(table.columns[c]));
  text += "\n";
  for (std::size_t i = 0; i < (table.cells.empty() ? 0 : table.cells[0].size()); ++i) {
    for (std::size_t c = 0; c < table.cells.size(); ++c) {
      if (c) text += ",";
      text += table.text[c] ? cell(table.cells[c][i]) : table.cells[c][i];
    }
    text += "\n";
  }
  return text;
}

json as_json(const Table& table) {
  json columns = json::object();
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    json values = json::array();
    for (const std::string& text : table.cells[c]) {
      if (table.text[c]) values.push_back(text);
      else if (const auto parsed = text.empty() ? std::nullopt : io::parse_number(text)) values.push_back(*parsed);
      else values.push_back(nullptr);
    }
    columns[table.columns[c]] = std::move(values);
  }
  return {{"order", table.columns}, {"values", std::move(columns)}};
}

}  // namespace calor::app
