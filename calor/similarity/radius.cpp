// radius(r): all others at distance at most r.
#include "calor/core/error.h"
#include "calor/engine/neighbours.h"
#include "calor/pipeline/outline.h"
#include "calor/similarity/initialise.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"r", Parameter::Takes::number, "", 0, std::numeric_limits<double>::infinity(), "", "the largest distance, in the units of the data"},
    {"metric", Parameter::Takes::word, "euclidean", 0, 0, "euclidean|cosine|manhattan", "distance between two points"}};

static void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  require(!state.given().nothing(), Fault::input, "[radius] expected points with features, found a bare graph: use adjacency");
  state.graph = std::make_shared<const Csr>(within(state.given(), state.given(), arguments.number("r"),
                                                   metric_of(arguments.word("metric")), true, context));
  state.columns = state.points;
  if (state.moved()) kept.keep("columns", state.points);
  std::int64_t lonely = 0;
  for (std::int64_t i = 0; i < state.rows(); ++i) lonely += state.graph->begin[i] == state.graph->begin[i + 1];
  if (lonely) state.note("radius", fmt::format("{} of {} points have no neighbour within {}", lonely, state.rows(), arguments.number("r")));
}

// The point of the fit that coincides with a new one is that point itself, and left out.
static void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) {
  const Points rows = state.given(), columns = kept.has("columns") ? Points{kept.shared("columns"), nullptr, nullptr} : state.data->points();
  state.columns = columns.dense;
  const Csr found = within(rows, columns, arguments.number("r"), metric_of(arguments.word("metric")), false, context);
  state.itself.assign(static_cast<std::size_t>(state.rows()), -1);
  Csr others;
  others.rows = found.rows;
  others.columns = found.columns;
  for (std::int64_t i = 0; i < found.rows; ++i) {
    for (std::int64_t e = found.begin[i]; e < found.begin[i + 1]; ++e)
      if (state.itself[i] < 0 && same_place(rows, i, columns, found.column[e])) state.itself[i] = found.column[e];
      else others.column.push_back(found.column[e]);
    others.begin.push_back(others.edges());
  }
  state.graph = std::make_shared<const Csr>(std::move(others));
  state.reverse = state.graph;
}

static void estimate(Estimate& estimate, const Arguments&) { estimate.pass(); }

static void outline(Outline& outline, const Arguments&) {
  outline.all_pairs = Fact::no;
  outline.square = outline.symmetric = Fact::yes;
}

static std::string_view why_dense(Form form, const BoundStage& bound) { return other_metric(form, bound); }

const Stage radius_stage{"radius", Kind::support, types::coordinates, types::graph, parameters,
                         "all others at distance at most r", "", run, place, estimate, outline, why_dense};

}  // namespace calor::similarity
