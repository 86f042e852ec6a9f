// adjacency: the given graph, with its weights.  Edges of weight 0 are no edges; loops=drop leaves out those of a node to
// itself, as a table of similarities has them and a neighbour graph has not.  edges=undirected: an edge counts in both directions, with
// the greater of its two weights.  New points are nodes with edges to those of the fit.
#include <fmt/format.h>

#include <algorithm>

#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/pipeline/wants.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"loops", Parameter::Takes::word, "keep", 0, 0, "keep|drop", "self-loops, the edges from a node to itself: keep or drop"},
    {"edges", Parameter::Takes::word, "directed", 0, 0, "directed|undirected",
     "directed: an edge counts one way; undirected: both ways, with the greater of its two weights"}};

static std::string node_name(const Data& data, std::int64_t i) {
  return data.row_names.empty() ? std::to_string(i + 1) : fmt::format("\"{}\"", data.row_names[static_cast<std::size_t>(i)]);
}

static void check_weight(double weight, const std::string& from, const std::string& to) {
  require(weight >= 0, Fault::input, "[adjacency] expected weights that are not negative, found {} from node {} to node {}: give similarities, greater for what is more alike", weight, from, to);
}

static double greater(double forward, double backward) { return std::max(forward, backward); }

static void run(State& state, const Arguments& arguments, Kept&, const Context&) {
  require_wanted(Wants::graph, *state.data, "adjacency");
  const bool drop = arguments.word("loops") == "drop", undirected = arguments.word("edges") == "undirected";
  const auto& given = state.data->graph;
  Csr graph;
  graph.rows = given->rows;
  graph.columns = given->columns;
  for (std::int64_t i = 0; i < given->rows; ++i) {
    for (std::int64_t e = given->begin[i]; e < given->begin[i + 1]; ++e) {
      const double weight = given->values.empty() ? 1 : given->values[e];
      if (weight < 0) check_weight(weight, node_name(*state.data, i), node_name(*state.data, given->column[e]));
      if (weight == 0 || (drop && given->column[e] == i)) continue;
      graph.column.push_back(given->column[e]);
      graph.values.push_back(weight);
    }
    graph.begin.push_back(graph.edges());
  }
  if (undirected) graph = combine_with_reverse(graph, greater);
  const bool symmetric = is_symmetric(graph);
  state.similarity = stored_similarity(std::move(graph));
  state.similarity.symmetric = symmetric;
}

static void place(State& state, const Arguments&, const Kept&, const Context&) {
  require(state.sparse && state.sparse->columns == state.data->rows(), Fault::input,
          "[adjacency] expected new nodes with edges to the {} nodes of the fit, found points: give an edge list", state.data->rows());
  const io::SparseMatrix& given = *state.sparse;
  Csr graph;
  graph.rows = given.rows;
  graph.columns = given.columns;
  for (std::int64_t i = 0; i < given.rows; ++i) {
    for (std::int64_t e = given.begin[i]; e < given.begin[i + 1]; ++e) {
      if (given.value[e] < 0) check_weight(given.value[e], std::to_string(i + 1) + " of the new ones", node_name(*state.data, given.column[e]));
      if (given.value[e] == 0) continue;
      graph.column.push_back(given.column[e]);
      graph.values.push_back(given.value[e]);
    }
    graph.begin.push_back(graph.edges());
  }
  state.similarity = stored_similarity(std::move(graph));
}

static void outline(Outline& outline, const Arguments&) {
  outline.all_pairs = Fact::no;
  outline.square = outline.plain = Fact::yes;
  outline.symmetric = outline.equal_both_ways = Fact::unknown;
  outline.scores = Outline::Scores::weights;
}

static Wants wants(const Arguments&) { return Wants::graph; }

const Stage adjacency_stage{"adjacency", Kind::support, types::points, types::similarity, parameters,
                            "the given graph, with its weights", "", run, place, nullptr, outline, takes_any_form, wants};

}  // namespace calor::similarity
