// memberships(m): how far each data point belongs to each prototype, and the one that it belongs to most.  Rows add up to 1
// (engine/fuzzy_means.h).  Bezdek 1981; fuzzy c-means, whose prototypes are the state's points.
// New points get their memberships in the prototypes of the fit.
#include <fmt/format.h>

#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/fuzzy_means.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"m", Parameter::Takes::number, "2", 1.0001, 1e4, "", "fuzziness, above 1: memberships are as distance^(-2 / (m - 1)); near 1 each point belongs to one prototype"}};

static double power_of(const Arguments& arguments) { return 2 / (arguments.number("m") - 1); }

static void take_labels(State& state, Matrix shares) {
  state.labels.assign(static_cast<std::size_t>(shares.rows()), 0);
  for (Eigen::Index i = 0; i < shares.rows(); ++i) {
    Eigen::Index most = 0;
    shares.row(i).maxCoeff(&most);
    state.labels[static_cast<std::size_t>(i)] = most;
  }
  state.scores = std::move(shares);
  state.class_scores = false;
}

// What a person should know where memberships tell next to nothing.
static void note_a_meeting(State& state, const Matrix& points, const Matrix& centres, double m, const Context& context) {
  const double k = static_cast<double>(centres.rows()), excess = state.scores.squaredNorm() / static_cast<double>(points.rows()) - 1 / k;
  constexpr double nothing = 1e-3;  // of what it is where each point belongs to one
  if (centres.rows() < 2 || excess > nothing * (1 - 1 / k)) return;
  const auto limit = engine::meeting_exponent(points, context);
  if (!limit || m < *limit) return;
  state.note("memberships", fmt::format("all memberships are about 1 / {}: the centres have met at the mean, where with m of at least {:.4g} these data keep them; give m = {:.4g}",
                                        centres.rows(), *limit, 1 + (*limit - 1) / 2));
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const Matrix& points = *state.data->features;
  const std::shared_ptr<const Matrix> centres = state.points;
  const auto bytes = 8 * static_cast<std::uint64_t>(points.rows()) * static_cast<std::uint64_t>(centres->rows());
  context.memory.require(bytes, "memberships", fmt::format("{} x {} memberships", points.rows(), centres->rows()), "give fewer rows or a smaller k, or raise --max-memory");
  double objective = 0;
  take_labels(state, engine::memberships(points, *centres, power_of(arguments), context, &objective));
  kept.keep("centres", centres);
  state.figures["objective"] = objective;
  state.figures["partition_coefficient"] = state.scores.squaredNorm() / static_cast<double>(points.rows());
  note_a_meeting(state, points, *centres, arguments.number("m"), context);
  state.points = state.data->features;
  state.prototypes = false;
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  take_labels(state, engine::memberships(*state.points, kept.array("centres"), power_of(arguments), context));
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.pass();
  estimate.hold(8 * estimate.rows * estimate.columns);
}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may(outline.prototypes), Fault::usage, "[memberships] expected prototypes, found the data's own points: put centres(k) first");
  outline.prototypes = Fact::no;
}

const Stage memberships_stage{"memberships", Kind::read_out, types::points, types::labels, parameters,
                              "how far each data point belongs to each prototype", "10.1007/978-1-4757-0450-1",
                              run, place, estimate, outline};

}  // namespace calor::propagate
