// distance(t): -sign(t) d^t, decreasing in d for either sign.  A record over all pairs or on a graph; nothing is computed here.
#include "calor/core/error.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"t", Parameter::Takes::number, "2", -100, 100, "", "the power of the distance; not 0"},
    {"metric", Parameter::Takes::word, "euclidean", 0, 0, "euclidean|cosine|manhattan", "how far two points are apart; cosine: 1 - cosine"},
    {"to", Parameter::Takes::word, "points", 0, 0, to_words, "what the columns are"}};

static Score score_of(const Arguments& arguments) {
  const double power = arguments.number("t");
  require(power != 0, Fault::usage, "[distance] expected a power other than 0, found 0: every distance ^ 0 is 1");
  return {Score::Kind::power_distance, power, metric_of(arguments.word("metric"))};
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context&) {
  initialise(state, score_of(arguments), arguments.word("to"), kept);
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context&) {
  initialise_new(state, score_of(arguments), arguments.word("to"), kept);
}

const Stage distance_stage{"distance", Kind::initialise, types::coordinates | types::graph, types::similarity, parameters,
                           "minus the distance to the power t: nearer is more alike", "", run, place, estimate_scores};

}  // namespace calor::similarity
