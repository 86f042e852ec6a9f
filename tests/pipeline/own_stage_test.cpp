// The stage of docs/recipes/write-your-own-stage.md: its code there is this file's, and this test compiles and runs it.
#include <gtest/gtest.h>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/forms.h"
#include "calor/pipeline/outline.h"
#include "calor/similarity/initialise.h"
#include "support.h"

// [begin: the stage]
namespace calor::similarity {

using namespace pipeline;

// threshold(least): keeps the edges whose value is at least `least`.  O(edges).
static constexpr Parameter threshold_parameters[] = {
    {"least", Parameter::Takes::number, "0.5", 0, 1e300, "", "the smallest value that stays"}};

static void outline_threshold(Outline& outline, const Arguments&) {
  require(outline.may_not(outline.all_pairs), Fault::usage, "[threshold] expected a similarity on a graph, found all pairs: put knn before it");
  outline.plain = Fact::unknown;
  outline.scores = Outline::Scores::unknown;
}

static void keep_strong_edges(State& state, const Arguments& arguments, Kept&, const Context& context) {
  Similarity record = store_scores(state.similarity, context);
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < record.rows; ++i)
    for (std::int64_t e = record.support->begin[i]; e < record.support->begin[i + 1]; ++e)
      if (record.support->values[e] >= arguments.number("least"))
        edges.push_back({i, record.support->column[e], record.support->values[e]});
  record.support = std::make_shared<const Csr>(from_edges(record.rows, record.columns, std::move(edges)));
  state.similarity = std::move(record);
}

const Stage threshold_stage{"threshold", Kind::strengthen, types::any_similarity, types::similarity, threshold_parameters,
                            "keeps the edges of at least a value", "", keep_strong_edges, nullptr, nullptr, outline_threshold,
                            takes_any_form};

}  // namespace calor::similarity
// [end: the stage]

namespace calor::pipeline {
namespace {

TEST(OwnStage, RunsAmongTheOthers) {
  StageList stages = recipes::all_stages();
  stages.push_back(&similarity::threshold_stage);
  const Matrix x = random_points(30, 2, 1);
  const auto run = [&](const char* text) { return fit(bind_stages(parse(text), stages), data_of_points(x), 0, Context()).result; };
  const Matrix all = materialise(run("knn(5) | distance(2) | exp(1)").similarity, "test", Context());
  const Matrix strong = materialise(run("knn(5) | distance(2) | exp(1) | threshold(0.8)").similarity, "test", Context());
  EXPECT_EQ(strong, (all.array() >= 0.8).select(all, 0.0).matrix());
  EXPECT_GT((strong.array() > 0).count(), 0);
  EXPECT_LT((strong.array() > 0).count(), (all.array() > 0).count());
  EXPECT_EQ(without_form(bind_stages(parse("knn(5) | distance(2) | exp(1) | threshold(0.8)"), stages), Form::sparse), nullptr);
  expect_fault(Fault::usage, "put knn before it\n  distance(2) | exp(1) | threshold\n                         ^^^^^^^^^",
               [&] { bind_stages(parse("distance(2) | exp(1) | threshold"), stages); });
}

}  // namespace
}  // namespace calor::pipeline
