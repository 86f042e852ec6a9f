// apply: H' = S H, every point becomes the weighted sum of the columns' points.  A point that no edge leaves, or
// edges of the value 0 alone, stays where it is.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static void move_points(State& state, const Context& context) {
  require(state.columns && state.columns->cols() > 0, Fault::input, "[apply] expected points with features, found a bare graph");
  auto moved = std::make_shared<Matrix>(flow(state.similarity, *state.columns, context));
  if (state.similarity.support && !state.similarity.rows_deferred && state.points->cols() == moved->cols()) {
    const Csr edges = values_on_support(state.similarity, context);
    for (std::int64_t i = 0; i < edges.rows; ++i)
      if (std::all_of(edges.values.begin() + edges.begin[i], edges.values.begin() + edges.begin[i + 1], [](double value) { return value == 0; }))
        moved->row(i) = state.points->row(i);
  }
  state.points = std::move(moved);
}

static void run(State& state, const Arguments&, Kept&, const Context& context) { move_points(state, context); }
static void place(State& state, const Arguments&, const Kept&, const Context& context) { move_points(state, context); }

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.pass();
  estimate.flow();
  estimate.hold(8 * estimate.rows * estimate.features);
}

static void outline(Outline& outline, const Arguments&) {
  outline.moved = Fact::yes;
}

const Stage apply_stage{"apply", Kind::flow, types::any_similarity, types::points, {},
                        "S H: each point becomes the weighted sum of its neighbours",
                        "", run, place, estimate, outline, nullptr, nullptr, true};

}  // namespace calor::propagate
