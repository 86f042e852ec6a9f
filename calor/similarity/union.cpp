// union: W + W' - W o W', the fuzzy union of both directions (values in 0..1).
#include "calor/similarity/stages.h"
#include "calor/similarity/symmetrise.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr bool keeps_symmetric = false;

static void run(State& state, const Arguments&, Kept&, const Context& context) {
  symmetrise(state, fuzzy_union, keeps_symmetric, context);
}

static void place(State& state, const Arguments&, const Kept&, const Context& context) {
  symmetrise_new(state, fuzzy_union, context);
}

static void outline(Outline& outline, const Arguments&) { outline_symmetrised(outline, "union", keeps_symmetric); }

const Stage union_stage{"union", Kind::normalise, types::any_similarity, types::normalised, {},
                        "the fuzzy union of both directions", "", run, place, estimate_symmetrised, outline, takes_any_form};

}  // namespace calor::similarity
