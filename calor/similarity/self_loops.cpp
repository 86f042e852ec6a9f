// self_loops: every point is its own neighbour too, with weight w (added to what is there); or, instead of what is there, with the greatest
// weight of its other edges, 1 where it has none, as Markov clustering weighs them: a loop then holds back as much flow as one edge takes.
#include <algorithm>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"weight", Parameter::Takes::number_or_word, "1", 0, std::numeric_limits<double>::infinity(), "greatest",
     "weight of the edge from a point to itself; greatest: that of its other edges"}};

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  Similarity record = store_scores(state.similarity, context);
  const Csr& support = *record.support;
  const bool greatest = !arguments.is_number("weight");
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < support.rows; ++i) {
    double weight = greatest ? 0 : arguments.number("weight");
    for (std::int64_t e = support.begin[i]; e < support.begin[i + 1]; ++e) {
      if (greatest && support.column[e] == i) continue;
      edges.push_back({i, support.column[e], support.values[e]});
      if (greatest) weight = std::max(weight, support.values[e]);
    }
    edges.push_back({i, i, greatest && weight == 0 ? 1 : weight});
  }
  record.support = std::make_shared<const Csr>(from_edges(support.rows, support.columns, std::move(edges)));
  state.similarity = std::move(record);
}

// New points are no columns, which a loop would lead to.
static void place(State&, const Arguments&, const Kept&, const Context&) {}

static void outline(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.all_pairs), Fault::usage,
          "[self_loops] expected a similarity on a graph, found all pairs, which have the diagonal: leave it out");
  require_square(outline, "self_loops", "leave it out, or leave out to=");
  outline.plain = Fact::unknown;
  outline.scores = Outline::Scores::unknown;
}

const Stage self_loops_stage{"self_loops", Kind::support, types::any_similarity, types::similarity, parameters,
                             "every point is its own neighbour too",
                             "", run, place, nullptr, outline, takes_any_form};

}  // namespace calor::similarity
