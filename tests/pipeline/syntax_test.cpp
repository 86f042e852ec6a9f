// The grammar: text -> tree -> text, refusals with a caret, values put in, types matched.  Expectations are written by hand.
#include "calor/pipeline/syntax.h"

#include <gtest/gtest.h>

#include "calor/core/error.h"
#include "support.h"

namespace calor::pipeline {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::usage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

std::string refused(const std::string& text) {
  return message_of([&] { bind_stages(parse(text), recipes::all_stages()); });
}

void expect_holds(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << message << "\nshould hold: " << part;
}

TEST(Syntax, PrintsWhatItParsed) {
  EXPECT_EQ(print(parse("knn( 15 )|distance(1)\n| geodesic|eigen(2,time=.5)")), "knn(15) | distance(1) | geodesic | eigen(2, time=0.5)");
  EXPECT_EQ(print(parse("distance(-2/($m-1), to=data)")), "distance(-2 / ($m - 1), to=data)");
  EXPECT_EQ(print(parse("a((1+2)*3 - 4/(5*6))")), "a((1 + 2) * 3 - 4 / (5 * 6))");
  EXPECT_EQ(print(parse("a(1-(2-3), log2( 15 ), \"a, b\", -(1+2))")), "a(1 - (2 - 3), log2(15), \"a, b\", -(1 + 2))");
  EXPECT_EQ(print(parse("repeat(expand(2) | inflate(2)|column, tolerance=1e-9)")), "repeat(expand(2) | inflate(2) | column, tolerance=1e-09)");
  EXPECT_EQ(print(parse("layers(2, apply)")), "layers(2, apply)");
  EXPECT_EQ(print(parse("row()")), "row");
}

TEST(Syntax, PrintingIsAFixedPointForEveryRecipe) {
  for (const recipes::Recipe& recipe : recipes::all_recipes()) {
    const std::string once = print(parse(recipe.pipeline));
    EXPECT_EQ(print(parse(once)), once);
    EXPECT_EQ(once, recipe.pipeline) << "a recipe is written as it is printed";
  }
}

TEST(Syntax, RefusesWithACaretUnderTheFault) {
  EXPECT_EQ(message_of([] { parse("knn(15) | | row"); }),
            "[pipeline] expected a stage's name, found \"|\"\n  knn(15) | | row\n            ^");
  expect_holds(message_of([] { parse(""); }), "expected a stage's name, found the end");
  expect_holds(message_of([] { parse("knn(15"); }), "expected \",\" or \")\", found the end");
  expect_holds(message_of([] { parse("knn(15) row"); }), "expected \"|\" or the end, found \"r\"");
  expect_holds(message_of([] { parse("knn(\"a)"); }), "closing quote");
  expect_holds(message_of([] { parse("knn(3 | row)"); }), "expected a stage's name before");
  expect_holds(message_of([] { parse(std::string(10000, '(')); }), "expected");
  expect_holds(message_of([] { parse("a" + std::string("(b").append(std::string(2000, '(')) ); }), "at most 64 nested");
  expect_holds(message_of([] { parse("knn(５)"); }), "found \"５\"\n");
  expect_holds(message_of([] { parse("café(2)"); }), "found \"é\"\n");
}

TEST(Syntax, LongSumsAreRefusedBeforeTheirTreeOverflowsTheStack) {
  for (const char* sign : {"+", "-", "*", "/"}) {
    std::string sum = "1", long_sum = "1";
    for (int i = 0; i < 60; ++i) sum += sign + std::string("1");
    for (int i = 0; i < 200000; ++i) long_sum += sign + std::string("1");
    EXPECT_NO_THROW(parse("knn(" + sum + ")"));
    expect_holds(message_of([&] { parse("knn(" + long_sum + ")"); }), "at most 64 signs in a row");
  }
}

// Each level was once parsed twice, so that thirty took hours.
TEST(Syntax, NestedPipelinesAreParsedOnce) {
  std::string text = "row | apply";
  for (int i = 0; i < 30; ++i) text = "repeat(" + text + ") | apply";
  EXPECT_EQ(print(parse(text)), text);
  EXPECT_EQ(print(parse("layers(2, row | column)")), "layers(2, row | column)");
}

std::string nested(const std::string& open, int levels) {
  std::string text;
  for (int i = 0; i < levels; ++i) text += open;
  return text + "1" + std::string(static_cast<std::size_t>(levels), ')');
}

TEST(Syntax, EveryParenthesisCountsOnce) {
  for (const char* open : {"a(", "log(", "(", "a(-", "a(b="}) {  // stages, functions, sums
    const int levels = 63;
    EXPECT_NO_THROW(parse("knn(" + nested(open, levels) + ")")) << open;
    expect_holds(message_of([&] { parse("knn(" + nested(open, levels + 1) + ")"); }), "expected at most 64 nested parentheses, found more");
  }
  EXPECT_NO_THROW(parse("knn(" + std::string(64, '-') + "1)"));
  expect_holds(message_of([] { parse("knn(" + std::string(65, '-') + "1)"); }), "expected at most 64 signs in a row");
}

TEST(Types, AWrongOrderIsRefusedBeforeAnythingRuns) {
  const std::string row = refused("row | eigen(2)");
  expect_holds(row, "[row] expected similarity or operator, found points: put one of these before it: ");
  expect_holds(row, "distance");
  expect_holds(row, "\n  row | eigen(2)\n  ^^^");
  expect_holds(refused("knn(5) | distance(1) | vote | row"), "[row] expected similarity or operator, found prediction: nothing makes");
  expect_holds(refused("knn(5) | row"), "indicator");
  expect_holds(refused("distance(2) | local_weights"), "[local_weights] expected graph, found similarity");
}

TEST(Types, AnEmbeddingIsPointsAgain) {
  const auto stages = bind_stages(parse("distance(1) | double_center | eigen(2) | knn(5) | distance(1)"), recipes::all_stages());
  EXPECT_EQ(stages.back().gives, types::similarity);
}

TEST(Types, ARepetitionGivesWhatItTakes) {
  EXPECT_EQ(bind_stages(parse("repeat(distance(2) | exp(1) | row | apply)"), recipes::all_stages()).back().gives, types::points);
  expect_holds(refused("repeat(distance(2) | exp(1) | row)"), "gives what it takes (points), found one that gives operator");
  expect_holds(refused("repeat(3)"), "expected a pipeline");
}

TEST(Values, NamesRangesAndWords) {
  expect_holds(refused("kn(5)"), "did you mean \"knn\"?");
  expect_holds(refused("knn(0)"), "expected a whole number from 1 to 1000000 for \"k\" (neighbours of each point), found 0");
  expect_holds(refused("knn(2.5)"), "a whole number");
  expect_holds(refused("knn(5 / 0)"), "a whole number");
  expect_holds(refused("knn(five)"), "expected a number for \"k\"");
  expect_holds(refused("knn(kk=5)"), "did you mean \"k\"?");
  expect_holds(refused("knn(5, k=6)"), "once, found it twice");
  expect_holds(refused("knn(5, train, euclidean, exact, 7)"), "at most 4 arguments");
  expect_holds(refused("knn(5, metric=euclidian)"), "did you mean \"euclidean\"?");
  expect_holds(refused("knn(k=5, train)"), "positional arguments first");
  expect_holds(refused("distance(2) | exp(automatic)"), "or a number for \"bandwidth\", found \"automatic\" (known: auto");
  expect_holds(refused("centres"), "expected a value for \"k\"");
  expect_holds(refused("knn($k)"), "the parameter $k");
  expect_holds(refused("distance(2) | row(1)"), "expected no arguments");
  EXPECT_EQ(bind_stages(parse("knn(2 * (3 + 4) - sqrt(4))"), recipes::all_stages())[0].arguments.integer("k"), 12);
}

TEST(Values, ParametersAndSettingsArePutIn) {
  EXPECT_EQ(print(recipes::resolve("k-means", {"k=3"})), "centres(3) | repeat(distance(2, to=data) | best(column) | row | apply) | assign");
  EXPECT_EQ(print(recipes::resolve("isomap", {"knn.k=30", "eigen.k=3"})),
            "knn(30) | distance(1) | geodesic | double_center | eigen(3, time=0.5)");
  EXPECT_EQ(print(recipes::resolve("mean-shift", {"h=1 + 2", "exp.bandwidth=9"})), "repeat(distance(2) | exp(9) | row | apply, tolerance=0.0001) | assign(merge)");
  expect_holds(message_of([] { recipes::resolve("isomapp", {}); }), "did you mean \"isomap\"?");
  expect_holds(message_of([] { recipes::resolve("isomap", {"k=3"}); }), "expected stage.parameter=value, found \"k=3\"");
  expect_holds(message_of([] { recipes::resolve("isomap", {"kn.k=3"}); }), "did you mean \"knn\"?");
  expect_holds(message_of([] { recipes::resolve("isomap", {"row.k=3"}); }), "a parameter of row");
  expect_holds(message_of([] { recipes::resolve("isomap", {"vote.k=3"}); }), "[set]");
  expect_holds(message_of([] { recipes::resolve("isomap", {"exp.bandwidth=3"}); }), "which is not in");
}

TEST(Stages, DeclareDefaultsThatBind) {
  for (const Stage* stage : recipes::all_stages()) {
    EXPECT_FALSE(stage->meaning.empty()) << stage->name;
    EXPECT_NE(stage->run, nullptr) << stage->name;
    EXPECT_NE(stage->takes, 0u) << stage->name;
    bool needs = false;
    for (const Parameter& parameter : stage->parameters) needs = needs || parameter.standard.empty();
    Types first = 1;
    while (!(stage->takes & first)) first <<= 1;
    const std::string text = (stage->name == "assign" ? "centres(2) | " : "") + std::string(stage->name);  // which has prototypes to assign
    const auto bind = [&] { bind_stages(parse(text), recipes::all_stages(), first); };
    if (needs) {
      expect_holds(message_of(bind), "expected a value for");
    } else {
      EXPECT_NO_THROW(bind()) << stage->name;
    }
  }
}

TEST(Recipes, BindAndSayWhetherTheyPlaceNewPoints) {
  for (const recipes::Recipe& recipe : recipes::all_recipes()) {
    const auto stages = bind_stages(recipes::resolve(recipe.name, {}), recipes::all_stages());
    EXPECT_EQ(without_place(stages) == nullptr, !recipe.new_points.empty()) << recipe.name;
  }
}

}  // namespace
}  // namespace calor::pipeline
