// self_loops: every point is its own neighbour too, with weight w (added to what is there).
#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"weight", Parameter::Takes::number, "1", 0, std::numeric_limits<double>::infinity(), "", "weight of the edge from a point to itself"}};

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  Similarity record = store_scores(state.similarity, context);
  const Csr& support = *record.support;
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < support.rows; ++i) {
    for (std::int64_t e = support.begin[i]; e < support.begin[i + 1]; ++e) edges.push_back({i, support.column[e], support.values[e]});
    edges.push_back({i, i, arguments.number("weight")});
  }
  record.support = std::make_shared<const Csr>(from_edges(support.rows, support.columns, std::move(edges)));
  state.similarity = std::move(record);
}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.all_pairs), Fault::usage,
          "[self_loops] expected a similarity on a graph, found all pairs, which have the diagonal: leave it out");
  require_square(outline, "self_loops", "leave it out, or leave out to=");
  outline.plain = Fact::unknown;
  outline.scores = Outline::Scores::unknown;
}

const Stage self_loops_stage{"self_loops", Kind::support, types::any_similarity, types::similarity, parameters,
                             "every point is its own neighbour too",
                             "", run, nullptr, nullptr, outline, takes_any_form};

}  // namespace calor::similarity
