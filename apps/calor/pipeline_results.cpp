#include "pipeline_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/io/number.h"
#include "calor/io/separated.h"
#include "calor/pipeline/data.h"
#include "calor/engine/evidence.h"

namespace calor::app {

using nlohmann::json;
namespace types = pipeline::types;

static std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : std::string(); }

static void add_numbers(Table& table, const engine::Matrix& values, const std::vector<std::string>& names) {
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

std::int64_t winner(const engine::Matrix& scores, std::int64_t row) {
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
  engine::Csr graph;
  if (state.type == types::graph) {
    graph = *state.graph;
  } else {
    require(!state.similarity.all_pairs(), Fault::usage,
            "[run] expected a pipeline that reads something out, found a similarity over all {} x {} pairs: end with eigen, apply, vote, ...",
            state.similarity.rows, state.similarity.columns);
    graph = engine::values_on_support(state.similarity, 1);
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
  const auto found = engine::evidence(state.similarity, labelled, most, context);
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

std::string as_text(const Table& table, char delimiter) {
  std::string text;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c) text += delimiter;
    text += io::separated_cell(table.columns[c], delimiter);
  }
  text += "\n";
  for (std::size_t i = 0; i < (table.cells.empty() ? 0 : table.cells[0].size()); ++i) {
    for (std::size_t c = 0; c < table.cells.size(); ++c) {
      if (c) text += delimiter;
      text += table.text[c] ? io::separated_cell(table.cells[c][i], delimiter) : table.cells[c][i];
    }
    text += "\n";
  }
  return text;
}

static std::string as_npy(const Table& table) {
  std::vector<std::size_t> numbers;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    if (!table.text[c]) numbers.push_back(c);
  require(!numbers.empty(), Fault::usage, "[output] expected numbers for a npy file, found texts alone ({}): write a csv", list_names(table.columns));
  std::vector<double> values;
  const std::size_t rows = table.cells.front().size();
  for (std::size_t i = 0; i < rows; ++i)
    for (const std::size_t c : numbers) values.push_back(io::parse_number(table.cells[c][i]).value_or(std::numeric_limits<double>::quiet_NaN()));
  return io::npy_file(values, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(numbers.size()));
}

static std::string suffix_of(const std::string& path) { return io::lower_case(std::filesystem::path(path).extension().string()); }

void check_format(const std::string& path) {
  const std::string suffix = suffix_of(path);
  require(suffix != ".parquet" && suffix != ".gz" && suffix != ".xlsx" && suffix != ".npz" && suffix != ".h5ad", Fault::usage,
          "[output] expected a .csv, .tsv or .npy file, found \"{}\": name it so", path);
}

std::string as_file(const Table& table, const std::string& path) {
  const std::string suffix = suffix_of(path);
  if (suffix == ".npy") return as_npy(table);
  return as_text(table, suffix == ".tsv" || suffix == ".tab" ? '\t' : ',');
}

void append_to_input(Table& table, const pipeline::Data& data) {
  require(data.features->cols() > 0 && !table.cells.empty() && static_cast<Eigen::Index>(table.cells.front().size()) == data.features->rows(), Fault::usage,
          "[output] expected one result for each row of the input with --append, found another number: leave it out");
  Table joined;
  const std::size_t names = !data.row_names.empty() && table.columns.front() == "name" ? 1 : 0;
  if (names) add_texts(joined, table.columns.front(), std::move(table.cells.front()));
  add_numbers(joined, *data.features, data.feature_names);
  for (std::size_t c = names; c < table.columns.size(); ++c) {
    std::string name = table.columns[c];
    while (std::find(joined.columns.begin(), joined.columns.end(), name) != joined.columns.end()) name += "_result";
    joined.columns.push_back(std::move(name));
    joined.cells.push_back(std::move(table.cells[c]));
    joined.text.push_back(table.text[c]);
  }
  table = std::move(joined);
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
