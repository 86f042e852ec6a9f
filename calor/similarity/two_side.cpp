// two_side(alpha): K_ij / (q_i^alpha q_j^alpha), q = row sums.  alpha = 1 removes the sampling density from the limit,
// alpha = 1/2 is the symmetric normalisation of graphs.  Coifman & Lafon 2006.  One extra pass over the similarity; O(N) memory.
// of=keys: K_ij / q_j^alpha, q_j = sum over k != j of K(key_j, key_k): how crowded the columns are, whatever the rows.
// alpha=loo: short for tune(loo, two_side.alpha, ..).
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/normalise.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"alpha", Parameter::Takes::number_or_word, "1", 0, 1, "loo",
     "0 keeps the density, 1 removes it; loo, with of=keys: short for tune(loo, two_side.alpha, ..): by how well each labelled column is predicted by the others"},
    {"of", Parameter::Takes::word, "rows", 0, 0, "rows|keys",
     "rows: each pair by the row sums of both; keys: each column by its sum over the other columns"}};

// -alpha log q, 0 where a row is empty.
static Vector factors(Vector log_sums, double alpha) {
  for (double& value : log_sums) value = std::isfinite(value) ? -alpha * value : 0;
  return log_sums;
}

static Normaliser step(const Arguments& arguments) { return {Normaliser::Kind::two_side, arguments.number("alpha")}; }
static bool of_keys(const Arguments& arguments) { return arguments.word("of") == "keys"; }

// The factors of the columns, by what was chosen where something was (tune).
static Vector key_factors(const State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const Similarity& record = state.similarity;
  require(record.all_pairs() && record.column_points && record.strengthen.kind == Strengthen::Kind::exponential &&
              record.strengthen.scale.size() == 1,
          Fault::usage, "[two_side] expected an exponential of one bandwidth over all pairs for of=keys, found {}: put exp(loo) or exp(2) before it",
          describe(record));
  return factors(kept.has("log_density") ? Vector(kept.array("log_density").col(0)) : log_row_sums(among_columns(record), context),
                 kept.has("alpha") ? kept.number("alpha") : arguments.number("alpha"));
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  Similarity& record = state.similarity;
  if (of_keys(arguments)) {
    const Vector factor = key_factors(state, arguments, kept, context);
    if (record.log_column.size()) record.log_column += factor;
    else record.log_column = factor;
    record.normalised.push_back(Normaliser::Kind::two_side);
    if (kept.has("alpha")) state.figures["alpha"] = kept.number("alpha");
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
  estimate.pass();
}

static void outline(Outline& outline, const Arguments& arguments) {
  if (of_keys(arguments)) {
    require(outline.may(outline.all_pairs) && outline.may_not(outline.plain), Fault::usage,
            "[two_side] expected an exponential of one bandwidth over all pairs for of=keys, found {}: put exp(loo) or exp(2) before it, "
            "without a graph", outline.may(outline.all_pairs) ? "bare scores" : "a graph");
    outline.equal_both_ways = Fact::no;
  } else {
    require_square(outline, "two_side", "with of=keys the columns' own density is taken out");
  }
  outline.plain = Fact::no;
}

static std::string_view why_dense(Form form, const BoundStage& bound) {
  const bool given = form == Form::distances || form == Form::some_distances;
  return given && of_keys(bound.arguments) ? "the keys' density is computed from points: leave of=keys out" : "";
}

const Stage two_side_stage{"two_side", Kind::normalise, types::any_similarity, types::normalised, parameters,
                           "value / (q_i^alpha q_j^alpha), q the row sums", "10.1016/j.acha.2006.04.006", run, place, estimate, outline,
                           why_dense};

}  // namespace calor::similarity
