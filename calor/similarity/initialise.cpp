#include "calor/similarity/initialise.h"

#include "calor/core/error.h"

namespace calor::similarity {

using namespace pipeline;

namespace {

// The labelled training rows as columns, with their numbers in the data.
void take_training_rows(State& state, Similarity& record) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < state.data->rows(); ++i)
    if (state.data->labelled(i)) rows.push_back(i);
  auto columns = std::make_shared<Matrix>(static_cast<Eigen::Index>(rows.size()), state.data->features->cols());
  for (std::size_t c = 0; c < rows.size(); ++c) columns->row(static_cast<Eigen::Index>(c)) = state.data->features->row(rows[c]);
  record.column_points = std::move(columns);
  record.column_rows = std::make_shared<const std::vector<std::int64_t>>(std::move(rows));
}

void finish(State& state, Similarity record) {
  record.rows = state.rows();
  record.row_points = state.points;
  record.columns = record.column_points->rows();
  record.row_sparse = state.sparse;
  if (state.sparse) record.column_sparse = state.data->sparse;
  record.distances = state.distances;
  require(record.row_points->cols() == record.column_points->cols(), Fault::usage,
          "[distance] expected rows and columns of the same width, found {} and {}", record.row_points->cols(),
          record.column_points->cols());
  require(!state.given().nothing(), Fault::input, "[distance] expected points with features, found a bare graph: use adjacency");
  record.symmetric = record.square() && (!record.support || is_symmetric(*record.support));
  state.columns = record.column_points;
  state.similarity = std::move(record);
}

}  // namespace

void initialise(State& state, const Score& score, const std::string& to, Kept& kept) {
  Similarity record;
  record.score = score;
  if (state.type == types::graph) {
    record.support = state.graph;
    record.column_points = state.columns;
  } else if (to == "points") {
    record.column_points = state.points;
    if (state.moved()) kept.keep("columns", state.points);
  } else if (to == "train") {
    take_training_rows(state, record);
  } else {
    record.column_points = state.data->features;
  }
  finish(state, std::move(record));
}

void initialise_new(State& state, const Score& score, const std::string& to, const Kept& kept) {
  Similarity record;
  record.score = score;
  if (state.type == types::graph) {
    record.support = state.graph;
    record.column_points = state.columns;
  } else if (kept.has("columns")) {
    record.column_points = kept.shared("columns");
  } else if (to == "train") {
    take_training_rows(state, record);
  } else {
    record.column_points = state.data->features;
  }
  finish(state, std::move(record));
  state.similarity.symmetric = false;
}

void outline_scores(Outline& outline, Outline::Scores scores, const std::string& to) {
  const bool on_graph = outline.type == types::graph;
  require(!on_graph || to == "points", Fault::usage,
          "[distance] expected to=points on a graph, whose columns are chosen, found to={}: leave it out, or leave out the graph", to);
  if (!on_graph) {
    const bool data = to == "data" || to == "patterns";
    outline.all_pairs = Fact::yes;
    outline.square = to == "points" || (data && outline.moved == Fact::no) ? Fact::yes : Fact::unknown;
    outline.symmetric = to == "points" ? Fact::yes : to == "train" || outline.moved == Fact::yes ? Fact::no : outline.square;
  }
  outline.equal_both_ways = outline.symmetric;
  outline.plain = Fact::yes;
  outline.scores = scores;
}

Wants wants_by(const std::string& to) { return to == "train" ? Wants::labels : Wants::nothing; }

std::string_view other_metric(Form form, const BoundStage& bound) {
  const bool given = form == Form::distances || form == Form::some_distances;
  return given && bound.arguments.word("metric") != "euclidean" ? "they are distances already: leave metric out" : "";
}

Metric metric_of(const std::string& word) {
  return word == "cosine" ? Metric::cosine : word == "manhattan" ? Metric::manhattan : Metric::euclidean;
}

}  // namespace calor::similarity
