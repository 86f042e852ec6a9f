// Networks compiled from their text: against definitions in plain dense torch operators, their gradients against differences in double, and what
// does not fit refused with its place.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/csr.h"
#include "calor/learn/network/builder.h"
#include "calor/learn/network/network.h"
#include "calor/learn/nodes/compare.h"
#include "calor/learn/nodes/run.h"
#include "differences.h"

#include <nlohmann/json.hpp>

namespace calor::learn {
namespace {

constexpr std::int64_t nodes = 12, columns = 5, classes = 3;

// A ring with some chords; node 11 alone.
std::vector<engine::Edge> ring() {
  std::vector<engine::Edge> edges;
  const auto join = [&](std::int64_t a, std::int64_t b) {
    edges.push_back({a, b, 1});
    edges.push_back({b, a, 1});
  };
  for (std::int64_t i = 0; i < 11; ++i) join(i, (i + 1) % 11);
  join(0, 5), join(2, 7), join(3, 9);
  return edges;
}

std::shared_ptr<const pipeline::Data> ring_data() {
  auto data = std::make_shared<pipeline::Data>();
  data->features = std::make_shared<const engine::Matrix>(nodes, 0);
  data->graph = std::make_shared<const engine::Csr>(engine::from_edges(nodes, nodes, ring()));
  return data;
}

at::Tensor adjacency_with_loops() {
  at::Tensor a = at::eye(nodes, at::kDouble);
  for (const engine::Edge& edge : ring()) a[edge.row][edge.column] = 1;
  return a;
}

at::Tensor points() {
  Random random(5, Purpose::test);
  const at::Tensor x = at::empty({nodes, columns}, at::kDouble);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = random.normal();
  return x;
}

NodeNetwork network(const std::string& text, std::uint64_t seed = 3, const at::Tensor& x = points()) {
  NodeFeatures features;
  features.dense = x;
  features.columns = x.size(1);
  return {model::network_of(text), {ring_data()}, features, classes, seed, Context(), at::kDouble};
}

void expect_near(const at::Tensor& found, const at::Tensor& truth, double tolerance = 1e-12) {
  ASSERT_EQ(found.sizes(), truth.sizes());
  EXPECT_LE((found - truth).abs().max().item<double>(), tolerance);
}

// Weights start at random but constants (biases) at 0: shaken, so that a test sees them.
void shake(const NodeNetwork& net) {
  const at::NoGradGuard no_gradient;
  Random random(9, Purpose::test);
  at::Tensor values = net.weights().values();
  for (std::int64_t i = 0; i < values.numel(); ++i) values.data_ptr<double>()[i] += 0.3 * random.normal();
}

at::Tensor symmetric() {
  const at::Tensor a = adjacency_with_loops(), root = a.sum(1).rsqrt();
  return root.unsqueeze(1) * a * root;
}

TEST(Networks, GcnIsItsDefinition) {
  const NodeNetwork net = network("gcn width=4");
  shake(net);
  const Weights& w = net.weights();
  const at::Tensor s = symmetric(), hidden = at::relu(s.matmul(points().matmul(w[0].t())) + w[1]);
  expect_near(net.logits(false, 0), s.matmul(hidden.matmul(w[2].t())) + w[3]);
}

// softmax over neighbours of a matrix of scores [n, n], times z.
at::Tensor attended(const at::Tensor& scores, const at::Tensor& z) { return at::softmax(scores.masked_fill(adjacency_with_loops() == 0, -INFINITY), 1).matmul(z); }

TEST(Networks, GatIsItsDefinition) {
  const NodeNetwork net = network("gat width=2 heads=3");
  shake(net);
  const Weights& w = net.weights();  // weight, own, other, bias of each layer
  const auto layer = [&](const at::Tensor& x, std::size_t first, std::int64_t heads) {
    const at::Tensor z = x.matmul(w[first].t()).unflatten(1, {heads, -1});
    std::vector<at::Tensor> out;
    for (std::int64_t h = 0; h < heads; ++h) {
      const at::Tensor zh = z.select(1, h), own = zh.matmul(w[first + 1][h]), other = zh.matmul(w[first + 2][h]);
      out.push_back(attended(at::leaky_relu(own.unsqueeze(1) + other.unsqueeze(0), 0.2), zh));
    }
    return at::cat(out, 1) + w[first + 3];
  };
  expect_near(net.logits(false, 0), layer(at::elu(layer(points(), 0, 3)), 4, 1));
}

TEST(Networks, EveryScoreIsItsFormula) {
  const at::Tensor x = points();
  for (const std::string kind : {"dot", "l2", "metric", "uniform", "joined"}) {
    SCOPED_TRACE(kind);
    const NodeNetwork net = network("linear(classes) | adjacency | self_loops | score(" + kind + ") | exp(0.7) | row | apply");
    shake(net);
    const Weights& w = net.weights();
    const at::Tensor z = x.matmul(w[0].t());
    at::Tensor scores;
    if (kind == "dot") scores = z.matmul(w[1][0].t()).matmul(z.matmul(w[2][0].t()).t()) / std::sqrt(3.0);
    if (kind == "uniform") scores = at::zeros({nodes, nodes}, at::kDouble);
    if (kind == "joined") scores = at::leaky_relu(x.matmul(w[1].t()).unsqueeze(1) + z.unsqueeze(0), 0.2).matmul(w[2][0]);
    if (kind == "l2" || kind == "metric") {
      const at::Tensor f = kind == "l2" ? z.matmul(w[1][0].t()) : z + at::tanh(z.matmul(w[1][0].t()) + w[2]).matmul(w[3][0].t()) + w[4];
      scores = -(f.unsqueeze(1) - f.unsqueeze(0)).square().sum(2);
    }
    expect_near(net.logits(false, 0), attended(scores / 0.7, z));
  }
}

TEST(Networks, StagesDoWhatTheySay) {
  const at::Tensor x = points(), s = symmetric();
  {
    const NodeNetwork net = network("adjacency | self_loops | two_side(0.5) | apply(3) | linear(classes) | bias");
    expect_near(net.logits(false, 0), s.matmul(s).matmul(s).matmul(x).matmul(net.weights()[0].t()) + net.weights()[1]);
  }
  {
    const NodeNetwork net = network("residual(linear(classes) | tanh, skip=linear)");
    expect_near(net.logits(false, 0), at::tanh(x.matmul(net.weights()[0].t())) + x.matmul(net.weights()[1].t()));
  }
  {
    const NodeNetwork net = network("linear(classes) | adjacency | self_loops | two_side(0.5) | restart(0.3, steps=2)");
    const at::Tensor h = x.matmul(net.weights()[0].t()), once = 0.7 * s.matmul(h) + 0.3 * h;
    expect_near(net.logits(false, 0), 0.7 * s.matmul(once) + 0.3 * h);
  }
  {
    const NodeNetwork net = network("adjacency | row | apply | linear(classes)");  // node 11 has no neighbour
    const at::Tensor a = adjacency_with_loops() - at::eye(nodes, at::kDouble);
    expect_near(net.logits(false, 0), (a / a.sum(1, true).clamp_min(1)).matmul(x).matmul(net.weights()[0].t()));
  }
  {
    const NodeNetwork net = network("linear(4) | layers(2, residual(linear(4) | tanh) | norm) | leaky_relu(0.1) | linear(classes, heads=2) | heads(mean)");
    shake(net);
    const Weights& w = net.weights();
    at::Tensor h = x.matmul(w[0].t());
    for (const std::size_t first : {1, 4}) h = at::layer_norm(h + at::tanh(h.matmul(w[first].t())), {4}, w[first + 1], w[first + 2]);
    expect_near(net.logits(false, 0), at::leaky_relu(h, 0.1).matmul(w[7].t()).unflatten(1, {2, 3}).mean(1));
  }
  {
    const NodeNetwork net = network("linear(classes) | adjacency | self_loops | score(l2) | exp(learned) | row | apply");
    shake(net);
    const Weights& w = net.weights();
    const at::Tensor z = x.matmul(w[0].t()), f = z.matmul(w[1][0].t());
    expect_near(net.logits(false, 0), attended(-(f.unsqueeze(1) - f.unsqueeze(0)).square().sum(2) * (-w[2]).exp(), z));
  }
}

// All nodes attend to all, and then along the edges by a score that asks what the last map was given.
TEST(Networks, AllPairsAndEdgesInOneNetwork) {
  const NodeNetwork net = network("linear(4) | score(l2) | exp(2) | row | apply | linear(classes) | adjacency | self_loops | score(joined) | exp | row | apply");
  shake(net);
  const Weights& w = net.weights();
  const at::Tensor z = points().matmul(w[0].t()), f = z.matmul(w[1].t());
  const at::Tensor h = at::softmax(-(f.unsqueeze(1) - f.unsqueeze(0)).square().sum(2) / 2, 1).matmul(z), y = h.matmul(w[2].t());
  const at::Tensor own = h.matmul(w[3].t());
  expect_near(net.logits(false, 0), attended(at::leaky_relu(own.unsqueeze(1) + y.unsqueeze(0), 0.2).matmul(w[4][0]), y));
  EXPECT_EQ(net.shares().size(), 2u);
  expect_gradients_are_differences(net, nodes, classes, 1e-7);
}

TEST(Networks, GradientsAreDifferences) {
  for (const recipes::Recipe& recipe : model::all_networks()) {
    SCOPED_TRACE(std::string(recipe.name));
    if (model::network_of(recipe.name).wants == pipeline::Wants::mesh) continue;  // test_surfaces.cpp
    const NodeNetwork net = network(std::string(recipe.name));
    shake(net);
    expect_gradients_are_differences(net, nodes, classes, 1e-7);
  }
}

// Two numbers of every edge of the ring, each way its own, and the same as a table [to, from, 2], whose diagonal has the means of its rows.
std::shared_ptr<const EdgeFeatures> ring_features() {
  EdgeFeatures result{*ring_data()->graph, {}};
  Random random(6, Purpose::test);
  result.values = at::empty({result.graph.edges(), 2}, at::kDouble);
  for (std::int64_t i = 0; i < result.values.numel(); ++i) result.values.data_ptr<double>()[i] = random.normal();
  return std::make_shared<const EdgeFeatures>(std::move(result));
}
at::Tensor feature_table() {
  const auto features = ring_features();
  at::Tensor table = at::zeros({nodes, nodes, 2}, at::kDouble);
  for (std::int64_t i = 0; i < nodes; ++i)
    for (std::int64_t e = features->graph.begin[i]; e < features->graph.begin[i + 1]; ++e) {
      table[i][features->graph.column[e]] += features->values[e];
      table[i][i] += features->values[e] / (features->graph.begin[i + 1] - features->graph.begin[i]);
    }
  return table;
}
NodeNetwork featured(const std::string& text) {
  NodeFeatures features;
  features.dense = points();
  features.columns = columns;
  Domain domain{ring_data()};
  domain.edges = ring_features();
  return {model::network_of(text), domain, features, classes, 3, Context(), at::kDouble};
}

TEST(EdgeFeatures, AreAddedToTheNeighbourThatIsComparedAndToWhatFlows) {
  const at::Tensor x = points(), table = feature_table();
  for (const std::string taken : {"keys", "both"})
    for (const std::string kind : {"additive", "dot", "l2", "metric", "joined", "transformer", "uniform"}) {
      if (kind == "uniform" && taken == "keys") continue;
      SCOPED_TRACE(kind + " " + taken);
      const NodeNetwork net = featured("linear(classes) | adjacency | self_loops | score(" + kind + ", edge_features=" + taken + ") | exp(0.7) | row | apply");
      shake(net);
      const Weights& w = net.weights();
      const at::Tensor z = x.matmul(w[0].t()), y = z.unsqueeze(0) + at::zeros({nodes, 1, classes}, at::kDouble);
      const at::Tensor u = table.matmul(w[net.specs().size() - 1][0].t());  // [to, from, width]
      at::Tensor scores;
      if (kind == "additive") scores = at::leaky_relu(z.matmul(w[1][0]).unsqueeze(1) + (y + u).matmul(w[2][0]), 0.2);
      if (kind == "dot") scores = (z.matmul(w[1][0].t()).unsqueeze(1) * (z.matmul(w[2][0].t()).unsqueeze(0) + u)).sum(2) / std::sqrt(3.0);
      if (kind == "transformer") scores = ((x.matmul(w[1].t()) + w[2]).unsqueeze(1) * (x.matmul(w[3].t()).unsqueeze(0) + u)).sum(2) / std::sqrt(3.0);
      if (kind == "uniform") scores = at::zeros({nodes, nodes}, at::kDouble);
      if (kind == "joined") scores = at::leaky_relu(x.matmul(w[1].t()).unsqueeze(1) + y + u, 0.2).matmul(w[2][0]);
      if (kind == "l2" || kind == "metric") {
        const at::Tensor f = kind == "l2" ? z.matmul(w[1][0].t()) : z + at::tanh(z.matmul(w[1][0].t()) + w[2]).matmul(w[3][0].t()) + w[4];
        scores = -(f.unsqueeze(1) - f.unsqueeze(0) - u).square().sum(2);
      }
      const at::Tensor weights = at::softmax((scores / 0.7).masked_fill(adjacency_with_loops() == 0, -INFINITY), 1);
      expect_near(net.logits(false, 0), (weights.unsqueeze(2) * (taken == "both" ? y + u : y)).sum(1));
      expect_gradients_are_differences(net, nodes, classes, 1e-7);
      const at::Tensor entropy = -at::xlogy(weights, weights).sum(1);
      ASSERT_EQ(net.shares().size(), 1u);
      EXPECT_NEAR(net.shares()[0], (entropy.exp() / adjacency_with_loops().sum(1)).mean().item<double>(), 1e-9);
    }
}

// The layer of Shi et al.: products of maps of what comes in, and a map of a node's own features beside what flows.
TEST(EdgeFeatures, GraphTransformerIsItsDefinition) {
  const NodeNetwork net = featured("graph-transformer width=2 heads=2 edge_features=both");
  shake(net);
  const Weights& w = net.weights();  // value, query, query bias, key, edge, bias, skip of each layer
  const at::Tensor table = feature_table(), unjoined = adjacency_with_loops() - at::eye(nodes, at::kDouble) == 0;
  const auto layer = [&](const at::Tensor& x, std::size_t first, std::int64_t heads) {
    const auto split = [&](const at::Tensor& t) { return t.unflatten(1, {heads, -1}); };
    const at::Tensor v = split(x.matmul(w[first].t())), q = split(x.matmul(w[first + 1].t()) + w[first + 2]), k = split(x.matmul(w[first + 3].t()));
    std::vector<at::Tensor> out;
    for (std::int64_t h = 0; h < heads; ++h) {
      const at::Tensor u = table.matmul(w[first + 4][h].t());
      const at::Tensor scores = (q.select(1, h).unsqueeze(1) * (k.select(1, h).unsqueeze(0) + u)).sum(2) / std::sqrt(static_cast<double>(v.size(2)));
      const at::Tensor weights = at::softmax(scores.masked_fill(unjoined, -1e300), 1).masked_fill(unjoined, 0);
      out.push_back((weights.unsqueeze(2) * (v.select(1, h).unsqueeze(0) + u)).sum(1));
    }
    return at::cat(out, 1) + w[first + 5] + x.matmul(w[first + 6].t());
  };
  expect_near(net.logits(false, 0), layer(at::elu(layer(points(), 0, 2)), 7, 1));
  expect_gradients_are_differences(net, nodes, classes, 1e-7);
}

TEST(EdgeFeatures, AreRefusedWhereThereAreNone) {
  const auto message = [](const std::string& text, bool with) -> std::string {
    try {
      with ? featured(text) : network(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::usage);
      return error.what();
    }
    return "none";
  };
  const auto expect = [&](const std::string& text, bool with, const std::string& part) { EXPECT_NE(message(text, with).find(part), std::string::npos) << text << " -> " << message(text, with); };
  expect("graph-transformer edge_features=keys", false, "expected features of edges, found none");
  expect("graph-transformer edge_features=some", true, "edge_features");
  expect("linear(classes) | score(dot, edge_features=keys) | exp | row | apply", true, "expected no edge_features for all pairs");
  expect("linear(classes) | score(transformer) | exp | row | apply", true, "found transformer: use dot");
  expect("linear(classes) | adjacency | score(uniform, edge_features=keys) | exp | row | apply", true, "which compares nothing");
}

TEST(Networks, DropoutIsDrawnBySeedAndStep) {
  const NodeNetwork net = network("gat");
  EXPECT_TRUE(net.logits(true, 1).equal(net.logits(true, 1)));
  EXPECT_FALSE(net.logits(true, 1).equal(net.logits(true, 2)));
  EXPECT_TRUE(net.logits(false, 1).equal(net.logits(false, 2)));
}

TEST(Networks, SparseFeaturesGiveWhatDenseOnesDo) {
  std::vector<engine::Edge> entries;
  at::Tensor dense = at::zeros({nodes, columns}, at::kFloat);
  Random random(8, Purpose::test);
  for (std::int64_t i = 0; i < nodes; ++i)
    for (std::int64_t c = i % 2; c < columns; c += 2) {
      const auto value = static_cast<float>(random.normal());
      entries.push_back({i, c, value});
      dense[i][c] = value;
    }
  NodeFeatures sparse;
  sparse.sparse = support_of(engine::from_edges(nodes, columns, std::move(entries)));
  sparse.columns = columns;
  NodeFeatures full;
  full.dense = dense;
  full.columns = columns;
  for (const recipes::Recipe& recipe : model::all_networks()) {
    SCOPED_TRACE(std::string(recipe.name));
    const model::Network text = model::network_of(recipe.name);
    if (text.wants == pipeline::Wants::mesh) continue;
    const NodeNetwork one(text, {ring_data()}, sparse, classes, 3, Context()), other(text, {ring_data()}, full, classes, 3, Context());
    EXPECT_LE((one.logits(false, 0) - other.logits(false, 0)).abs().max().item<float>(), 2e-6);
  }
}

TEST(Networks, SharesTellAPlainMeanFromAChoice) {
  const NodeNetwork even = network("graph-uniform");
  for (const double share : even.shares()) EXPECT_NEAR(share, 1, 1e-12);
  const NodeNetwork sharp = network("linear(classes) | adjacency | self_loops | score(l2) | exp(0.0001) | row | apply");
  ASSERT_EQ(sharp.shares().size(), 1u);
  // Each node attends to itself alone: 1 over its number of neighbours.
  const at::Tensor degree = adjacency_with_loops().sum(1);
  EXPECT_NEAR(sharp.shares()[0], degree.reciprocal().mean().item<double>(), 1e-6);
  EXPECT_EQ(network("gcn").shares().size(), 0u);
}

TEST(Networks, WhatDoesNotFitIsRefusedAtItsPlace) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      network(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::usage);
      return error.what();
    }
    return "none";
  };
  const auto expect = [&](const std::string& text, const std::string& part) { EXPECT_NE(message(text).find(part), std::string::npos) << text << " -> " << message(text); };
  expect("gnc", "did you mean \"gcn\"?");
  expect("gcn wdith=3", "expected stage.parameter=value or a value for $dropout, $width");
  expect("linear(8) | relu", "expected linear(classes) as the last map");
  expect("linear(classes) | adjacency | self_loops", "expected the network to end with a number for each class, found a similarity");
  expect("linear(classes, heads=2)", "found 2 heads of 3: put heads(mean) after them");
  expect("adjacency | exp | row | apply | linear(classes)", "expected a learned score, found a graph's own weights");
  expect("linear(classes) | adjacency | score(dot) | exp | apply", "expected exp | row between score and apply, found exp alone");
  expect("linear(classes) | adjacency | score(dot) | exp | two_side(0.5) | apply", "expected row after a learned score");
  expect("linear(classes) | adjacency | score(dot) | score(l2) | exp | row | apply", "found a second");
  expect("linear(classes) | score(dot)", "found a similarity: put apply after it");
  expect("linear(classes) | score(dot) | exp(auto) | row | apply", "on nodes and surfaces, found auto");
  expect("linear(classes) | adjacency | score(dot) | exp(auto) | row | apply", "on the edges of a graph, found auto");
  expect("residual(linear(4)) | linear(classes)", "as many features as it takes, 5, found 4");
  expect("knn(5) | linear(classes)", "found one of `calor run`");
  expect("residual(linear(5) | standardise) | linear(classes)", "found one of `calor run`");
  expect("linear(classes) | tahn", "did you mean \"tanh\"");
  expect("linear(0) | linear(classes)", "from 1 to 16777216");
  expect("dropout(1) | linear(classes)", "from 0 to 0.999");
  expect("diffusion-net", "[heat_signature] expected surfaces, found none");
  EXPECT_NE(message("linear(classes) | adjacency | score(dot) | exp | apply").find("^^^^^"), std::string::npos);
}

// Two groups that their edges tell apart and their features do not.
io::NodeDataset two_groups(std::int64_t size, std::uint64_t seed) {
  io::NodeDataset data;
  data.name = data.source = "groups";
  data.hash = "groups";
  data.classes = {"a", "b"};
  Random random(seed, Purpose::test);
  data.features.rows = size;
  data.features.columns = 4;
  for (std::int64_t i = 0; i < size; ++i) {
    data.labels.push_back(i % 2);
    for (std::int64_t c = 0; c < 4; ++c) {
      data.features.column.push_back(static_cast<std::int32_t>(c));
      data.features.value.push_back(random.normal() + (c == 0 ? 0.4 * static_cast<double>(i % 2) : 0));
    }
    data.features.begin.push_back(data.features.entries());
    for (int e = 0; e < 4; ++e) {
      const auto other = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(size / 2))) * 2 + i % 2;
      if (other != i) data.edges.push_back({std::min(i, other), std::max(i, other)});
    }
  }
  std::sort(data.edges.begin(), data.edges.end());
  data.edges.erase(std::unique(data.edges.begin(), data.edges.end()), data.edges.end());
  return data;
}

TEST(CompareNodes, TheGraphTellsWhatFeaturesDoNot) {
  const io::NodeDataset data = two_groups(300, 1);
  CompareNodesOptions options;
  options.pipelines = {"gcn", "gat heads=2"};
  options.seeds = 3;
  options.protocol.epochs = 60;
  nlohmann::json first;
  for (const int threads : {1, 2}) {
    Context context;
    context.threads = threads;
    nlohmann::json found = compare_nodes(data, options, context);
    for (auto& run : found["runs"]) run.erase("seconds"), run.erase("seconds_to_common");
    for (auto& row : found["summary"]) row.erase("seconds_to_common");
    found.erase("verdict");
    if (first.is_null()) first = found;
    EXPECT_EQ(first, found);
  }
  for (const auto& row : first["summary"]) EXPECT_GT(row["accuracy_mean"].get<double>(), 0.9) << row;
  for (const auto& row : first["baselines"])
    EXPECT_LT(row["name"] == "label spreading" ? 0 : row["accuracy_mean"].get<double>(), 0.8) << row;
  EXPECT_EQ(first["baselines"].size(), 3u);
  EXPECT_EQ(first["data"]["own_split"], false);
  EXPECT_EQ(first["data"]["train"], 40);
}

TEST(NodeSplit, DrawnOnesAreStratifiedAndDisjoint) {
  const io::NodeDataset data = two_groups(200, 2);
  const NodeSplit split = node_split(data, 20, 7), other = node_split(data, 20, 8);
  EXPECT_EQ(split.train.size(), 40u);
  std::int64_t ones = 0;
  for (const std::int64_t node : split.train) ones += data.labels[node];
  EXPECT_EQ(ones, 20);
  std::vector<std::int64_t> all = split.train;
  all.insert(all.end(), split.validation.begin(), split.validation.end());
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
  EXPECT_EQ(all.size(), 200u);
  EXPECT_NE(split.train, other.train);
  EXPECT_EQ(split.train, node_split(data, 20, 7).train);
}

TEST(NodeData, FeaturesAreScaledAsTheySay) {
  io::NodeDataset data = two_groups(50, 3);
  const NodeData standardised = node_data(data, FeatureScale::automatic, Context());
  EXPECT_EQ(standardised.scale, FeatureScale::standardised);
  EXPECT_LE(standardised.features.dense.mean(0).abs().max().item<float>(), 1e-6);
  EXPECT_LE((standardised.features.dense.square().mean(0) - 1).abs().max().item<float>(), 1e-5);
  for (double& value : data.features.value) value = std::abs(value);
  const NodeData rows = node_data(data, FeatureScale::rows, Context());
  EXPECT_LE((rows.features.dense.sum(1) - 1).abs().max().item<float>(), 1e-6);
  const NodeData same = node_data(data, FeatureScale::untouched, Context());
  EXPECT_EQ(same.features.dense[3][2].item<float>(), static_cast<float>(data.features.value[3 * 4 + 2]));
  data.classes = {"a"};
  data.labels.assign(50, 0);
  EXPECT_THROW(require_classes(data, "compare"), Error);
}

}  // namespace
}  // namespace calor::learn
