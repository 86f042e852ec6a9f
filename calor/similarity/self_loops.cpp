// self_loops: every point is its own neighbour too, with weight w (added to what is there).
#include "calor/core/error.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"weight", Parameter::Takes::number, "1", 0, std::numeric_limits<double>::infinity(), "", "of the edge from a point to itself"}};

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  require(!state.similarity.all_pairs(), Fault::usage, "[self_loops] expected a similarity on a graph, found all pairs, which have the diagonal");
  require(state.similarity.rows == state.similarity.columns, Fault::usage, "[self_loops] expected as many rows as columns, found {} and {}",
          state.similarity.rows, state.similarity.columns);
  Similarity record = store_scores(state.similarity, context.threads);
  const Csr& support = *record.support;
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < support.rows; ++i) {
    for (std::int64_t e = support.begin[i]; e < support.begin[i + 1]; ++e) edges.push_back({i, support.column[e], support.values[e]});
    edges.push_back({i, i, arguments.number("weight")});
  }
  record.support = std::make_shared<const Csr>(from_edges(support.rows, support.columns, std::move(edges)));
  state.similarity = std::move(record);
}

const Stage self_loops_stage{"self_loops", Kind::support, types::any_similarity, types::similarity, parameters, "every point is its own neighbour too",
                             "", run, nullptr, nullptr};

}  // namespace calor::similarity
