// sinkhorn(iterations): value(i, j) u_i v_j whose every row and every column adds up to 1 (Sinkhorn & Knopp 1967).
//
// A similarity that is symmetric up to its factors keeps one factor f = u = v: log f <- (log f - log sum_j value(i, j) f_j) / 2,
// one pass an iteration.  Near the solution an error along an eigenvector of the result shrinks by (1 - eigenvalue) / 2, so
// at least by half for a positive kernel (Knight, Ruiz & Ucar 2014; Marshall & Coifman 2019).  Any other similarity alternates
// columns and rows, two passes an iteration.  Streams over all pairs and over a support; O(N) memory; in logarithms.
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

// Sums of a million terms are right to about 1e-13: ten times farther from 1 than that could be rounding, this cannot.
static constexpr double tolerance = 1e-10;
static constexpr int most_iterations = 1000;

static constexpr Parameter parameters[] = {
    {"iterations", Parameter::Takes::number_or_word, "auto", 1, 1e6, "auto",
     "the most there are; auto: until sums are 1 within 1e-10, at most 1000 (in training: 10, each a pass of the gradient)"}};

// How far the sums are from 1; a row without values cannot be scaled and does not count.
static double deviation(const Vector& log_sums) {
  double farthest = 0;
  for (const double sum : log_sums)
    if (std::isfinite(sum)) farthest = std::max(farthest, std::abs(std::expm1(sum)));
  return farthest;
}

static std::int64_t without_values(const Vector& log_sums) {
  return std::count_if(log_sums.begin(), log_sums.end(), [](double sum) { return !std::isfinite(sum); });
}

// factor -= share of the sums, where there are any.
static void divide(Vector& log_factor, const Vector& log_sums, double share) {
  for (Eigen::Index i = 0; i < log_factor.size(); ++i)
    if (std::isfinite(log_sums[i])) log_factor[i] -= share * log_sums[i];
}

struct Scaling {
  int iterations = 0;
  double deviation = 0;     // of the columns, and for a symmetric similarity of the rows
  std::int64_t empty = 0;   // rows and columns without values
};

static Scaling scale_symmetric(Similarity& record, int most, const Context& context) {
  Scaling scaling;
  record.log_row = record.log_column = Vector::Zero(record.rows);  // the solution does not depend on earlier factors
  for (;;) {
    const Vector sums = log_row_sums(record, context);
    scaling.deviation = deviation(sums);
    scaling.empty = without_values(sums);
    if (scaling.deviation <= tolerance || scaling.iterations == most) return scaling;
    divide(record.log_row, sums, 0.5);
    record.log_column = record.log_row;
    ++scaling.iterations;
  }
}

static Scaling scale_alternately(Similarity& record, int most, const Context& context) {
  Scaling scaling;
  record.log_row = record.log_column = Vector::Zero(record.rows);
  for (;;) {
    const Vector column_sums = log_column_sums(record, context);
    scaling.deviation = deviation(column_sums);
    if (scaling.iterations > 0 && (scaling.deviation <= tolerance || scaling.iterations == most)) return scaling;
    divide(record.log_column, column_sums, 1);
    const Vector row_sums = log_row_sums(record, context);
    divide(record.log_row, row_sums, 1);
    scaling.empty = without_values(column_sums) + without_values(row_sums);
    ++scaling.iterations;
  }
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  keep_scores(record, context);
  const int most = arguments.is_number("iterations") ? static_cast<int>(arguments.integer("iterations")) : most_iterations;
  const Scaling scaling =
      record.symmetric ? scale_symmetric(record, most, context) : scale_alternately(record, most, context);
  record.normalised.push_back(Normalisation::sinkhorn);
  state.figures["iterations"] = scaling.iterations;
  state.figures["deviation"] = scaling.deviation;
  if (scaling.empty)
    state.note("sinkhorn", fmt::format("{} rows and columns have no values and stay empty", scaling.empty));
  if (scaling.deviation > tolerance)
    state.note("sinkhorn",
               fmt::format("after {} iterations sums are still up to {:.2g} from 1: allow more, or, where the graph has no such "
                           "scaling, put self_loops or mean before it",
                           scaling.iterations, scaling.deviation));
  kept.keep("log_column", Matrix(record.log_column));
}

// New rows meet the columns with the factors of the fit, and add up to 1.
static void place(State& state, const Arguments&, const Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  record.log_row = Vector::Zero(record.rows);
  record.log_column = kept.array("log_column").col(0);
  divide(record.log_row, log_row_sums(record, context), 1);
  record.normalised.push_back(Normalisation::sinkhorn);
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  estimate.keep_scores();
  constexpr double usual_passes = 30;
  const double passes = arguments.is_number("iterations") ? 2 * arguments.number("iterations") : usual_passes;
  Estimate once = estimate;
  once.pass();
  estimate.operations += passes * (once.operations - estimate.operations);
  estimate.visits += passes * (once.visits - estimate.visits);
}

static void outline(Outline& outline, const Arguments&) {
  require_square(outline, "sinkhorn", "use row, or column");
  outline.plain = Fact::no;
  outline.equal_both_ways = outline.symmetric;
}

const Stage sinkhorn_stage{"sinkhorn", Kind::normalise, types::any_similarity, types::normalised, parameters,
                           "each row and each column adds up to 1", "10.2140/pjm.1967.21.343", run, place, estimate, outline,
                           takes_any_form};

}  // namespace calor::similarity
