// indicator: 1 on every edge of the graph.
#include "calor/pipeline/outline.h"
#include "calor/similarity/stages.h"
#include "calor/pipeline/state.h"

namespace calor::similarity {

using namespace pipeline;

static void put_ones(State& state) {
  Similarity record;
  record.support = state.graph;
  record.rows = state.graph->rows;
  record.columns = state.graph->columns;
  record.score.kind = Score::Kind::indicator;
  record.symmetric = !state.placing && is_symmetric(*state.graph);
  state.similarity = std::move(record);
}

static void run(State& state, const Arguments&, Kept&, const Context&) { put_ones(state); }
static void place(State& state, const Arguments&, const Kept&, const Context&) { put_ones(state); }

static void outline(Outline& outline, const Arguments&) {
  outline.equal_both_ways = outline.symmetric;
  outline.plain = Fact::yes;
  outline.scores = Outline::Scores::others;
}

const Stage indicator_stage{"indicator", Kind::initialise, types::graph, types::similarity, {},
                            "1 on every edge of the graph", "", run, place, nullptr, outline, takes_any_form};

}  // namespace calor::similarity
