// mean: (W + W') / 2.
#include "calor/similarity/stages.h"
#include "calor/similarity/symmetrise.h"

namespace calor::similarity {

using namespace pipeline;

static double combine(double forward, double backward) { return (forward + backward) / 2; }
static constexpr bool keeps_symmetric = true;

static void run(State& state, const Arguments&, Kept&, const Context& context) {
  symmetrise(state, combine, keeps_symmetric, context);
}

static void place(State& state, const Arguments&, const Kept&, const Context& context) {
  symmetrise_new(state, combine, context);
}

static void outline(Outline& outline, const Arguments&) { outline_symmetrised(outline, "mean", keeps_symmetric); }

const Stage mean_stage{"mean", Kind::normalise, types::any_similarity, types::normalised, {},
                       "the mean of both directions", "", run, place, estimate_symmetrised, outline, takes_any_form};

}  // namespace calor::similarity
