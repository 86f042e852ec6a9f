// global: value(i, j) / the sum of all.
#include "calor/engine/normalise.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static void run(State& state, const Arguments&, Kept&, const Context& context) { normalise(state.similarity, {Normaliser::Kind::global}, context); }

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.keep_scores();
  estimate.pass();
}

static void outline(Outline& outline, const Arguments&) {
  outline.plain = outline.equal_both_ways = Fact::no;
}

const Stage global_stage{"global", Kind::normalise, types::any_similarity, types::normalised, {},
                         "all values add up to 1", "", run, nullptr, estimate, outline, takes_any_form};

}  // namespace calor::similarity
