// adjacency: the given graph, with its weights.  Edges of weight 0 are no edges; loops=drop leaves out those of a node to
// itself, as a table of similarities has them and a neighbour graph has not.
#include <fmt/format.h>

#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/pipeline/wants.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"loops", Parameter::Takes::word, "keep", 0, 0, "keep|drop", "self-loops, the edges from a node to itself: keep or drop"}};

static std::string node_name(const Data& data, std::int64_t i) {
  return data.row_names.empty() ? std::to_string(i + 1) : fmt::format("\"{}\"", data.row_names[static_cast<std::size_t>(i)]);
}

static void run(State& state, const Arguments& arguments, Kept&, const Context&) {
  require_wanted(Wants::graph, *state.data, "adjacency");
  const auto& given = state.data->graph;
  const bool drop = arguments.word("loops") == "drop";
  Csr graph;
  graph.rows = given->rows;
  graph.columns = given->columns;
  for (std::int64_t i = 0; i < given->rows; ++i) {
    for (std::int64_t e = given->begin[i]; e < given->begin[i + 1]; ++e) {
      const double weight = given->values.empty() ? 1 : given->values[e];
      require(weight >= 0, Fault::input, "[adjacency] expected weights that are not negative, found {} from node {} to node {}: give similarities, greater for what is more alike", weight,
              node_name(*state.data, i), node_name(*state.data, given->column[e]));
      if (weight == 0 || (drop && given->column[e] == i)) continue;
      graph.column.push_back(given->column[e]);
      graph.values.push_back(weight);
    }
    graph.begin.push_back(graph.edges());
  }
  const bool symmetric = is_symmetric(graph);
  state.similarity = stored_similarity(std::move(graph));
  state.similarity.symmetric = symmetric;
}

static void outline(Outline& outline, const Arguments&) {
  outline.all_pairs = Fact::no;
  outline.square = outline.plain = Fact::yes;
  outline.symmetric = outline.equal_both_ways = Fact::unknown;
  outline.scores = Outline::Scores::weights;
}

static Wants wants(const Arguments&) { return Wants::graph; }

const Stage adjacency_stage{"adjacency", Kind::support, types::points, types::similarity, parameters,
                            "the given graph, with its weights", "", run, nullptr, nullptr, outline, takes_any_form, wants};

}  // namespace calor::similarity
