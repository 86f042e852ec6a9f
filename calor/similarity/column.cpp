// column: value(i, j) / sum_k value(k, j).  A column without values stays empty.
#include "calor/engine/normalise.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Normaliser step{Normaliser::Kind::column};

static void run(State& state, const Arguments&, Kept& kept, const Context& context) {
  normalise(state.similarity, step, context);
  kept.keep("log_column", Matrix(state.similarity.log_column));
}

// New rows meet the columns with the sums of the fit.
static void place(State& state, const Arguments&, const Kept& kept, const Context& context) {
  normalise_new_rows(state.similarity, step, kept.array("log_column").col(0), context);
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.keep_scores();
  estimate.pass();
}

static void outline(Outline& outline, const Arguments&) {
  outline.plain = outline.equal_both_ways = Fact::no;
}

const Stage column_stage{"column", Kind::normalise, types::any_similarity, types::normalised, {},
                         "each column adds up to 1", "", run, place, estimate, outline, takes_any_form};

}  // namespace calor::similarity
