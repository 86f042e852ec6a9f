// distance(t): -sign(t) d^t, decreasing in d for either sign.  A record over all pairs or on a graph; nothing is computed here but for
// from=nearest, which stores the edges' values: d less the distance to the row's nearest neighbour at another place (UMAP).
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"t", Parameter::Takes::number, "2", -1e5, 100, "", "the power of the distance; not 0"},
    {"metric", Parameter::Takes::word, "euclidean", 0, 0, "euclidean|cosine|manhattan", "distance between two points; cosine: 1 - cosine"},
    {"to", Parameter::Takes::word, "points", 0, 0, to_words, "what the columns are"},
    {"from", Parameter::Takes::word, "zero", 0, 0, "zero|nearest", "nearest: on a graph, distances minus that to the nearest neighbour"}};

static Score score_of(const Arguments& arguments) {
  return {Score::Kind::power_distance, arguments.number("t"), metric_of(arguments.word("metric"))};
}

void count_from_nearest(Similarity& record, double power, const Context& context) {
  record.score.power = 1;  // scores are minus the distances
  Csr graph = scores_on_support(record, context);
  for (std::int64_t i = 0; i < graph.rows; ++i) {
    double nearest = std::numeric_limits<double>::infinity();
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
      if (-graph.values[e] > 0) nearest = std::min(nearest, -graph.values[e]);
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
      graph.values[e] = -graph.values[e] > nearest ? -std::pow(-graph.values[e] - nearest, power) : 0;
  }
  record.support = std::make_shared<const Csr>(std::move(graph));
  record.score = {};
  record.forget_points();
  record.symmetric = false;
}

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  initialise(state, score_of(arguments), arguments.word("to"), kept);
  if (arguments.word("from") == "nearest") count_from_nearest(state.similarity, arguments.number("t"), context);
}

static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  initialise_new(state, score_of(arguments), arguments.word("to"), kept);
  if (arguments.word("from") == "nearest") count_from_nearest(state.similarity, arguments.number("t"), context);
}

static void outline(Outline& outline, const Arguments& arguments) {
  const double power = arguments.number("t");
  require(power != 0, Fault::usage, "[distance] expected a power other than 0, found 0: every distance ^ 0 is 1; give 1 or 2");
  const bool nearest = arguments.word("from") == "nearest";
  require(!nearest || outline.type == types::graph, Fault::usage,
          "[distance] expected a graph for from=nearest, found all pairs: put knn before it");
  require(!nearest || power > 0, Fault::usage, "[distance] expected a power above 0 for from=nearest, found {}: give 1", power);
  outline_scores(outline, nearest ? Outline::Scores::lengths : power > 0 ? Outline::Scores::distances : Outline::Scores::others,
                 arguments.word("to"));
  if (nearest) outline.symmetric = outline.equal_both_ways = Fact::no;
}

static Wants wants(const Arguments& arguments) { return wants_by(arguments.word("to")); }

static std::string_view why_dense(Form form, const BoundStage& bound) {
  if (bound.takes != types::graph && form == Form::sparse) return "all pairs are computed from dense points";
  if (bound.takes != types::graph && form == Form::some_distances) return "give it, or begin with knn or radius, for which it is no neighbour";
  return other_metric(form, bound);
}

const Stage distance_stage{"distance", Kind::initialise, types::coordinates | types::graph, types::similarity, parameters,
                           "minus the distance to the power t: nearer is more alike", "", run, place, nullptr, outline, why_dense, wants};

}  // namespace calor::similarity
