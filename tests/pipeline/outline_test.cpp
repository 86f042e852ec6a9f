// Refusals: what the text of a pipeline tells is refused when it is bound, before any data; what only data tell, when the stage runs;
// both with the caret under the stage, the reason and a remedy.  Expectations are written by hand.
#include "calor/pipeline/outline.h"

#include <gtest/gtest.h>

#include "calor/pipeline/syntax.h"
#include "support.h"

namespace calor::pipeline {
namespace {

// The text and the place that the carets of a message mark.
struct Shown {
  std::string reason, line, marked;
};

Shown shown(const std::string& message) {
  const std::size_t line = message.find("\n  "), carets = message.find("\n  ", line + 1);
  if (line == std::string::npos || carets == std::string::npos) return {message, "", ""};
  Shown result{message.substr(0, line), message.substr(line + 3, carets - line - 3), ""};
  const std::string marks = message.substr(carets + 3);
  const std::size_t first = marks.find('^');
  if (first < result.line.size()) result.marked = result.line.substr(first, marks.size() - first);
  return result;
}

Shown message_of(Fault fault, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), fault) << error.what();
    return shown(error.what());
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

Shown refused(const std::string& text) {
  return message_of(Fault::usage, [&] { bind_stages(parse(text), recipes::all_stages()); });
}

struct Refusal {
  const char* pipeline;
  const char* marked;
  const char* reason;
};

TEST(Outline, WhatTheTextTellsIsRefusedBeforeAnythingRuns) {
  for (const Refusal& expected : {
           Refusal{"knn(5) | distance(2) | exp(1) | eigen(2)", "eigen(2)", "put mean or union before it (knn goes one way)"},
           Refusal{"knn(5) | distance(2) | exp(1) | row | implicit(1)", "implicit(1)", "put mean or union before it"},
           Refusal{"distance(2) | exp(perplexity=5) | eigen(2)", "eigen(2)", "by one bandwidth for all rows"},
           Refusal{"distance(2, to=train) | exp(1) | eigen(2)", "eigen(2)", "compare the points with themselves"},
           Refusal{"distance(2) | exp(1) | eigen(2, of=residual)", "eigen(2, of=residual)", "put knn(k) | local_weights(reg) before it"},
           Refusal{"distance(1) | geodesic", "geodesic", "put knn or radius before distance"},
           Refusal{"adjacency | geodesic", "geodesic", "the weights of a graph, which are no lengths: give points"},
           Refusal{"knn(5) | indicator | geodesic", "geodesic", "found other scores: put it right after distance(1)"},
           Refusal{"knn(5) | distance(1) | exp(1) | geodesic", "geodesic", "strengthened or normalised"},
           Refusal{"knn(5) | distance(1) | double_center", "double_center", "put geodesic before it"},
           Refusal{"dot | double_center", "double_center", "put it right after distance(1) or geodesic"},
           Refusal{"dot | match", "match", "put it right after distance(1) or geodesic"},
           Refusal{"knn(5) | distance(1) | match", "match", "put geodesic before it"},
           Refusal{"dot | exp(auto)", "exp(auto)", "give a number, or begin with distance(2)"},
           Refusal{"knn(5) | distance(2) | exp(loo)", "exp(loo)", "begin with distance(2, to=train)"},
           Refusal{"distance(2) | exp(learned)", "exp(learned)", "which goes with score(..)"},
           Refusal{"distance(2) | exp(1) | exp(2)", "exp(2)", "right after the score"},
           Refusal{"distance(2) | exp(cardinality=3)", "exp(cardinality=3)", "put knn before distance"},
           Refusal{"distance(0)", "distance(0)", "give 1 or 2"},
           Refusal{"distance(1, from=nearest)", "distance(1, from=nearest)", "put knn before it"},
           Refusal{"knn(5) | distance(2, to=data)", "distance(2, to=data)", "leave it out"},
           Refusal{"knn(5, method=hnsw, metric=manhattan)", "knn(5, method=hnsw, metric=manhattan)", "use method=exact"},
           Refusal{"distance(2) | inflate(2)", "inflate(2)", "put exp before it"},
           Refusal{"distance(2) | exp(1) | row | mean", "mean", "leave mean out"},
           Refusal{"distance(2) | exp(1) | union", "union", "put knn before distance"},
           Refusal{"distance(2) | exp(1) | two_side(loo)", "two_side(loo)", "write two_side(loo, of=keys)"},
           Refusal{"distance(2) | two_side(1, of=keys)", "two_side(1, of=keys)", "found bare scores"},
           Refusal{"distance(2) | exp(1) | self_loops", "self_loops", "leave it out"},
           Refusal{"distance(2) | exp(1) | components", "components", "put knn or radius first"},
           Refusal{"centres(3) | assign(merge)", "assign(merge)", "use assign(nearest)"},
           Refusal{"distance(2) | exp(1) | row | apply | assign", "assign", "put centres(k) first"},
           Refusal{"distance(2) | exp(1) | row | apply | standardise", "standardise", "put standardise first"},
           Refusal{"repeat(distance(2) | exp(1) | exp(1) | row | apply)", "exp(1)", "right after the score"},
       }) {
    const Shown found = refused(expected.pipeline);
    EXPECT_EQ(found.line, expected.pipeline) << found.reason;
    EXPECT_EQ(found.marked, expected.marked) << found.reason;
    EXPECT_NE(found.reason.find(expected.reason), std::string::npos) << found.reason;
  }
}

// What data alone can tell is let through.
TEST(Outline, RefusesNothingThatMayRun) {
  for (const char* text : {"adjacency | eigen(2)", "radius(1) | distance(2) | exp(1) | eigen(2)", "knn(5) | mutual | distance(2) | exp(1) | eigen(2)",
                           "distance(2, to=data) | exp(1) | eigen(2)", "distance(2, to=train) | exp(1) | two_side(1)",
                           "distance(2) | exp(1) | two_side(1) | row | eigen(2)", "knn(5) | distance(2) | exp(1) | row | mean | eigen(2)",
                           "knn(5) | distance(1, from=nearest) | geodesic | match", "score(metric) | exp(learned) | two_side(1) | row | apply",
                           "score(qk) | exp(auto) | sinkhorn | apply", "score(l2) | exp(0.5) | column | apply",
                           "dot | mean | eigen(2)", "distance(-2) | inflate(2)"})
    EXPECT_NO_THROW(bind_stages(parse(text), recipes::all_stages())) << text;
}

TEST(Outline, WhatOnlyDataTellIsRefusedAtTheStageToo) {
  const Matrix x = random_points(20, 2, 1);
  const auto at = [&](Fault fault, const char* text) { return message_of(fault, [&] { run_text(text, x); }).marked; };
  EXPECT_EQ(at(Fault::input, "knn(20) | distance(1) | geodesic"), "knn(20)");
  EXPECT_EQ(at(Fault::input, "distance(1) | double_center | eigen(2) | cluster(21)"), "cluster(21)");
  EXPECT_EQ(at(Fault::usage, "dot | inflate(2)"), "inflate(2)");
  EXPECT_EQ(at(Fault::input, "distance(2) | exp(1) | row | vote"), "vote");
  EXPECT_EQ(at(Fault::convergence, "repeat(distance(2) | exp(1) | row | apply, tolerance=0, max_iterations=2)"), "repeat(distance(2) | exp(1) | row | apply, tolerance=0, max_iterations=2)");
  // In a body the inner stage is marked, not the one that repeats it; in the second turn as in the first.
  EXPECT_EQ(at(Fault::input, "repeat(knn(20) | distance(2) | exp(1) | row | apply)"), "knn(20)");
  EXPECT_EQ(at(Fault::usage, "repeat(standardise | distance(2) | exp(1) | row | apply)"), "standardise");
}

TEST(Outline, NewPointsAreRefusedAtTheStageToo) {
  const Matrix x = random_points(20, 2, 1);
  const Fit fit = run_text("distance(2) | exp(1) | row | best(column) | apply", x);
  EXPECT_EQ(message_of(Fault::usage, [&] { place(fit, fit.data->features, Context()); }).marked, "best(column)");
  const Fit walk = run_text("distance(2) | exp(1) | row | repeat(best(column) | row, tolerance=1) | apply", x);
  EXPECT_EQ(message_of(Fault::usage, [&] { place(walk, walk.data->features, Context()); }).marked, "best(column)");
}

// Within 100 columns, whatever the length of the pipeline and wherever the fault is.
TEST(Pointer, ALongLineIsCutAboutThePlace) {
  std::string text = "knn(5)";
  for (int i = 0; i < 40; ++i) text += " | row(\"é\")";
  for (const std::string& wrong : {std::string("wrong"), "wrong(" + std::string(200, '1') + ")"})
    for (std::size_t at : {0u, 6u, 60u, 90u, 200u, 400u}) {
      std::string whole = text;
      at = whole.find('|', at);
      const std::size_t begin = at == std::string::npos ? whole.size() + 3 : at + 2;
      if (at == std::string::npos) whole += " | " + wrong;
      else whole.insert(begin, wrong + " | ");
      const std::string message = pointer_to(whole, {begin, begin + wrong.size()});
      const std::size_t second = message.find("\n  ", 1);
      const std::string line = message.substr(3, second - 3), carets = message.substr(second + 3);
      std::string characters;  // one a column
      for (const char c : line)
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) characters += c;
      EXPECT_LE(characters.size(), 98u) << message;
      EXPECT_LE(carets.size(), 98u) << message;
      EXPECT_EQ(characters.substr(carets.find('^'), 5), "wrong") << message;
    }
  EXPECT_EQ(pointer_to("row | row", {6, 9}), "\n  row | row\n        ^^^");
}

}  // namespace
}  // namespace calor::pipeline
