// inflate(r): value^r, factors included; strong values grow against weak ones.  Edits the record, nothing is computed:
// exp(score / scale)^r = exp(r score / scale).  van Dongen 2000 (Markov clustering).
#include "calor/core/error.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"r", Parameter::Takes::number, "2", 1e-3, 1000, "", "the power: above 1 strengthens large values, below 1 small ones"}};

// Whether every value is at least 0, so that it has a real power.
static bool has_powers(const Similarity& record) {
  if (record.strengthen.kind == Strengthen::Kind::exponential) return true;
  switch (record.score.kind) {
    case Score::Kind::indicator: return true;
    case Score::Kind::power_distance: return record.score.power < 0;
    case Score::Kind::dot:
    case Score::Kind::cosine: return false;
    case Score::Kind::stored: break;
  }
  if (record.dense) return record.dense->minCoeff() >= 0;
  for (const double value : record.support->values)
    if (value < 0) return false;
  return true;
}

static void inflate(Similarity& record, double r) {
  require(has_powers(record), Fault::usage,
          "[inflate] expected values of at least 0, found scores that can be negative: put exp before it, or a negative power of the distance");
  Strengthen& strengthen = record.strengthen;
  if (strengthen.kind == Strengthen::Kind::exponential) {
    strengthen.scale /= r;
  } else {
    strengthen.exponent = r * (strengthen.kind == Strengthen::Kind::power ? strengthen.exponent : 1);
    strengthen.kind = Strengthen::Kind::power;
  }
  record.log_row *= r;
  record.log_column *= r;
  record.normalised.clear();
}

static void run(State& state, const Arguments& arguments, Kept&, const Context&) { inflate(state.similarity, arguments.number("r")); }
static void place(State& state, const Arguments& arguments, const Kept&, const Context&) { inflate(state.similarity, arguments.number("r")); }

static void outline(Outline& outline, const Arguments&) {
  require(outline.plain != Fact::yes || outline.scores != Outline::Scores::distances, Fault::usage,
          "[inflate] expected values of at least 0, found minus distances: put exp before it, or a negative power of the distance");
  outline.plain = Fact::no;
}

const Stage inflate_stage{"inflate", Kind::strengthen, types::any_similarity, types::similarity, parameters, "each value to the power r",
                          "10.1137/040608635", run, place, nullptr, outline, takes_any_form};

}  // namespace calor::similarity
