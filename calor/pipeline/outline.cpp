#include "calor/pipeline/outline.h"

#include "calor/core/error.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

Outline outline_of_data() {
  Outline outline;
  outline.prototypes = outline.moved = outline.flowing = Fact::no;
  return outline;
}

Outline outline_after(const std::vector<BoundStage>& stages) {
  Outline outline = outline_of_data();
  for (const BoundStage& bound : stages) trace(bound, outline);
  return outline;
}

Outline outline_of(const State& state) {
  Outline outline;
  outline.type = state.type;
  outline.prototypes = fact(state.prototypes);
  outline.moved = fact(state.moved());
  outline.flowing = fact(state.field != nullptr);
  if (state.type == types::graph) {
    outline.all_pairs = Fact::no;
    outline.square = fact(state.graph->rows == state.graph->columns);
  }
  if (!(state.type & types::any_similarity)) return outline;
  const Similarity& record = state.similarity;
  outline.all_pairs = fact(record.all_pairs());
  outline.square = fact(record.rows == record.columns);
  outline.symmetric = fact(record.symmetric);
  outline.equal_both_ways = fact(record.symmetric && record.log_row.size() == record.log_column.size() && record.log_row == record.log_column);
  outline.plain = fact(record.strengthen.kind == Strengthen::Kind::none && record.normalised.empty());
  if (record.score.kind == Score::Kind::power_distance && record.score.power > 0) outline.scores = Outline::Scores::distances;
  else if (record.score.kind != Score::Kind::stored) outline.scores = Outline::Scores::others;
  return outline;
}

void trace(const BoundStage& bound, Outline& outline) {
  outline.type = bound.takes;
  at_stage(bound, [&] {
    if (bound.stage->outline) bound.stage->outline(outline, bound.arguments);
    else outline = {};
  });
  outline.type = bound.gives;
}

void require_symmetric(const Outline& outline, const char* op) {
  require(outline.may(outline.symmetric) && outline.may(outline.square), Fault::usage,
          "[{}] expected a similarity that is symmetric up to factors, found {}: {}", op,
          outline.square == Fact::no ? "a rectangle" : "one that is not",
          outline.all_pairs == Fact::yes ? "compare the points with themselves (leave out to=), by one bandwidth for all rows"
                                         : "put mean or union before it (knn goes one way)");
}

void require_all_distances(const Outline& outline, const char* op) {
  require(outline.may(outline.plain) && outline.may_be_distances(), Fault::usage,
          "[{}] expected distances, found {}: put it right after distance(1) or geodesic", op,
          outline.may(outline.plain) ? "other scores" : "a strengthened or normalised similarity");
  require(outline.may(outline.all_pairs), Fault::usage,
          "[{}] expected distances over all pairs, found a graph's: put geodesic before it, or leave out the graph", op);
  require_symmetric(outline, op);
}

void require_square(const Outline& outline, const char* op, const char* remedy) {
  require(outline.may(outline.square), Fault::usage, "[{}] expected as many rows as columns, found a rectangle: {}", op, remedy);
}

}  // namespace calor::pipeline
