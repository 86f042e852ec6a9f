// sinkhorn(max_iterations): value(i, j) u_i v_j whose every row and every column adds up to 1 (Sinkhorn & Knopp 1967; engine/normalise.h).
// One pass an iteration for a similarity that is symmetric up to its factors, else two.  Streams over all pairs and over a support; O(N)
// memory; in logarithms.
#include "calor/engine/normalise.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"max_iterations", Parameter::Takes::integer_or_word, "auto", 1, 1e6, "auto",
     "the maximum number of iterations; auto: until all sums are within 1e-10 of 1, at most 1000 (in training: 10, each a pass of the gradient)", "iterations"}};

// As the parameter's meaning has them.
static_assert(Normalised::most_iterations == 1000 && Normaliser::usual_iterations == 10);

static Normaliser step(const Arguments& arguments) {
  return {Normaliser::Kind::sinkhorn, 0, arguments.is_number("max_iterations") ? static_cast<int>(arguments.integer("max_iterations")) : 0};
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const Normalised found = normalise(state.similarity, step(arguments), context);
  state.figures["iterations"] = found.iterations;
  state.figures["deviation"] = found.deviation;
  if (found.empty)
    state.note("sinkhorn", fmt::format("{} rows and columns have no values and stay empty", found.empty));
  if (found.deviation > Normalised::tolerance)
    state.note("sinkhorn",
               fmt::format("after {} iterations sums are still up to {:.2g} from 1: allow more, or, where the graph has no such "
                           "scaling, put self_loops or mean before it",
                           found.iterations, found.deviation));
  kept.keep("log_column", Matrix(state.similarity.log_column));
}

// New rows meet the columns with the factors of the fit, and add up to 1.
static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  normalise_new_rows(state.similarity, step(arguments), kept.array("log_column").col(0), context);
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  estimate.keep_scores();
  constexpr double usual_passes = 30;
  const double passes = arguments.is_number("max_iterations") ? 2 * arguments.number("max_iterations") : usual_passes;
  Estimate once = estimate;
  once.pass();
  estimate.operations += passes * (once.operations - estimate.operations);
  estimate.visits += passes * (once.visits - estimate.visits);
}

static void outline(Outline& outline, const Arguments&) {
  require_square(outline, "sinkhorn", "use row, or column");
  outline.plain = Fact::no;
  outline.equal_both_ways = outline.symmetric;
}

const Stage sinkhorn_stage{"sinkhorn", Kind::normalise, types::any_similarity, types::normalised, parameters,
                           "each row and each column adds up to 1", "10.2140/pjm.1967.21.343", run, place, estimate, outline,
                           takes_any_form};

}  // namespace calor::similarity
