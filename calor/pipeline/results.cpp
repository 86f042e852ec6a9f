#include "calor/pipeline/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/data.h"
#include "calor/pipeline/evidence.h"

namespace calor::pipeline {

static std::vector<std::string> numbered(const char* prefix, Eigen::Index count) {
  std::vector<std::string> names;
  for (Eigen::Index c = 0; c < count; ++c) names.push_back(fmt::format("{}{}", prefix, c + 1));
  return names;
}

// As clusters are.
static std::vector<std::string> numbered_from_0(const char* prefix, Eigen::Index count) {
  std::vector<std::string> names;
  for (Eigen::Index c = 0; c < count; ++c) names.push_back(fmt::format("{}{}", prefix, c));
  return names;
}

std::int64_t winner(const Matrix& scores, std::int64_t row) {
  Eigen::Index best = 0;
  return scores.cols() > 0 && scores.row(row).maxCoeff(&best) > 0 ? best : -1;
}

static std::vector<std::string> decision_names(const State& state) {
  std::vector<std::string> names;
  for (const auto& [one, other] : state.decision_pairs)
    names.push_back(fmt::format("decision_{}_{}", state.data->classes[static_cast<std::size_t>(one)], state.data->classes[static_cast<std::size_t>(other)]));
  return names;
}

static void add_prediction(Table& table, const State& state) {
  if (state.class_scores) {
    std::vector<std::string> winners, names;
    for (Eigen::Index i = 0; i < state.scores.rows(); ++i) {
      const std::int64_t best = winner(state.scores, i);
      winners.push_back(best < 0 ? "" : state.data->classes[best]);
    }
    add_texts(table, "prediction", std::move(winners));
    for (const std::string& name : state.data->classes) names.push_back(fmt::format("p_{}", name));
    add_numbers(table, state.scores, names);
    if (state.decisions.rows() == state.scores.rows()) add_numbers(table, state.decisions, decision_names(state));
    return;
  }
  add_numbers(table, state.scores, {"value"});
}

// Edges as rows: the names (or numbers from 1) of both ends, and the value.
static Table edges_of(const State& state, const std::vector<std::string>& row_names) {
  Csr graph;
  if (state.type == types::graph) {
    graph = *state.graph;
  } else {
    require(!state.similarity.all_pairs(), Fault::usage,
            "[run] expected a pipeline that ends in a result, found a similarity over all {} x {} pairs: end with eigen, apply, vote, ...",
            state.similarity.rows, state.similarity.columns);
    graph = engine::values_on_support(state.similarity, Context());
  }
  std::vector<std::string> from, to;
  const auto name = [&](std::int64_t i) { return row_names.empty() ? std::to_string(i + 1) : row_names[static_cast<std::size_t>(i)]; };
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) {
      from.push_back(name(i));
      to.push_back(name(graph.column[e]));
    }
  Table table;
  add_texts(table, "from", std::move(from));
  add_texts(table, "to", std::move(to));
  if (!graph.values.empty()) add_numbers(table, "value", std::vector<double>(graph.values.begin(), graph.values.end()));
  return table;
}

static bool gives_edges(const State& state) { return (state.type & (types::graph | types::any_similarity)) && !state.field; }

static Table result_of(const State& state, const std::vector<std::string>& row_names) {
  if (gives_edges(state)) return edges_of(state, row_names);
  Table table;
  if (!row_names.empty()) add_texts(table, "name", row_names);
  if (state.type & (types::graph | types::any_similarity)) {
    add_numbers(table, *state.field, state.field_names);
  } else if (state.type == types::labels) {
    std::vector<double> cells;
    for (const std::int64_t cluster : state.labels) cells.push_back(cluster < 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(cluster));
    add_numbers(table, "cluster", std::move(cells));
    if (state.scores.size()) add_numbers(table, state.scores, numbered_from_0("membership", state.scores.cols()));
  } else if (state.type == types::prediction) {
    add_prediction(table, state);
  } else {
    const bool moved = state.type == types::points && state.points->cols() == static_cast<Eigen::Index>(state.data->feature_names.size());
    add_numbers(table, *state.points, moved ? state.data->feature_names : numbered("dim", state.points->cols()), /*given=*/moved);
  }
  return table;
}

static void add_evidence(Table& table, const State& state, std::int64_t most, const Context& context) {
  const Data& data = *state.data;
  std::vector<std::vector<EvidenceCells>> rows;
  for (const auto& found : evidence_of(state, most, context)) {
    auto& cells = rows.emplace_back();
    for (const engine::Evidence& one : found) {
      const auto i = static_cast<std::size_t>(one.row);
      cells.push_back({data.row_names.empty() ? std::to_string(one.row + 1) : data.row_names[i],
                       state.class_scores ? data.classes[static_cast<std::size_t>(data.labels[i])] : number_cell(data.targets[one.row]), number_cell(one.weight)});
    }
  }
  add_evidence(table, rows, static_cast<std::size_t>(most), !data.row_names.empty(), state.class_scores);
}

// Features (and with them the rows' names) before the result's columns.
static void append_to_input(Table& table, const Data& data) {
  require(data.features->cols() > 0, Fault::usage, "[output] expected a table of features for --append, found {}: leave it out",
          data.sparse ? "sparse points" : data.distances ? "distances" : "a graph");
  require(static_cast<Eigen::Index>(table.rows()) == data.features->rows(), Fault::usage,
          "[output] expected one result for each row of the input with --append, found {} for {}: leave it out", counted(static_cast<std::int64_t>(table.rows()), "row"),
          counted(data.features->rows(), "row"));
  Table joined;
  const std::size_t names = !data.row_names.empty() && table.columns.front().name == "name" && !table.columns.front().given ? 1 : 0;
  if (names) joined.columns.push_back(std::move(table.columns.front()));
  add_numbers(joined, *data.features, data.feature_names, /*given=*/true);
  std::move(table.columns.begin() + static_cast<std::ptrdiff_t>(names), table.columns.end(), std::back_inserter(joined.columns));
  table = std::move(joined);
}

Table table_of(const State& state, const Data& data, const Loaded& loaded, const Beside& beside, const Context& context,
               std::vector<Note>& notes) {
  Table table = result_of(state, data.row_names);
  if (!gives_edges(state) && !loaded.label_values.empty() && loaded.label_values.size() == table.rows()) add_texts(table, loaded.label, loaded.label_values, /*given=*/true);
  if (beside.evidence > 0) add_evidence(table, state, beside.evidence, context);
  if (beside.append) append_to_input(table, data);
  for (std::string& text : settle_names(table)) notes.push_back({"output", std::move(text)});
  return table;
}

}  // namespace calor::pipeline
