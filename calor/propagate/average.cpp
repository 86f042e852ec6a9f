// average: sum_j S_ij t_j / sum_j S_ij over the labelled training rows j, t the label as a number.  A row that nothing reaches
// has no value (NaN).
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/state.h"
#include "calor/propagate/class_field.h"
#include "calor/propagate/stages.h"

namespace calor::propagate {

using namespace pipeline;

static void weigh(State& state, const Context& context) {
  if (state.field) {
    require(state.field_names == std::vector<std::string>{"value"}, Fault::usage,
            "[average] expected values, found {}: use vote in the place of average, or leave it out", list_names(state.field_names));
    state.scores = *state.field;
    return;
  }
  const Matrix sums = flow(state.similarity, value_field(*state.data, state.similarity.column_rows.get(), "average"), context);
  state.scores.resize(sums.rows(), 1);
  std::int64_t unreached = 0;
  for (Eigen::Index i = 0; i < sums.rows(); ++i) {
    state.scores(i, 0) = sums(i, 1) > 0 ? sums(i, 0) / sums(i, 1) : std::numeric_limits<double>::quiet_NaN();
    unreached += !(sums(i, 1) > 0);
  }
  note_unreached(state, "average", unreached, "value");
}

static void run(State& state, const Arguments&, Kept&, const Context& context) { weigh(state, context); }
static void place(State& state, const Arguments&, const Kept&, const Context& context) { weigh(state, context); }
static void estimate(Estimate& estimate, const Arguments&) { estimate.pass(); }
static Wants wants(const Arguments&) { return Wants::values; }

const Stage average_stage{"average", Kind::read_out, types::any_similarity, types::prediction, {},
                          "the similarity-weighted mean of the measured values",
                          "", run, place, estimate, nullptr, takes_any_form, wants, true};

}  // namespace calor::propagate
