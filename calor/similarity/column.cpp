// column: value(i, j) / sum_k value(k, j).  A column without values stays empty.
#include <cmath>

#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static void run(State& state, const Arguments&, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  keep_scores(record, context);
  const Vector sums = log_column_sums(record, context);
  if (!record.log_column.size()) record.log_column = Vector::Zero(record.columns);
  for (std::int64_t j = 0; j < record.columns; ++j)
    if (std::isfinite(sums[j])) record.log_column[j] -= sums[j];
  record.normalised.push_back(Normalisation::column);
  kept.keep("log_column", Matrix(record.log_column));
}

// New rows meet the columns with the sums of the fit.
static void place(State& state, const Arguments&, const Kept& kept, const Context&) {
  state.similarity.log_column = kept.array("log_column").col(0);
  state.similarity.normalised.push_back(Normalisation::column);
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.keep_scores();
  estimate.pass();
}

static void outline(Outline& outline, const Arguments&) {
  outline.plain = outline.equal_both_ways = Fact::no;
}

const Stage column_stage{"column", Kind::normalise, types::any_similarity, types::normalised, {},
                         "each column adds up to 1", "", run, place, estimate, outline, takes_any_form};

}  // namespace calor::similarity
