// row: value(i, j) / sum_k value(i, k).  In logarithms, so that a row whose every value underflows still adds up to 1.
// A row without values stays empty.
#include <fmt/format.h>

#include "calor/engine/normalise.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Normaliser step{Normaliser::Kind::row};

static void run(State& state, const Arguments&, Kept&, const Context& context) {
  const std::int64_t empty = normalise(state.similarity, step, context).empty;
  if (empty) state.note("row", fmt::format("{} of {} rows {} empty and stay{} so", empty, state.similarity.rows, empty == 1 ? "is" : "are", empty == 1 ? "s" : ""));
}

static void place(State& state, const Arguments&, const Kept&, const Context& context) { normalise_new_rows(state.similarity, step, {}, context); }
static void estimate(Estimate& estimate, const Arguments&) { estimate.pass(); }

static void outline(Outline& outline, const Arguments&) {
  outline.plain = outline.equal_both_ways = Fact::no;
}

const Stage row_stage{"row", Kind::normalise, types::any_similarity, types::normalised, {},
                      "each row adds up to 1", "", run, place, estimate, outline, takes_any_form};

}  // namespace calor::similarity
