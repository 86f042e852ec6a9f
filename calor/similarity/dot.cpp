// dot: x . y, the dot product of two points.
#include "calor/pipeline/outline.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {{"to", Parameter::Takes::word, "points", 0, 0, to_words, "what the columns are"}};

static void run(State& state, const Arguments& arguments, Kept& kept, const Context&) {
  initialise(state, {Score::Kind::dot}, arguments.word("to"), kept);
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context&) {
  initialise_new(state, {Score::Kind::dot}, arguments.word("to"), kept);
}

static void outline(Outline& outline, const Arguments& arguments) {
  outline_scores(outline, Outline::Scores::others, arguments.word("to"));
}

static Wants wants(const Arguments& arguments) { return wants_by(arguments.word("to")); }

static std::string_view why_dense(Form form, const BoundStage& bound) {
  if (form == Form::sparse) return bound.takes == types::graph ? "" : "all pairs are computed from dense points";
  return "give the points, or begin with distance(t)";
}

const Stage dot_stage{"dot", Kind::initialise, types::coordinates | types::graph, types::similarity, parameters,
                      "x . y, the dot product of two points", "", run, place, nullptr, outline, why_dense, wants};

}  // namespace calor::similarity
