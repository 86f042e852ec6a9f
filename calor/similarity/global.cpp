// global: value(i, j) / the sum of all.
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static void run(State& state, const Arguments&, Kept&, const Context& context) {
  Similarity& record = state.similarity;
  keep_scores(record, context);
  const Vector sums = log_row_sums(record, context);
  const double greatest = sums.size() ? sums.maxCoeff() : -std::numeric_limits<double>::infinity();
  require(std::isfinite(greatest), Fault::input, "[global] expected a similarity with values, found none");
  const double total = greatest + std::log((sums.array() - greatest).exp().sum());
  if (!record.log_row.size()) record.log_row = Vector::Zero(record.rows);
  record.log_row.array() -= total;
  record.normalised.push_back(Normalisation::global);
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.keep_scores();
  estimate.pass();
}

static void outline(Outline& outline, const Arguments&) {
  outline.plain = outline.equal_both_ways = Fact::no;
}

const Stage global_stage{"global", Kind::normalise, types::any_similarity, types::normalised, {},
                         "all values add up to 1", "", run, nullptr, estimate, outline, takes_any_form};

}  // namespace calor::similarity
