// Another back end in the processor's place: every pass over a record goes through its table, and nothing else is needed.
#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "calor/engine/back_end.h"
#include "support.h"

namespace calor::pipeline {
namespace {

enum Pass { one_pass, row_sums, sums, means, best, values, edge_values, passes };
std::array<std::atomic<int>, passes> calls;

// Counts its calls, has no fused pass, and computes as the processor does.
const engine::BackEnd& counting() {
  using engine::cpu_back_end, engine::Similarity;
  static const engine::BackEnd table{
      "counting",
      [](const Similarity&) { return ++calls[one_pass], false; },
      [](const Similarity& similarity, const Context& context) { return ++calls[row_sums], cpu_back_end().log_row_sums(similarity, context); },
      [](const Similarity& similarity, const Matrix& h, const Context& context) { return ++calls[sums], cpu_back_end().weighted_sums(similarity, h, context); },
      [](const Similarity& similarity, const Matrix& h, const Context& context) { return ++calls[means], cpu_back_end().softmax_means(similarity, h, context); },
      [](const Similarity& similarity, const Context& context) { return ++calls[best], cpu_back_end().best_columns(similarity, context); },
      [](const Similarity& similarity, const Context& context) { return ++calls[values], cpu_back_end().values(similarity, context); },
      [](const Similarity& similarity, const Context& context) { return ++calls[edge_values], cpu_back_end().edge_values(similarity, context); }};
  return table;
}

struct InUse {
  InUse() {
    for (auto& each : calls) each = 0;
    engine::use_back_end(&counting());
  }
  ~InUse() { engine::use_back_end(nullptr); }
};

TEST(BackEnd, EveryPassGoesThroughItsTable) {
  const Matrix points = random_points(300, 4, 3);
  const auto compare = [&](const char* text, std::initializer_list<Pass> used) {
    SCOPED_TRACE(text);
    const Fit here = run_text(text, points);
    const InUse other;
    const Fit there = run_text(text, points);
    EXPECT_LT((*here.result.points - *there.result.points).cwiseAbs().maxCoeff(), 1e-9 * (1 + here.result.points->cwiseAbs().maxCoeff()));
    EXPECT_EQ(here.result.labels, there.result.labels);
    for (const Pass pass : used) EXPECT_GT(calls[pass].load(), 0) << "pass " << pass;
  };
  compare("distance(2) | exp(0.7) | row | apply", {one_pass, row_sums, sums});
  compare("repeat(distance(2) | exp(0.7) | row | apply, tolerance=0.0001)", {one_pass, row_sums, sums});
  compare("knn(6) | distance(2) | exp(0.7) | row | apply", {one_pass, row_sums, sums});
  compare("distance(2) | double_center | eigen(2)", {values});
  compare("knn(6) | distance(2) | exp(auto) | mean | two_side(1) | eigen(2)", {edge_values});
}

TEST(BackEnd, TheProcessorsIsTheOneInUse) {
  EXPECT_EQ(engine::back_end().name, "cpu");
  EXPECT_EQ(engine::gpu_back_end(), nullptr);
}

}  // namespace
}  // namespace calor::pipeline
