// two_side(alpha): K_ij / (q_i^alpha q_j^alpha), q = row sums.  alpha = 1 removes the sampling density from the limit,
// alpha = 1/2 is the symmetric normalisation of graphs.  Coifman & Lafon 2006.  One extra pass over the similarity; O(N) memory.
#include <cmath>

#include "calor/core/error.h"
#include "calor/pipeline/engine.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"alpha", Parameter::Takes::number, "1", 0, 1, "", "0 keeps the density, 1 removes it"}};

// -alpha log q, 0 where a row is empty.
static Vector factors(const Similarity& record, double alpha, const Context& context) {
  Vector result = log_row_sums(record, context);
  for (double& value : result) value = std::isfinite(value) ? -alpha * value : 0;
  return result;
}

static void multiply(Vector& log_factors, const Vector& more) {
  if (log_factors.size()) log_factors += more;
  else log_factors = more;
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  require(record.rows == record.columns, Fault::usage, "[two_side] expected as many rows as columns, found {} and {}", record.rows,
          record.columns);
  const Vector factor = factors(record, arguments.number("alpha"), context);
  multiply(record.log_row, factor);
  multiply(record.log_column, factor);
  record.normalised.push_back(Normalisation::two_side);
  kept.keep("log_column", Matrix(record.log_column));
}

// The new point's own sum on its side, the fit's sums on the other.
static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  const Vector factor = factors(record, arguments.number("alpha"), context);
  multiply(record.log_row, factor);
  record.log_column = kept.array("log_column").col(0);
  record.normalised.push_back(Normalisation::two_side);
}

static void estimate(Estimate& estimate, const Arguments&) { estimate.pass(); }

const Stage two_side_stage{"two_side", Kind::normalise, types::any_similarity, types::normalised, parameters,
                           "value / (q_i^alpha q_j^alpha), q the row sums", "10.1016/j.acha.2006.04.006", run, place, estimate};

}  // namespace calor::similarity
