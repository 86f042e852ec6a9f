// heat_signature(times, modes): of a surface that is given as triangles, how much of the heat that starts at a point is still there after each of some
// times.  The surface's own Laplacian (cotangents of the intrinsic Delaunay triangulation) in the unit ball, its smoothest modes, DiffusionNet's times.
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/heat_kernel_signature.h"
#include "calor/engine/mesh_laplacian.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/pipeline/wants.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {{"times", Parameter::Takes::integer, "16", 2, 1000, "", "features of a point: times from 0.01 to 1, evenly spaced in their logarithm, for a surface of radius 1"},
                                           {"modes", Parameter::Takes::integer, "128", 2, 10000, "", "eigenvectors of the surface's Laplacian that the heat is made of, the smoothest"},
                                           {"weights", Parameter::Takes::word, "robust", 0, 0, "robust|cotangent", laplacian_weights}};

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  require_wanted(Wants::mesh, *state.data, "heat_signature");
  const io::Mesh mesh = engine::in_unit_ball(*state.data->mesh);
  const engine::MeshLaplacian laplacian = arguments.word("weights") == "cotangent" ? engine::cotangent_laplacian(mesh, context) : engine::mesh_laplacian(mesh, context);
  const std::int64_t most = std::min(arguments.integer("modes"), mesh.nodes());
  const engine::Pairs pairs = engine::smallest_mass_pairs(laplacian.stiffness, laplacian.mass, most, context);
  state.points = std::make_shared<const Matrix>(engine::heat_kernel_signature(pairs, engine::signature_times(arguments.integer("times"))));
  state.sparse = nullptr;
  state.distances = nullptr;
  state.spectrum = pairs.values;
  state.figures["area"] = laplacian.mass.sum();
  if (laplacian.flips > 0) state.figures["edges exchanged"] = static_cast<double>(laplacian.flips);
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  const double modes = static_cast<double>(arguments.integer("modes")), times = static_cast<double>(arguments.integer("times"));
  estimate.use(estimate.rows * (1200 + 40 * modes));  // 600 bytes a face, two faces a point; the modes with what the solver keeps beside them
  estimate.operations += estimate.rows * modes * (times + 3000);  // the factor and solves with it
  estimate.hold(8 * estimate.rows * times);
  estimate.features = times;
}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.moved), Fault::usage, "[heat_signature] expected the surface's own points, found points that have moved: put it first");
  outline.moved = Fact::yes;
}

static Wants wants(const Arguments&) { return Wants::mesh; }

const Stage heat_signature_stage{"heat_signature", Kind::flow, types::points, types::points, parameters,
                                 "of a surface: how much of the heat placed at a point remains there after a series of times", "10.1111/j.1467-8659.2009.01515.x", run, nullptr, estimate, outline, nullptr, wants};

}  // namespace calor::propagate
