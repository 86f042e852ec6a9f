// vote: the class of largest total similarity.  Scores of a row add up to 1; a row that nothing reaches has none.
#include "calor/core/error.h"
#include "calor/engine/attention_means.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/class_field.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static void count(State& state, const Context& context) {
  state.class_scores = true;
  if (state.field) {
    require(state.field_names == state.data->classes, Fault::usage,
            "[vote] expected labels, found {}", state.field_names == std::vector<std::string>{"rank"} ? "the distribution of a random walk: leave out restart(side=left), or end the pipeline with it"
                                                : state.field_names == std::vector<std::string>{"value"} ? "values: use average in the place of vote"
                                                                                       : "what is no label: end the pipeline with what gives it");
    state.scores = *state.field;
  } else {
    std::int64_t again = 0;
    state.scores = class_means(state.similarity, class_field(*state.data, state.similarity.column_rows.get(), "vote"), context, again);
    if (again >= 0) state.figures["decided_again"] = static_cast<double>(again);
  }
  std::int64_t unreached = 0;
  for (Eigen::Index i = 0; i < state.scores.rows(); ++i) {
    if (const double sum = state.scores.row(i).sum(); sum > 0) state.scores.row(i) /= sum;
    else ++unreached;
  }
  note_unreached(state, "vote", unreached, "class");
}

static void run(State& state, const Arguments&, Kept&, const Context& context) { count(state, context); }
static void place(State& state, const Arguments&, const Kept&, const Context& context) { count(state, context); }
static void estimate(Estimate& estimate, const Arguments&) { estimate.pass(); }
static Wants wants(const Arguments&) { return Wants::classes; }

const Stage vote_stage{"vote", Kind::read_out, types::any_similarity, types::prediction, {},
                       "the class of largest total similarity", "", run, place, estimate, nullptr, takes_any_form, wants, true};

}  // namespace calor::propagate
