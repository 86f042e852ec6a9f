// cluster(k): k-means on coordinates, the best of several k-means++ starts.
#include "calor/core/error.h"
#include "calor/engine/lloyd.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"k", Parameter::Takes::integer, "", 1, 1e6, "", "number of clusters"},
    {"starts", Parameter::Takes::integer, "10", 1, 1e4, "", "random initialisations, of which the best is kept"}};

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  auto found = engine::lloyd(*state.points, {arguments.integer("k"), arguments.integer("starts"), 300, state.seed}, context);
  if (std::string left = engine::leave_out_empty(found, *state.points); !left.empty()) state.note("cluster", std::move(left));
  kept.keep("centres", found.at);
  state.labels = found.nearest;
  state.figures["inertia"] = found.inertia;
}

static void place(State& state, const Arguments&, const Kept& kept, const Context& context) {
  state.labels = engine::assign_nearest(*state.points, kept.array("centres"), context).nearest;
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  estimate.operations += 20 * arguments.number("starts") * arguments.number("k") * estimate.rows * (estimate.features + 60);
}

const Stage cluster_stage{"cluster", Kind::read_out, types::coordinates, types::labels, parameters,
                          "k-means on the coordinates", "10.5555/1283383.1283494",
                          run, place, estimate};

}  // namespace calor::propagate
