// What test points attend to: each way against a network with a materialised boolean mask over all tokens, in plain torch
// operators.  Tolerance: float, sums of 60 terms through two layers; 1e-5 on logits of order 1.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>

#include "calor/core/random.h"
#include "calor/learn/rows/evaluate.h"
#include "calor/learn/rows/learner.h"

namespace calor::learn {
namespace {

at::Tensor random_points(std::int64_t rows, std::uint64_t stream) {
  Random random(6, Purpose::test, stream);
  const at::Tensor points = at::empty({rows, 3}, at::kFloat);
  for (std::int64_t i = 0; i < points.numel(); ++i) points.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return points;
}

model::Network propagation(const std::string& score, std::int64_t width) {
  Protocol protocol;
  protocol.width = width;
  return attention_learner("score(" + score + ") | exp | row | apply").network(protocol);
}

// All tokens at once; token i may attend to token j where mask[i][j].
at::Tensor masked_forward(const RowNetwork& network, const at::Tensor& tokens, const at::Tensor& mask) {
  const at::NoGradGuard no_gradient;
  std::map<std::string, at::Tensor> weights;
  for (const auto& named : network.state()) weights[named.name] = named.tensor;
  const auto linear = [&](const at::Tensor& x, const std::string& name) { return at::linear(x, weights.at(name + ".weight"), weights.at(name + ".bias")); };
  at::Tensor hidden = at::tanh(linear(tokens, "encode"));
  for (std::size_t l = 0; l < network.attentions().size(); ++l) {
    const std::string layer = "layers." + std::to_string(l) + ".";
    std::vector<at::Tensor> of_score;
    for (const ParameterSpec& spec : network.attentions()[l].score->parameters(hidden.size(1))) of_score.push_back(weights.at(layer + "score." + spec.name));
    const Features features = network.attentions()[l].score->features(of_score, hidden);
    at::Tensor scores = network.attentions()[l].score->pairing == Pairing::dot
                            ? features.query.matmul(features.key.t())
                            : (features.query.unsqueeze(1) - features.key.unsqueeze(0)).square().sum(2).neg();
    scores = (scores * network.factors()[l]).masked_fill(mask.logical_not(), -std::numeric_limits<float>::infinity());
    hidden = at::tanh(hidden + at::softmax(scores, 1).matmul(at::linear(hidden, weights.at(layer + "value"))));
  }
  return linear(hidden, "decode");
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

class AttendEveryScore : public ::testing::TestWithParam<const char*> {
 protected:
  AttendEveryScore() : network(propagation(GetParam(), 8), 3, 4, 2) {
    // Weights five times the start's: far from uniform attention, so that a wrong key shows.
    const at::NoGradGuard no_gradient;
    network.values().mul_(5);
  }
  RowNetwork network;
  at::Tensor train = random_points(40, 0), test = random_points(20, 1);
};
INSTANTIATE_TEST_SUITE_P(All, AttendEveryScore, ::testing::Values("qk", "l2", "metric", "uniform"));

TEST_P(AttendEveryScore, TrainAttendsToTrainingTokensAndItself) {
  at::Tensor mask = at::eye(60, at::kBool);
  mask.narrow(1, 0, 40).fill_(true);  // everybody sees the training tokens; test tokens see themselves beside
  const at::Tensor expected = masked_forward(network, at::cat({train, test}), mask);
  const at::Tensor found = logits(network, Attend::train, 0, train, test);
  EXPECT_LT(largest_difference(found, expected.narrow(0, 40, 20)), 1e-5);
  EXPECT_LT(largest_difference(KeptTokens(network, train).logits(), expected.narrow(0, 0, 40)), 1e-5);
}

TEST_P(AttendEveryScore, TrainPredictsAPointAloneAsAmongOthers) {
  const at::Tensor together = logits(network, Attend::train, 0, train, test);
  for (std::int64_t i = 0; i < 20; ++i) {
    const at::Tensor alone = logits(network, Attend::train, 0, train, test.narrow(0, i, 1));
    EXPECT_LT(largest_difference(alone, together.narrow(0, i, 1)), 1e-5);
  }
}

TEST_P(AttendEveryScore, JointAttendsToAll) {
  const at::Tensor expected = masked_forward(network, at::cat({train, test}), at::ones({60, 60}, at::kBool));
  EXPECT_LT(largest_difference(logits(network, Attend::joint, 0, train, test), expected.narrow(0, 40, 20)), 1e-5);
}

TEST_P(AttendEveryScore, BatchAttendsToItsBatch) {
  at::Tensor mask = at::zeros({20, 20}, at::kBool);  // batches of at most 8: 7, 7, 6
  mask.narrow(0, 0, 7).narrow(1, 0, 7).fill_(true);
  mask.narrow(0, 7, 7).narrow(1, 7, 7).fill_(true);
  mask.narrow(0, 14, 6).narrow(1, 14, 6).fill_(true);
  const at::Tensor expected = masked_forward(network, test, mask);
  EXPECT_LT(largest_difference(logits(network, Attend::batch, 8, train, test), expected), 1e-5);
}

TEST(Evaluate, BlocksOfPointsGiveWhatOneBlockGives) {
  const RowNetwork network(propagation("metric", 4), 3, 2, 2);
  const at::Tensor train = random_points(10, 0), many = random_points(query_block + 5, 3);
  const at::Tensor blocks = logits(network, Attend::train, 0, train, many);
  EXPECT_LT(largest_difference(blocks, KeptTokens(network, train).logits_beside(many)), 1e-5);
}

TEST(Evaluate, SharesOfKnownRows) {
  EXPECT_NEAR(effective_share(at::full({5, 8}, 1.0 / 8)), 1, 1e-6);
  EXPECT_NEAR(effective_share(at::eye(8)), 1.0 / 8, 1e-6);
  EXPECT_NEAR(effective_share(at::cat({at::full({3, 4}, 0.25), at::zeros({3, 4})}, 1)), 0.5, 1e-6);
}

TEST(Evaluate, ARowThatIsNotFiniteIsWrong) {
  const at::Tensor logits = at::tensor({1.0F, 0.0F, NAN, 0.0F, 0.0F, 1.0F}).view({3, 2});
  EXPECT_DOUBLE_EQ(accuracy(logits, at::zeros({3}, at::kLong)), 1.0 / 3);
}

TEST(Evaluate, BatchesAreNearEqual) {
  EXPECT_EQ(near_equal_batches(1437, 512), (std::vector<std::int64_t>{479, 479, 479}));
  EXPECT_EQ(near_equal_batches(10, 4), (std::vector<std::int64_t>{4, 3, 3}));
  EXPECT_EQ(near_equal_batches(3, 10), (std::vector<std::int64_t>{3}));
}

}  // namespace
}  // namespace calor::learn
