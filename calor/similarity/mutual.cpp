// mutual: only the edges that go both ways.
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

// Edges of `a` that `b` has too; rows of both ascend.
static Csr intersection(const Csr& a, const Csr& b) {
  Csr result;
  result.rows = a.rows;
  result.columns = a.columns;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t other = b.begin[i];
    for (std::int64_t e = a.begin[i]; e < a.begin[i + 1]; ++e) {
      while (other < b.begin[i + 1] && b.column[other] < a.column[e]) ++other;
      if (other < b.begin[i + 1] && b.column[other] == a.column[e]) result.column.push_back(a.column[e]);
    }
    result.begin.push_back(result.edges());
  }
  return result;
}

static void run(State& state, const Arguments&, Kept&, const Context&) {
  state.graph = std::make_shared<const Csr>(intersection(*state.graph, transpose(*state.graph)));
}

static void place(State& state, const Arguments&, const Kept&, const Context&) {
  if (!state.reverse) return;
  state.graph = std::make_shared<const Csr>(intersection(*state.graph, *state.reverse));
  state.reverse = state.graph;
}

static void outline(Outline& outline, const Arguments&) {
  outline.symmetric = Fact::yes;
}

const Stage mutual_stage{"mutual", Kind::support, types::graph, types::graph, {},
                         "only the edges that go both ways", "", run, place, nullptr, outline, takes_any_form};

}  // namespace calor::similarity
