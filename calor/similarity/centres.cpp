// centres(k): k prototypes of the data, k-means++ starts refined by Lloyd's steps, the best of several.
// Arthur & Vassilvitskii 2007.
#include "calor/engine/lloyd.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"k", Parameter::Takes::integer, "", 1, 1e6, "", "number of centres; fewer where there are fewer distinct points"},
    {"starts", Parameter::Takes::integer, "10", 1, 1e4, "", "random initialisations, of which the best is kept"},
    {"max_iterations", Parameter::Takes::integer, "300", 0, 1e6, "", "the maximum number of Lloyd iterations per start; 0: the initial centres themselves", "most"}};

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  const LloydOptions options{arguments.integer("k"), arguments.integer("starts"), arguments.integer("max_iterations"), state.seed};
  Centres found = lloyd(*state.points, options, context);
  if (std::string left = leave_out_empty(found, *state.points); !left.empty()) state.note("centres", std::move(left));
  state.points = std::make_shared<const Matrix>(std::move(found.at));
  state.prototypes = true;
}

// New points are no prototypes: they pass.
static void place(State&, const Arguments&, const Kept&, const Context&) {}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  estimate.hold(8 * estimate.rows * estimate.features);
  estimate.operations += 20 * arguments.number("starts") * arguments.number("k") * estimate.rows * (estimate.features + 60);
  estimate.columns = estimate.rows;
  estimate.rows = arguments.number("k");
}

static void outline(Outline& outline, const Arguments&) {
  outline.prototypes = outline.moved = Fact::yes;
}

const Stage centres_stage{"centres", Kind::support, types::coordinates, types::points, parameters,
                          "k prototypes, the best of several k-means++ starts", "10.5555/1283383.1283494", run, place, estimate, outline};

}  // namespace calor::similarity
