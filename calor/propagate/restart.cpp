// restart(a): one step H <- (1 - a) S H + a H_0.
// side=right spreads labels: H_0 marks the class of each labelled training row.  (Zhou et al. 2004; scikit-learn's
// LabelSpreading has alpha = 1 - a.)
// side=left is a walk: h <- (1 - a) S'h + a / N from h_0 = 1 / N, and what rows without edges lose is spread evenly (PageRank).
#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/class_field.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"a", Parameter::Takes::number, "0.15", 0, 1, "", "probability of a return to the start at each step"},
    {"side", Parameter::Takes::word, "right", 0, 0, "right|left", "right: S H, labels spread; left: S' H, a walk"}};

// Made ready once for all steps.
static const Operator& prepared(State& state, const Context& context) {
  if (!state.prepared || !state.prepared->is_of(state.similarity)) state.prepared = std::make_shared<const Operator>(state.similarity, context);
  return *state.prepared;
}

static void walk(State& state, double a, const Context& context) {
  const std::int64_t n = state.similarity.rows;
  const double even = 1.0 / static_cast<double>(n);
  if (!state.field) {
    state.field = std::make_shared<const Matrix>(Matrix::Constant(n, 1, even));
    state.field_names = {"rank"};
  }
  Matrix next = prepared(state, context).apply_transposed(*state.field, context);
  const double lost = 1 - next.sum();
  next = (1 - a) * (next.array() + lost * even) + a * even;
  state.field = std::make_shared<const Matrix>(std::move(next));
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const double a = arguments.number("a");
  if (arguments.word("side") == "left") return walk(state, a, context);
  const Matrix beginning = class_field(*state.data, nullptr, "restart");
  if (!state.field) {
    state.field = std::make_shared<const Matrix>(beginning);
    state.field_names = state.data->classes;
  }
  kept.keep("field", state.field);
  Matrix next = (1 - a) * prepared(state, context).flow(*state.field, context) + a * beginning;
  state.field = std::make_shared<const Matrix>(std::move(next));
}

// A random walk has no value for nodes outside its graph.
static bool places(const Arguments& arguments) { return arguments.word("side") == "right"; }

// One more step.  A new point's own label is not known, unless it is a labelled point of the fit.
static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const double a = arguments.number("a");
  Matrix next = (1 - a) * flow(state.similarity, kept.array("field"), context);
  const Matrix beginning = class_field(*state.data, nullptr, "restart");
  for (std::size_t i = 0; i < state.itself.size(); ++i)
    if (state.itself[i] >= 0) next.row(static_cast<Eigen::Index>(i)) += a * beginning.row(state.itself[i]);
  state.field = std::make_shared<const Matrix>(std::move(next));
  state.field_names = state.data->classes;
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  if (estimate.streams(arguments.word("side") == "left")) estimate.pass();
  estimate.flow();
}
static Wants wants(const Arguments& arguments) { return arguments.word("side") == "right" ? Wants::classes : Wants::nothing; }

static void outline(Outline& outline, const Arguments&) {
  require_square(outline, "restart", "compare the points with themselves (leave out to=)");
  outline.flowing = Fact::yes;
}

const Stage restart_stage{"restart", Kind::flow, types::any_similarity, types::same, parameters,
                          "(1 - a) S H + a H_0: one step of flow with restart",
                          "10.5555/2981345.2981386", run, place, estimate, outline, takes_any_form, wants, /*flows_once=*/false, nullptr, places};

}  // namespace calor::propagate
