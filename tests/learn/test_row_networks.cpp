// Networks of any text on the rows of a table: against their definition in plain dense torch operators, rows that come later against a mask, gradients against differences
// in double, names and starts of their weights, and what does not fit refused.  Tolerances: double, sums of < 100 terms near 1: 1e-12; differences with step 1e-6: 1e-7.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/learn/rows/learner.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {
namespace {

constexpr std::int64_t columns = 4, classes = 3;

at::Tensor random_rows(std::int64_t rows, std::uint64_t stream) {
  Random random(8, Purpose::test, stream);
  const at::Tensor x = at::empty({rows, columns}, at::kDouble);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = random.normal();
  return x;
}

RowNetwork network(const std::string& text, std::uint64_t seed = 5, at::ScalarType dtype = at::kDouble) { return {model::network_of(text), columns, classes, seed, dtype}; }

std::map<std::string, at::Tensor> weights_of(const RowNetwork& net) {
  std::map<std::string, at::Tensor> weights;
  for (const auto& named : net.state()) weights[named.name] = named.tensor.detach();
  return weights;
}

// Weights of softmax over the columns that the mask lets through.
at::Tensor softmax_where(const at::Tensor& scores, const at::Tensor& mask) {
  return at::softmax(mask.defined() ? scores.masked_fill(mask.logical_not(), -std::numeric_limits<double>::infinity()) : scores, 1);
}

at::Tensor distances(const at::Tensor& f) { return (f.unsqueeze(1) - f.unsqueeze(0)).square().sum(2); }

constexpr const char* two_heads =
    "linear(6) | bias | relu | norm | linear(5, heads=2) | score(dot) | exp(0.5) | row | apply | elu | linear(7) | residual(score(l2) | exp | row | apply | linear(7) | bias) | tanh | linear(classes)";

at::Tensor two_heads_forward(const RowNetwork& net, const at::Tensor& x, const at::Tensor& mask = {}) {
  const auto w = weights_of(net);
  at::Tensor h = at::relu(at::linear(x, w.at("encode.weight"), w.at("encode.bias")));
  h = at::linear(at::layer_norm(h, {6}, w.at("norm.gain"), w.at("norm.offset")), w.at("maps.0.weight"));
  std::vector<at::Tensor> heads;
  for (std::int64_t head = 0; head < 2; ++head) {
    const at::Tensor z = h.narrow(1, 5 * head, 5);
    const std::string n = std::to_string(head);
    const at::Tensor scores = at::linear(z, w.at("score.query." + n)).matmul(at::linear(z, w.at("score.key." + n)).t()) / std::sqrt(5.0) / 0.5;
    heads.push_back(softmax_where(scores, mask).matmul(z));
  }
  h = at::linear(at::elu(at::cat(heads, 1)), w.at("maps.1.weight"));
  const at::Tensor attended = softmax_where(-distances(at::linear(h, w.at("score.projection"))), mask).matmul(h);
  h = at::tanh(h + at::linear(attended, w.at("maps.2.weight"), w.at("maps.2.bias")));
  return at::linear(h, w.at("decode.weight"));
}

void shake(const RowNetwork& net) {
  const at::NoGradGuard no_gradient;
  at::Tensor values = net.values();
  Random random(11, Purpose::test);
  for (std::int64_t i = 0; i < values.numel(); ++i) values.data_ptr<double>()[i] += random.uniform(-0.5, 0.5);
}

double difference(const at::Tensor& a, const at::Tensor& b) { return a.sizes() == b.sizes() ? (a - b).abs().max().item<double>() : INFINITY; }

// The order of a map and of what flows is exchanged inside; the definition here is in the order of the text.
TEST(RowNetworks, ForwardIsTheDefinition) {
  const RowNetwork net = network(two_heads);
  shake(net);
  const at::Tensor x = random_rows(9, 0);
  EXPECT_LE(difference(net.forward(x), two_heads_forward(net, x)), 1e-12);
}

TEST(RowNetworks, LaterRowsAttendToTheFirstAndToThemselves) {
  const RowNetwork net = network(two_heads);
  shake(net);
  const at::Tensor first = random_rows(9, 0), later = random_rows(6, 1);
  at::Tensor mask = at::eye(15, at::kBool);
  mask.narrow(1, 0, 9).fill_(true);
  std::vector<KeptAttention> kept;
  EXPECT_LE(difference(net.forward(first, kept), net.forward(first)), 0);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].heads.size(), 2U);
  const at::Tensor expected = two_heads_forward(net, at::cat({first, later}), mask).narrow(0, 9, 6);
  EXPECT_LE(difference(net.forward_beside(kept, later), expected), 1e-12);
  EXPECT_LE(difference(net.forward_beside(kept, later.narrow(0, 4, 1)), expected.narrow(0, 4, 1)), 1e-12);
}

TEST(RowNetworks, GradientsAreDifferences) {
  for (const char* text : {two_heads, "linear(4, heads=2) | score(metric) | exp(learned) | sinkhorn(3) | apply | heads(sum) | linear(classes) | bias",
                           "layers(2, linear(5) | bias | dropout(0.4) | residual(score(additive) | exp(2) | two_side(0.5) | row | apply)) | linear(classes)"}) {
    const RowNetwork net = network(text);
    shake(net);
    const at::Tensor x = random_rows(7, 2), direction = random_rows(7, 3).narrow(1, 0, classes);
    const auto sum = [&] { return (net.training_forward(x, 6) * direction).sum(); };
    net.gradients().zero_();
    sum().backward();
    const at::NoGradGuard no_gradient;
    double* values = net.values().data_ptr<double>();
    for (std::int64_t i = 0; i < net.values().numel(); i += 3) {
      const double before = values[i], step = 1e-6;
      values[i] = before + step;
      const double above = sum().item<double>();
      values[i] = before - step;
      const double below = sum().item<double>();
      values[i] = before;
      ASSERT_NEAR(net.gradients().data_ptr<double>()[i], (above - below) / (2 * step), 1e-7) << text << " " << i;
    }
  }
}

TEST(RowNetworks, DropoutIsDrawnBySeedAndStepInTrainingAlone) {
  const RowNetwork net = network("linear(30) | dropout(0.5) | linear(classes)"), other = network("linear(30) | dropout(0.5) | linear(classes)", 6);
  const at::Tensor x = random_rows(5, 0);
  EXPECT_TRUE(net.training_forward(x, 1).equal(net.training_forward(x, 1)));
  EXPECT_FALSE(net.training_forward(x, 1).equal(net.training_forward(x, 2)));
  EXPECT_FALSE(net.training_forward(x, 1).equal(net.forward(x)));
  EXPECT_TRUE(net.forward(x).equal(net.forward(x)));
  {
    const at::NoGradGuard no_gradient;
    other.values().copy_(net.values());
  }
  EXPECT_TRUE(net.forward(x).equal(other.forward(x)));
  EXPECT_FALSE(net.training_forward(x, 1).equal(other.training_forward(x, 1)));  // another seed drops others
}

TEST(RowNetworks, WeightsAreCalledAndDrawnByLayerAndRole) {
  const RowNetwork l2 = network("linear(6) | bias | layers(2, residual(score(l2) | exp | row | apply | linear(6) | bias) | linear(6) | norm) | linear(5) | linear(classes) | bias");
  const RowNetwork metric = network("linear(6) | bias | layers(2, residual(score(metric) | exp(learned) | row | apply | linear(6) | bias) | linear(6) | norm) | linear(5) | linear(classes) | bias");
  const auto a = weights_of(l2), b = weights_of(metric);
  std::size_t shared = 0;
  for (const auto& [name, tensor] : a) {
    if (name.find("score") != std::string::npos || name.find("factor") != std::string::npos) continue;
    ASSERT_TRUE(b.contains(name)) << name;
    EXPECT_TRUE(tensor.equal(b.at(name))) << name;
    ++shared;
  }
  EXPECT_EQ(shared, 15U);  // encode 2, a map 1, decode 2; value, its bias, a map, gain and offset in each layer
  EXPECT_TRUE(a.contains("layers.1.score.projection") && a.contains("layers.1.factor") && a.contains("layers.0.value.bias") && a.contains("layers.1.maps.0.weight") && a.contains("maps.0.weight"));
  EXPECT_TRUE(b.contains("layers.1.score.out.bias") && b.contains("layers.1.log_factor") && !b.contains("layers.1.factor"));
  EXPECT_FALSE(a.at("layers.0.value").equal(a.at("layers.1.value")));
  EXPECT_EQ(l2.decayed(), l2.values().numel());
  EXPECT_EQ(metric.decayed(), metric.values().numel() - 2);
}

TEST(RowNetworks, WhatIsBesideAScoreStartsAsWithAnother) {
  for (const char* frame : {"linear(6) | score({}) | exp | row | apply | linear(5) | bias | norm | linear(classes)", "linear(6) | layers(2, linear(8, heads=4) | score({}) | exp | row | apply | linear(6) | norm) | linear(classes)"}) {
    const auto with = [&](const char* score) {
      std::string text = frame;
      return weights_of(network(text.replace(text.find("{}"), 2, score)));
    };
    const auto l2 = with("l2"), metric = with("metric"), uniform = with("uniform");
    for (const auto& [name, tensor] : uniform) {
      if (name.find("factor") != std::string::npos) continue;
      ASSERT_TRUE(l2.contains(name) && metric.contains(name)) << name;
      EXPECT_TRUE(tensor.equal(l2.at(name)) && tensor.equal(metric.at(name))) << name;
    }
  }
}

TEST(RowNetworks, EveryWeightHasANameOfItsOwn) {
  const RowNetwork net = network("linear(8) | score(l2) | exp | row | apply | linear(8) | score(l2) | exp | row | apply | linear(4, heads=3) | score(l2) | exp(learned) | row | apply | linear(classes) | linear(classes)");
  EXPECT_EQ(weights_of(net).size(), net.state().size());
}

TEST(RowNetworks, WhatIsAnInformationPropagationNetworkIsFound) {
  Protocol protocol;
  protocol.width = 7;
  protocol.layers = 3;
  for (const char* attention : {"metric", "score(qk) | exp(auto) | two_side(1) | row | apply", "score(additive) | exp(learned) | sinkhorn(4) | apply", "score(l2) | exp(0.25) | column | apply"})
    for (const bool residual : {true, false}) {
      protocol.residual = residual;
      const model::Network whole = attention_learner(attention).network(protocol);
      const auto found = propagation_of(whole);
      ASSERT_TRUE(found.has_value()) << whole.text;
      EXPECT_EQ(found->width, 7);
      EXPECT_EQ(found->layers, 3);
      EXPECT_EQ(found->residual, residual);
      Learner again{"", found->attention.text, found->attention};
      EXPECT_EQ(again.network(protocol).text, whole.text);
    }
  EXPECT_TRUE(propagation_of(model::network_of("ipn score=uniform")).has_value());
  for (const char* other : {"mlp", "linear(7) | bias | tanh | layers(2, residual(score(l2) | exp | row | apply | tanh | score(l2) | exp | row | apply | linear(7)) | tanh) | linear(classes) | bias", "linear(7) | bias | tanh | linear(classes) | bias", "linear(7) | bias | relu | layers(2, residual(score(l2) | exp | row | apply | linear(7)) | tanh) | linear(classes) | bias",
                            "linear(7) | bias | tanh | layers(2, residual(score(l2) | exp | row | apply | linear(7) | bias) | tanh) | linear(classes) | bias",
                            "linear(7) | bias | tanh | layers(2, residual(score(l2) | exp | row | apply) | tanh) | linear(classes) | bias",
                            "linear(7, heads=2) | bias | tanh | layers(2, residual(score(l2) | exp | row | apply | linear(7, heads=2)) | tanh) | linear(classes) | bias"})
    EXPECT_FALSE(propagation_of(model::network_of(other)).has_value()) << other;
}

std::string refusal(const std::string& text) {
  try {
    const Learner learner = network_learner(text);
    network(learner.pipeline);
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::usage) << text;
    return error.what();
  }
  return "";
}

TEST(RowNetworks, WhatDoesNotFitIsRefusedWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"gcn", "--graph"},
      {"surface-mlp", "--labels"},
      {"linear(8) | score(joined) | exp | row | apply | linear(classes)", "found joined"},
      {"linear(8) | score(l2) | row | apply | linear(classes)", "put exp before it"},
      {"linear(8) | score(l2) | exp | apply | linear(classes)", "such as row"},
      {"linear(8) | score(l2) | exp | exp | row | apply | linear(classes)", "found a second"},
      {"linear(8) | score(l2) | exp | two_side(0) | apply | linear(classes)", "such as row"},
      {"linear(8) | score(l2) | exp | two_side(1, of=keys) | row | apply | linear(classes)", "of rows"},
      {"linear(8) | score(l2) | exp | self_loops | row | apply | linear(classes)", "found self_loops"},
      {"linear(8) | score(l2) | exp | row | dropout(0.5) | apply | linear(classes)", "one of all pairs"},
      {"linear(8) | score(l2) | exp | row | apply(2) | linear(classes)", "one step"},
      {"linear(8) | score(l2) | exp | row | restart | linear(classes)", "use apply"},
      {"score(dot) | score(l2) | exp | row | apply | linear(classes)", "found a second"},
      {"score(dot) | exp | row | score(l2) | exp | row | apply | linear(classes)", "found a second"},
      {"linear(8) | score(l2) | exp | two_side(loo) | row | apply | linear(classes)", "found loo"},
      {"linear(8) | score(l2) | exp | sinkhorn(1001) | apply | linear(classes)", "at most 1000 iterations"},
      {"linear(8) | score(l2) | exp | sinkhorn(2.5) | apply | linear(classes)", "a whole number"},
      {"linear(1.5) | linear(classes)", "a whole number"},
      {"residual(score(dot)) | linear(classes)", "gives what it takes (points)"},
      {"residual(score(dot) | exp | row) | linear(classes)", "gives what it takes (points)"},
      {"layers(2, score(dot)) | exp | row | apply | linear(classes)", "gives what it takes (points)"},
      {"layers(64, beside(tanh)) | linear(classes)", "at most 16777216 features"},
      {"linear(16777216, heads=1024) | linear(classes)", "found 17179869184"},
      {"layers(1000, layers(1000, layers(1000, tanh))) | linear(classes)", "at most 50000 stages"},
      {"linear(classes) | beside(tanh)", "put linear(classes) last"},
      {"linear(600) | score(l2) | exp | row | apply | linear(classes)", "at most 512"},
      {"linear(classes, heads=2) | score(l2) | exp | row | apply", "heads(mean)"}};
  for (const auto& [text, reason] : cases) {
    const std::string found = refusal(text);
    EXPECT_NE(found.find(reason), std::string::npos) << text << ": " << found;
    // Every stage has a caret; what is said of the whole network has none.
    const bool of_all = found.starts_with("[network]");
    EXPECT_EQ(found.find('^') == std::string::npos, of_all) << found;
  }
  EXPECT_EQ(refusal("linear(8) | score(l2) | exp(auto) | row | apply | linear(classes)"), "");
}

}  // namespace
}  // namespace calor::learn
