// mutual: only the edges that go both ways.
#include "calor/engine/neighbours.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static void run(State& state, const Arguments&, Kept&, const Context&) {
  state.graph = std::make_shared<const Csr>(common_edges(*state.graph, transpose(*state.graph)));
}

static void place(State& state, const Arguments&, const Kept&, const Context&) {
  if (!state.reverse) return;
  state.graph = std::make_shared<const Csr>(common_edges(*state.graph, *state.reverse));
  state.reverse = state.graph;
}

static void outline(Outline& outline, const Arguments&) {
  outline.symmetric = Fact::yes;
}

const Stage mutual_stage{"mutual", Kind::support, types::graph, types::graph, {},
                         "only the edges that go both ways", "", run, place, nullptr, outline, takes_any_form};

}  // namespace calor::similarity
