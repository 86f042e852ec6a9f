// repeat(pipeline): until nothing changes any more.  The change is the largest move of a point over the spread of the points at
// the beginning, the largest change of what flows over its largest value, or, where the body gives a similarity and nothing flows over
// it, the largest change of a value over the largest value.  What a stage of the body chooses by the data (exp(auto)) is chosen in the
// first repetition and kept: chosen anew it would follow the points that it moves.
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/run.h"
#include "calor/propagate/repeat.h"
#include "calor/propagate/repeat_fuzzy.h"
#include "calor/propagate/repeat_markov.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"body", Parameter::Takes::pipeline, "", 0, 0, "", "the pipeline to repeat; it gives the type that it takes"},
    {"tolerance", Parameter::Takes::number, "1e-6", 0, 1, "", "the relative change at which it has converged", "until"},
    {"max_iterations", Parameter::Takes::integer, "1000", 1, 1e9, "", "the maximum number of repetitions", "most"}};

static double spread(const Matrix& points) {
  const double deviation = std::sqrt((points.rowwise() - points.colwise().mean()).rowwise().squaredNorm().mean());
  return deviation > 0 ? deviation : 1;
}

static double largest_move(const Matrix& from, const Matrix& to) { return std::sqrt((to - from).rowwise().squaredNorm().maxCoeff()); }

static double change_of_values(const Similarity& before, const Similarity& after, const Context& context) {
  if (before.rows != after.rows || before.columns != after.columns) return 1;
  double most = 0, greatest = 0;
  if (before.all_pairs() || after.all_pairs()) {
    const Matrix a = materialise(before, "repeat", context), b = materialise(after, "repeat", context);
    most = (a - b).cwiseAbs().maxCoeff();
    greatest = b.cwiseAbs().maxCoeff();
  } else {
    const Csr a = values_on_support(before, context), b = values_on_support(after, context);
    for (std::int64_t i = 0; i < b.rows; ++i) {
      std::int64_t e = a.begin[i], f = b.begin[i];
      while (e < a.begin[i + 1] || f < b.begin[i + 1]) {
        const bool left = f == b.begin[i + 1] || (e < a.begin[i + 1] && a.column[e] <= b.column[f]);
        const bool right = e == a.begin[i + 1] || (f < b.begin[i + 1] && b.column[f] <= a.column[e]);
        const double was = left ? a.values[e++] : 0, is = right ? b.values[f++] : 0;
        most = std::max(most, std::abs(is - was));
        greatest = std::max(greatest, std::abs(is));
      }
    }
  }
  return greatest > 0 ? most / greatest : most;
}

// The relative change of what the body moves: the field where one flows, else the similarity where the body gives one, else the points.
static double change(const State& before, const State& after, double scale, const Context& context) {
  if (after.field) {
    if (!before.field || before.field->cols() != after.field->cols()) return 1;
    const double greatest = after.field->cwiseAbs().maxCoeff();
    return greatest > 0 ? (*after.field - *before.field).cwiseAbs().maxCoeff() / greatest : 0;
  }
  if (after.type & types::any_similarity) return change_of_values(before.similarity, after.similarity, context);
  require(before.points->cols() == after.points->cols() && before.points->rows() == after.points->rows(), Fault::usage,
          "[repeat] expected a body that keeps the number of points and their width, found {} x {} become {} x {}", before.points->rows(),
          before.points->cols(), after.points->rows(), after.points->cols());
  return largest_move(*before.points, *after.points) / scale;
}

// What a stage says in a repetition stands for what it said in those before; the notes up to `outside` are not of the body.
static void say_anew(const std::vector<Note>& now, std::vector<Note>& said, std::ptrdiff_t outside) {
  const auto again = [&](const Note& old) { return std::any_of(now.begin(), now.end(), [&](const Note& note) { return note.stage == old.stage; }); };
  said.erase(std::remove_if(said.begin() + outside, said.end(), again), said.end());
  said.insert(said.end(), now.begin(), now.end());
}

bool settle(State& state, const Arguments& arguments, const Context& context, const std::function<void()>& step) {
  const std::int64_t most = arguments.integer("max_iterations");
  const double tolerance = arguments.number("tolerance"), scale = spread(*state.points);
  std::vector<double> changes;
  std::vector<Note> said = std::move(state.notes);
  const auto outside = static_cast<std::ptrdiff_t>(said.size());
  for (std::int64_t turn = 1; turn <= most; ++turn) {
    context.check_stop("repeat");
    State before;
    before.points = state.points;
    before.field = state.field;
    if (!state.field && (state.type & types::any_similarity)) before.similarity = state.similarity;
    state.notes.clear();
    step();
    say_anew(state.notes, said, outside);
    const double changed = change(before, state, scale, context);
    require(std::isfinite(changed), Fault::convergence, "[repeat] expected finite values, found overflow after {} repetitions", turn);
    context.advance(static_cast<double>(turn), static_cast<double>(most), "repeat");
    if (!state.placing) {
      state.figures["repetitions"] = static_cast<double>(turn);
      state.figures["change"] = changed;
      changes.push_back(changed);
    }
    if (changed <= tolerance) {
      if (!state.placing) state.series["change"] = std::move(changes);
      state.notes = std::move(said);
      return true;
    }
  }
  return false;
}

void fail_unsettled(const Arguments& arguments, double changed) {
  fail(Fault::convergence, "[repeat] expected a relative change of at most {} within {} repetitions, found {:.3g}: raise max_iterations, or tolerance",
       arguments.number("tolerance"), arguments.integer("max_iterations"), changed);
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const std::vector<BoundStage>& body = arguments.pipeline("body");
  const Types begun = state.type;
  std::vector<Kept> inner = kept.each(body.size());  // where this is a repetition of an outer one, what its stages have chosen in the first
  Context quiet = context;
  quiet.progress = nullptr;  // the repetitions are the progress, not the passes of each
  const bool fuzzy = repeats_fuzzy(body, state);
  const bool settled = repeats_markov(body, state, context)
                           ? settle_markov(body, arguments.number("tolerance"), arguments.integer("max_iterations"), state, inner, context)
                           : settle(state, arguments, context, [&] {
                               state.type = begun;
                               if (fuzzy) step_fuzzy(body, state, quiet);
                               else run_stages(body, state, inner, quiet);
                             });
  if (!settled) fail_unsettled(arguments, state.figures["change"]);
  kept.keep_each(inner);
  const bool moving = std::any_of(inner.begin(), inner.end(), [](const Kept& stage) { return stage.has("columns"); });  // the columns are the moving points
  kept.keep_number("moving", moving);
}

// New points go round where the columns stand still (patterns), once where labels have spread, and stay where the points
// themselves had moved, whose paths are gone.
static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const std::vector<BoundStage>& body = arguments.pipeline("body");
  if (kept.number("moving") != 0) return;
  const std::vector<Kept> inner = kept.each(body.size());
  if (body.back().gives & types::any_similarity) return place_stages(body, state, inner, context);
  const Types begun = state.type;
  const bool settled = settle(state, arguments, context, [&] {
    state.type = begun;
    place_stages(body, state, inner, context);
  });
  if (!settled) fail_unsettled(arguments, 1);
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  const Estimate before = estimate;
  for (const BoundStage& bound : arguments.pipeline("body"))
    if (bound.stage->estimate) bound.stage->estimate(estimate, bound.arguments);
  constexpr double usual_repetitions = 50;
  estimate.operations = before.operations + usual_repetitions * (estimate.operations - before.operations);
  estimate.visits = before.visits + usual_repetitions * (estimate.visits - before.visits);
}

static void outline(Outline& outline, const Arguments& arguments) {
  for (const BoundStage& bound : arguments.pipeline("body")) trace(bound, outline);
}

const Stage repeat_stage{"repeat", Kind::flow, types::points | types::graph | types::any_similarity, types::same, parameters,
                         "repeats a pipeline until it converges",
                         "", run, place, estimate, outline, takes_any_form};

}  // namespace calor::propagate
