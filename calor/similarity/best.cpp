// best(column): 1 for the most similar row of each column, 0 elsewhere; the limit of ever stronger strengthening.
// The first of equal ones wins.  Gives one edge a column (or a row): O(rows + columns) memory.
#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/outline.h"
#include "calor/pipeline/state.h"
#include "calor/similarity/stages.h"

namespace calor::similarity {

using namespace pipeline;

static constexpr Parameter parameters[] = {
    {"of", Parameter::Takes::word, "column", 0, 0, "column|row", "keep one for each column, or one for each row"}};

// The record with an edge of weight 1 at best[i] of each row i.
static Similarity chosen(const Similarity& from, const std::vector<std::int64_t>& best, std::int64_t columns) {
  Csr graph;
  graph.rows = static_cast<std::int64_t>(best.size());
  graph.columns = columns;
  for (const std::int64_t to : best) {
    if (to >= 0) {
      graph.column.push_back(static_cast<std::int32_t>(to));
      graph.values.push_back(1);
    }
    graph.begin.push_back(graph.edges());
  }
  Similarity record = stored_similarity(std::move(graph));
  record.column_rows = from.column_rows;
  return record;
}

static void run(State& state, const Arguments& arguments, Kept&, const Context& context) {
  const Similarity& from = state.similarity;
  if (arguments.word("of") == "row") {
    state.similarity = chosen(from, best_columns(from, context), from.columns);
    return;
  }
  const Similarity turned = transpose(from);
  Similarity record = transpose(chosen(turned, best_columns(turned, context), turned.columns));
  record.column_rows = from.column_rows;
  state.similarity = std::move(record);
}

static void place(State& state, const Arguments& arguments, const Kept&, const Context& context) {
  require(arguments.word("of") == "row", Fault::usage,
          "[best] expected best(row) for new points, found best(column), which compares all rows with each other");
  state.similarity = chosen(state.similarity, best_columns(state.similarity, context), state.similarity.columns);
}

static void estimate(Estimate& estimate, const Arguments&) {
  estimate.pass();
  estimate.edges = estimate.rows;
  estimate.hold(28 * estimate.rows);
}

static void outline(Outline& outline, const Arguments&) {
  outline.all_pairs = outline.symmetric = outline.equal_both_ways = Fact::no;
  outline.plain = Fact::yes;
  outline.scores = Outline::Scores::others;
}

const Stage best_stage{"best", Kind::strengthen, types::any_similarity, types::similarity, parameters,
                       "1 for the most similar row of each column, 0 elsewhere", "", run, place, estimate, outline, takes_any_form};

}  // namespace calor::similarity
