// global: value(i, j) / the sum of all.  A new row is divided by the fit's sum.
#include "calor/engine/normalise.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static void run(State& state, const Arguments&, Kept& kept, const Context& context) {
  const double before = state.similarity.row_factor(0);
  normalise(state.similarity, {Normaliser::Kind::global}, context);
  kept.keep_number("log_sum", before - state.similarity.row_factor(0));
}

static void place(State& state, const Arguments&, const Kept& kept, const Context&) {
  Similarity& record = state.similarity;
  if (!record.log_row.size()) record.log_row = Vector::Zero(record.rows);
  record.log_row.array() -= kept.number("log_sum");
  record.normalised.push_back(Normaliser::Kind::global);
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.keep_scores();
  estimate.pass();
}

static void outline(Outline& outline, const Arguments&) {
  outline.plain = outline.equal_both_ways = Fact::no;
}

const Stage global_stage{"global", Kind::normalise, types::any_similarity, types::normalised, {},
                         "all values add up to 1", "", run, place, estimate, outline, takes_any_form};

}  // namespace calor::similarity
