// Pipelines of a layer: names and texts, the round trip, and refusals with a caret and the nearest name; the protocol's
// options.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "calor/core/error.h"
#include "calor/learn/rows/protocol.h"
#include "calor/learn/rows/similarity.h"

namespace calor::learn {
namespace {

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::usage);
    return error.what();
  }
  return "no error";
}
std::string refusal(const std::string& text) {
  return message([&] { parse_similarity(text); });
}
bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Similarity, NamesStandForPipelinesAndTextsRoundTrip) {
  EXPECT_EQ(parse_similarity("self").text, "score(qk) | exp | row | apply");
  for (const std::string& name : similarity_names()) {
    const Similarity parsed = parse_similarity(parse_similarity(name).text);
    EXPECT_EQ(parsed.name, name);
    EXPECT_EQ(parsed.text, parse_similarity(name).text);
  }
  EXPECT_EQ(parse_similarity("  score ( l2 )|exp  |row|   apply ").name, "l2");
}

TEST(Similarity, ShortNamesSayWhatDiffersAndDifferWhereThePipelinesDo) {
  const std::vector<std::pair<const char*, const char*>> names{
      {"score(metric) | exp | two_side(1) | row | apply", "metric two_side(1)"},
      {"score(metric) | exp | two_side | row | apply", "metric two_side(1)"},
      {"score(metric) | exp | two_side(1) | apply", "metric two_side(1) without row"},
      {"score(metric) | exp | two_side(0) | row | apply", "metric two_side(0)"},
      {"score(qk) | exp | sinkhorn | apply", "self sinkhorn"},
      {"score(qk) | exp | sinkhorn(max_iterations=20) | apply", "self sinkhorn(20)"},
      {"score(qk) | exp | sinkhorn(iterations=20) | apply", "self sinkhorn(20)"},  // its former name
      {"score(qk) | exp | sinkhorn | row | apply", "self sinkhorn row"},
      {"score(additive) | exp(auto) | row | apply", "additive exp(auto)"},
      {"score(l2) | exp(0.5) | column | apply", "l2 exp(0.5) column"},
      {"score(l2) | exp(learned) | row | apply", "l2 exp(learned)"}};
  for (const auto& [text, name] : names) {
    EXPECT_EQ(parse_similarity(text).name, name);
    EXPECT_EQ(parse_similarity(parse_similarity(text).text).name, name);
  }
}

TEST(Similarity, RefusesUnknownNamesWithTheNearest) {
  EXPECT_TRUE(holds(refusal("metrik"), "did you mean 'metric'"));
  EXPECT_TRUE(holds(refusal("score(metrc) | exp | row | apply"), "did you mean \"metric\""));
  EXPECT_TRUE(holds(refusal("score(qk) | exq | row | apply"), "did you mean \"exp\""));
  EXPECT_TRUE(holds(refusal(""), "self, l2, metric, uniform"));
}

TEST(Similarity, PointsAtTheStageThatDoesNotFit) {
  EXPECT_TRUE(holds(refusal("knn(5) | distance(2) | exp | row | apply"), "\n  knn(5) | distance(2) | exp | row | apply\n  ^"));
  EXPECT_TRUE(holds(refusal("knn(5) | score(qk) | exp | row | apply"), "score(..) as the first stage, found knn, which is not learned"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | mean | apply"), "\n  score(qk) | exp | mean | apply\n                    ^"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | mean | apply"), "two_side(alpha) or sinkhorn"));
  EXPECT_TRUE(holds(refusal("score(qk) | row | apply"), "expected exp after score(..), found row"));
  EXPECT_TRUE(holds(refusal("score(qk) | score(l2) | exp | row | apply"), "expected exp after score(..), found score"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | apply"), "expected a normalisation such as row before apply"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | two_side(0) | apply"), "expected a normalisation other than two_side(0)"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | two_side(1, of=keys) | row | apply"), "expected of=rows, found of=keys"));
  EXPECT_TRUE(holds(refusal("score(qk)"), "expected the stage exp, found the end"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | row"), "expected the stage apply, found the end"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | row | apply | row"), "the end of the pipeline after apply"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp | two_side(2) | row | apply"), "from 0 to 1"));
  EXPECT_TRUE(holds(refusal("score(qk) | exp(perplexity=5) | row | apply"), "found a perplexity"));
  EXPECT_TRUE(holds(refusal("score(qk) || row | apply"), "^"));
  EXPECT_TRUE(holds(refusal("score(qk | exp | row | apply"), "^"));
}

TEST(Protocol, RefusesValuesOutOfRange) {
  const auto refused = [](auto change) {
    Protocol protocol;
    change(protocol);
    return message([&] { validate(protocol); });
  };
  EXPECT_TRUE(holds(refused([](Protocol& p) { p.epochs = -1; }), "epochs from 0 to"));
  EXPECT_TRUE(holds(refused([](Protocol& p) { p.width = 513; }), "width from 0 to 512, found 513"));
  EXPECT_TRUE(holds(refused([](Protocol& p) { p.layers = -1; }), "layers"));
  EXPECT_TRUE(holds(refused([](Protocol& p) { p.learning_rate = 0; }), "learning rate over 0"));
  EXPECT_TRUE(holds(refused([](Protocol& p) { p.weight_decay = -1; }), "weight decay"));
  EXPECT_TRUE(holds(refused([](Protocol& p) { p.test_share = 1; }), "test share between 0 and 1"));
  EXPECT_TRUE(holds(refused([](Protocol& p) { p.batch = -5; }), "batch"));
  EXPECT_TRUE(holds(message([] { parse_attend("trian"); }), "did you mean 'train'"));
  EXPECT_TRUE(holds(message([] { parse_optimizer("sgd"); }), "expected one of adamw, adam"));
}

TEST(Protocol, ChoosesTheDocumentedDefaults) {
  const Protocol moons = resolve({}, 400, 2), digits = resolve({}, 1437, 64), mnist = resolve({}, 60000, 784);
  EXPECT_EQ(moons.width, 10);
  EXPECT_EQ(moons.batch, 400);
  EXPECT_EQ(moons.epochs, 1000);
  EXPECT_EQ(digits.width, 100);
  EXPECT_EQ(digits.batch, 479);
  EXPECT_EQ(digits.epochs, 60);
  EXPECT_EQ(mnist.epochs, 20);
  const Protocol literal = protocol_of(Reading::paper_literal);
  EXPECT_FALSE(literal.residual);
  EXPECT_EQ(literal.optimizer, Optimizer::adam);
}

TEST(Protocol, ComesBackFromItsJson) {
  Protocol protocol = protocol_of(Reading::paper_literal);
  protocol.attend = Attend::joint;
  protocol.temperature = Temperature::learn;
  protocol.width = 17;
  EXPECT_EQ(to_json(protocol_from_json(to_json(protocol))), to_json(protocol));
}

}  // namespace
}  // namespace calor::learn
