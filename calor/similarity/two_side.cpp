// two_side(alpha): K_ij / (q_i^alpha q_j^alpha), q = row sums.  alpha = 1 removes the sampling density from the limit,
// alpha = 1/2 is the symmetric normalisation of graphs.  Coifman & Lafon 2006.  One extra pass over the similarity; O(N) memory.
// of=keys: K_ij / q_j^alpha, q_j = sum over k != j of K(key_j, key_k): how crowded the columns are, whatever the rows.
// alpha=loo: the alpha, and where exp(loo) chose the bandwidth that too, by which labelled columns are predicted best by the
// others (leave_one_out.h).
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/normalise.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/leave_one_out.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"alpha", Parameter::Takes::number_or_word, "1", 0, 1, "loo",
     "0 keeps the density, 1 removes it; loo, with of=keys: by how well each labelled column is predicted by the others"},
    {"of", Parameter::Takes::word, "rows", 0, 0, "rows|keys",
     "rows: each pair by the row sums of both; keys: each column by its sum over the other columns"}};

// -alpha log q, 0 where a row is empty.
static Vector factors(Vector log_sums, double alpha) {
  for (double& value : log_sums) value = std::isfinite(value) ? -alpha * value : 0;
  return log_sums;
}

static Normaliser step(const Arguments& arguments) { return {Normaliser::Kind::two_side, arguments.number("alpha")}; }
static bool of_keys(const Arguments& arguments) { return arguments.word("of") == "keys"; }

// The factors of the columns; edits the scale of exp(loo).
static Vector key_factors(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  require(record.all_pairs() && record.column_points && record.strengthen.kind == Strengthen::Kind::exponential &&
              record.strengthen.scale.size() == 1,
          Fault::usage, "[two_side] expected an exponential of one bandwidth over all pairs for of=keys, found {}: put exp(loo) or exp(2) before it",
          describe(record));
  if (arguments.is_number("alpha")) return factors(log_row_sums(among_columns(record), context), arguments.number("alpha"));
  if (kept.has("alpha")) {  // chosen in the first of several repetitions
    record.strengthen.scale[0] = kept.number("scale");
    return factors(log_row_sums(among_columns(record), context), kept.number("alpha"));
  }
  LeaveOneOutOptions options;
  options.exponents = true;
  if (!record.strengthen.by_leave_one_out) options.scales = {record.strengthen.scale[0]};
  const LeaveOneOut found = leave_one_out(keys_of(record, "two_side"), known_columns(record, *state.data, "two_side"), options, context);
  report(found, state);
  const LeaveOneOut::Choice choice = found.best();
  const double alpha = found.alphas[choice.alpha], scale = found.scales[choice.scale];
  state.figures["alpha"] = alpha;
  state.figures["bandwidth"] = scale;
  record.strengthen.scale[0] = scale;
  kept.keep_number("scale", scale);
  kept.keep_number("alpha", alpha);
  return factors(found.log_density.col(static_cast<Eigen::Index>(choice.scale)), alpha);
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  if (of_keys(arguments)) {
    const Vector factor = key_factors(state, arguments, kept, context);
    if (record.log_column.size()) record.log_column += factor;
    else record.log_column = factor;
    record.normalised.push_back(Normaliser::Kind::two_side);
  } else {
    normalise(record, step(arguments), context);
  }
  kept.keep("log_column", Matrix(record.log_column));
}

// The new point's own sum on its side, the fit's sums on the other.
static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  if (kept.has("scale")) record.strengthen.scale = Vector::Constant(1, kept.number("scale"));
  if (!of_keys(arguments)) {
    normalise_new_rows(record, step(arguments), kept.array("log_column").col(0), context);
    return;
  }
  record.log_column = kept.array("log_column").col(0);
  record.normalised.push_back(Normaliser::Kind::two_side);
}

static void estimate(Estimate& estimate, const Arguments& arguments) {
  if (!of_keys(arguments)) estimate.keep_scores();
  const bool chosen = !arguments.is_number("alpha");
  estimate.pass(chosen ? leave_one_out_passes : 1);
  if (chosen) estimate.use(leave_one_out_bytes * estimate.columns);
}

static void outline(Outline& outline, const Arguments& arguments) {
  if (of_keys(arguments)) {
    require(outline.may(outline.all_pairs) && outline.may_not(outline.plain), Fault::usage,
            "[two_side] expected an exponential of one bandwidth over all pairs for of=keys, found {}: put exp(loo) or exp(2) before it, "
            "without a graph", outline.may(outline.all_pairs) ? "bare scores" : "a graph");
    outline.equal_both_ways = Fact::no;
  } else {
    require(arguments.is_number("alpha"), Fault::usage, "[two_side] expected of=keys with alpha=loo, found of=rows: write two_side(loo, of=keys)");
    require_square(outline, "two_side", "with of=keys the columns' own density is taken out");
  }
  outline.plain = Fact::no;
}

static Wants wants(const Arguments& arguments) { return arguments.is_number("alpha") ? Wants::nothing : Wants::labels; }

static std::string_view why_dense(Form form, const BoundStage& bound) {
  const bool given = form == Form::distances || form == Form::some_distances;
  return given && of_keys(bound.arguments) ? "the keys' density is computed from points: leave of=keys out" : "";
}

const Stage two_side_stage{"two_side", Kind::normalise, types::any_similarity, types::normalised, parameters,
                           "value / (q_i^alpha q_j^alpha), q the row sums", "10.1016/j.acha.2006.04.006", run, place, estimate, outline,
                           why_dense, wants};

}  // namespace calor::similarity
