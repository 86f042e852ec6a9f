// Networks on surfaces: their stages against definitions in dense matrices, gradients against differences in double, published weights against published
// predictions, and training that goes on to the same bits.
#include "calor/learn/surfaces/run.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

#include "../engine/surfaces.h"
#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/mesh_gradient.h"
#include "calor/engine/mesh_graphs.h"
#include "calor/engine/mesh_laplacian.h"
#include "calor/learn/surfaces/compare.h"
#include "calor/learn/surfaces/model.h"
#include "calor/learn/surfaces/train.h"
#include "differences.h"

namespace calor::learn {
namespace {

constexpr std::int64_t classes = 3;

// An ellipsoid that is turned somehow, a class for each triangle: at its ends, and around its middle two.
io::Mesh ellipsoid(std::uint64_t seed, int subdivisions, std::vector<std::int64_t>* labels = nullptr) {
  Random random(seed, Purpose::test);
  io::Mesh mesh = engine::sphere(subdivisions);
  if (labels) {
    const engine::Matrix middles = [&] {
      engine::Matrix sums = engine::Matrix::Zero(mesh.faces(), 3);
      for (std::int64_t f = 0; f < mesh.faces(); ++f)
        for (std::int64_t i = 0; i < 3; ++i) sums.row(f) += engine::points_of(mesh).row(mesh.triangles[3 * f + i]) / 3;
      return sums;
    }();
    for (std::int64_t f = 0; f < mesh.faces(); ++f) labels->push_back(std::abs(middles(f, 0)) > 0.7 ? 0 : std::abs(middles(f, 0)) > 0.3 ? 1 : 2);
  }
  Eigen::Map<engine::Matrix> points(mesh.points.data(), mesh.nodes(), 3);
  points.col(0) *= 2.5 + random.uniform();
  points.col(1) *= 1 + 0.2 * random.uniform();
  const double angle = 6 * random.uniform();
  Eigen::Matrix3d turn;
  turn << std::cos(angle), -std::sin(angle), 0, std::sin(angle), std::cos(angle), 0, 0, 0, 1;
  points = (points * turn).eval();
  mesh.name = "e" + std::to_string(seed);
  mesh.file_faces = mesh.faces();
  for (std::int64_t f = 0; f < mesh.faces(); ++f) mesh.face_of.push_back(static_cast<std::int32_t>(f));
  return mesh;
}

io::SurfaceSet ellipsoids(std::uint64_t first, std::uint64_t count) {
  io::SurfaceSet set;
  set.name = set.source = "ellipsoids";
  set.hash = std::to_string(first);
  set.classes = {"end", "shoulder", "middle"};
  set.of_faces = true;
  for (std::uint64_t i = first; i < first + count; ++i) {
    std::vector<std::int64_t> labels;
    set.meshes.push_back(ellipsoid(i, 2, &labels));
    set.labels.push_back(std::move(labels));
  }
  return set;
}

struct OnOne {
  explicit OnOne(const std::string& text, bool faces = false, int subdivisions = 1)
      : surface(std::make_shared<const Surface>(ellipsoid(1, subdivisions))), network(model::network_of(text), {nullptr, surface, faces}, features(), classes, 3, Context(), at::kDouble) {}
  NodeFeatures features() const {
    NodeFeatures result;
    result.dense = surface->points(at::kDouble);
    result.columns = 3;
    return result;
  }
  std::shared_ptr<const Surface> surface;
  NodeNetwork network;
};

void shake(const NodeNetwork& net) {
  Random random(9, Purpose::test);
  const at::NoGradGuard no_gradient;
  at::Tensor values = net.weights().values();
  for (std::int64_t i = 0; i < values.numel(); ++i) values.data_ptr<double>()[i] += 0.1 + 0.3 * random.uniform();
}

at::Tensor dense_of(const engine::Csr& graph) {
  const at::Tensor full = at::zeros({graph.rows, graph.columns}, at::kDouble);
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) full[i][graph.column[e]] = graph.values[e];
  return full;
}

void expect_near(const at::Tensor& found, const at::Tensor& truth, double tolerance) {
  ASSERT_EQ(found.sizes(), truth.sizes());
  EXPECT_LE((found - truth).abs().max().item<double>(), tolerance * std::max(1.0, truth.abs().max().item<double>()));
}

TEST(SurfaceNetworks, HeatIsTheExponentialOfTheLaplacian) {
  for (const std::string weights : {"robust", "cotangent"}) {
    const OnOne one("linear(classes) | laplacian(42, " + weights + ") | heat");  // as many modes as points
    shake(one.network);
    const Weights& w = one.network.weights();
    const io::Mesh& mesh = one.surface->mesh();
    const engine::MeshLaplacian laplacian = weights == "robust" ? engine::mesh_laplacian(mesh, Context()) : engine::cotangent_laplacian(mesh, Context());
    const at::Tensor mass = at::empty({mesh.nodes(), 1}, at::kDouble);
    for (std::int64_t i = 0; i < mesh.nodes(); ++i) mass[i][0] = laplacian.mass[i];
    const at::Tensor flow = dense_of(laplacian.stiffness) / mass, x = one.surface->points(at::kDouble).matmul(w[0].t());
    std::vector<at::Tensor> truth;
    for (std::int64_t c = 0; c < classes; ++c) truth.push_back(at::matrix_exp(-w[1][c] * flow).matmul(x.select(1, c)));
    expect_near(one.network.logits(false, 0), at::stack(truth, 1), 1e-10);
  }
}

// Along all modes a step is 1 / (1 + t lambda), to rounding; and a small one is nearly the exponential, which differs from it by t² lambda² / 2.
TEST(SurfaceNetworks, ImplicitHeatIsAStepAlongAllModes) {
  for (const std::string weights : {"robust", "cotangent"}) {
    const OnOne one("linear(classes) | laplacian(2, " + weights + ") | heat(implicit)"), exact("linear(classes) | laplacian(42, " + weights + ") | heat");
    for (const OnOne* each : {&one, &exact}) shake(each->network);
    const Weights& w = one.network.weights();
    const auto modes = one.surface->modes(weights, 42, at::kDouble, Context());
    const at::Tensor x = one.surface->points(at::kDouble).matmul(w[0].t());
    const at::Tensor step = modes->vectors.matmul((1 + at::outer(modes->values, w[1])).reciprocal() * modes->measures.matmul(x));
    expect_near(one.network.logits(false, 0), step, 1e-11);
    const at::NoGradGuard no_gradient;
    const double time = 1e-3 / modes->values.max().item<double>();
    for (const OnOne* each : {&one, &exact}) each->network.weights()[1].variable_data().fill_(time);
    expect_near(one.network.logits(false, 0), exact.network.logits(false, 0), 1e-6);
  }
}

TEST(SurfaceNetworks, GradientsFacesAndBesideAreTheirDefinitions) {
  const OnOne one("linear(classes) | beside(gradients) | linear(classes) | faces", true);
  shake(one.network);
  const Weights& w = one.network.weights();
  const io::Mesh& mesh = one.surface->mesh();
  const engine::MeshGradient gradient = engine::mesh_gradient(mesh, engine::tangent_frames(mesh), engine::point_graph(mesh), engine::diffusion_net_regularisation, Context());
  const at::Tensor x = one.surface->points(at::kDouble).matmul(w[0].t()), gx = dense_of(gradient.x).matmul(x), gy = dense_of(gradient.y).matmul(x);
  // The real part of conj(g) A g for g = gx + i gy and A = w[1] + i w[2].
  const at::Tensor g = at::complex(gx, gy), a = at::complex(w[1], w[2]);
  const at::Tensor product = at::real(at::conj(g) * g.matmul(a.t()));
  const at::Tensor points = at::cat({x, at::tanh(product)}, 1).matmul(w[3].t());
  std::vector<at::Tensor> faces;
  for (std::size_t f = 0; f < mesh.triangles.size(); f += 3) faces.push_back((points[mesh.triangles[f]] + points[mesh.triangles[f + 1]] + points[mesh.triangles[f + 2]]) / 3);
  expect_near(one.network.logits(false, 0), at::stack(faces), 1e-12);
}

TEST(SurfaceNetworks, AttentionFlowsBetweenTrianglesThatShareASide) {
  const OnOne one("faces | linear(classes) | adjacency | self_loops | score(l2) | exp | row | apply", true);
  shake(one.network);
  const Weights& w = one.network.weights();
  const io::Mesh& mesh = one.surface->mesh();
  const at::Tensor z = dense_of(engine::corner_means(mesh)).matmul(one.surface->points(at::kDouble)).matmul(w[0].t()), f = z.matmul(w[1][0].t());
  const at::Tensor near = dense_of(engine::face_graph(mesh)) + at::eye(mesh.faces(), at::kDouble);
  EXPECT_EQ(near.sum(1).min().item<double>(), 4);  // three sides and itself
  EXPECT_EQ(near.sum(1).max().item<double>(), 4);
  const at::Tensor scores = -(f.unsqueeze(1) - f.unsqueeze(0)).square().sum(2);
  expect_near(one.network.logits(false, 0), at::softmax(scores.masked_fill(near == 0, -INFINITY), 1).matmul(z), 1e-12);
}

TEST(SurfaceNetworks, GradientsAreDifferences) {
  for (const char* name : {"diffusion-net width=6 blocks=2 modes=20", "diffusion-net-xyz width=6 blocks=1 modes=20 weights=cotangent", "diffusion-net width=6 blocks=1 modes=20 form=implicit", "surface-metric width=6 layers=2", "surface-mlp width=6 layers=1"}) {
    SCOPED_TRACE(name);
    const OnOne one(name, true);
    shake(one.network);
    expect_gradients_are_differences(one.network, one.surface->mesh().faces(), classes, 2e-7, 1);
  }
}

TEST(SurfaceNetworks, TimesStayAboveZeroAndComeBack) {
  const OnOne one("linear(classes) | laplacian(20) | heat");
  {
    const at::NoGradGuard no_gradient;
    at::Tensor time = one.network.weights()[1].variable_data();
    time.fill_(-1);
  }
  const at::Tensor still = one.network.logits(false, 0);
  EXPECT_EQ(one.network.weights()[1].max().item<double>(), -1);  // looking changes nothing
  one.network.weights().gradients().zero_();
  one.network.logits(true, 0).square().sum().backward();
  EXPECT_EQ(one.network.weights()[1].max().item<double>(), 1e-8);
  EXPECT_GT(one.network.weights().gradients().abs().min().item<double>(), 0);  // the time's too
  EXPECT_TRUE(one.network.logits(false, 0).equal(still));
}

TEST(SurfaceNetworks, RotationsKeepLengthsAndAngles) {
  const OnOne one("rotate | linear(classes)");
  const at::Tensor points = one.surface->points(at::kDouble), weight = one.network.weights()[0].detach();
  EXPECT_TRUE(one.network.logits(false, 0).equal(points.matmul(weight.t())));
  at::Tensor sum = at::zeros({3, 3}, at::kDouble);
  constexpr std::int64_t steps = 400;
  for (std::int64_t step = 0; step < steps; ++step) {
    // logits = points R weight': R is read off, since the weight and the points have full rank.
    const at::Tensor turned = one.network.logits(true, static_cast<std::uint64_t>(step)).detach().matmul(at::inverse(weight.t()));
    const at::Tensor rotation = at::inverse(points.t().matmul(points)).matmul(points.t()).matmul(turned);
    ASSERT_LE((rotation.matmul(rotation.t()) - at::eye(3, at::kDouble)).abs().max().item<double>(), 1e-9);
    ASSERT_NEAR(at::det(rotation).item<double>(), 1, 1e-9);
    sum += rotation;
  }
  EXPECT_LE((sum / steps).abs().max().item<double>(), 4 / std::sqrt(3.0 * steps));  // entries have mean 0 and variance 1/3
}

TEST(SurfaceNetworks, WhatDoesNotFitIsRefusedAtItsPlace) {
  const auto expect = [&](const std::string& text, const std::string& part, bool faces = false) {
    try {
      OnOne one(text, faces);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::usage);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << text << " -> " << error.what();
    }
  };
  expect("linear(classes) | adjacency | self_loops | heat", "expected a surface's laplacian before it");
  expect("linear(classes) | laplacian | apply", "expected heat after laplacian");
  expect("linear(classes) | laplacian | row | apply", "expected heat after laplacian");
  expect("linear(classes) | laplacian | score(dot) | exp | row | apply", "expected heat after laplacian");
  expect("linear(classes) | heat_signature | linear(classes)", "expected it before all maps");
  expect("linear(3) | rotate | linear(classes)", "put it first");
  expect("heat_signature | rotate | linear(classes)", "found 16 mapped features");
  expect("faces | faces | linear(classes)", "one faces is enough", true);
  expect("faces | laplacian | heat | linear(classes)", "found its triangles", true);
  expect("residual(faces) | linear(classes)", "expected it outside of residual", true);
  expect("linear(classes)", "expected a row for each triangle at the end", true);
}

TEST(SurfaceNetworks, FacesWhereLabelsAreOfPointsDoNothing) {
  const OnOne with("faces | linear(classes)"), without("linear(classes)");
  EXPECT_TRUE(with.network.logits(false, 0).equal(without.network.logits(false, 0)));
  EXPECT_EQ(surface_network("linear(classes)", true).text, "linear(classes) | faces");
  EXPECT_EQ(surface_network("linear(classes)", false).text, "linear(classes)");
  EXPECT_EQ(surface_network("surface-self", true).text, model::network_of("surface-self").text);
}

SurfaceProtocol short_protocol() {
  SurfaceProtocol protocol;
  protocol.epochs = 60;
  protocol.learning_rate = 0.01;
  return protocol;
}

TEST(SurfaceRuns, LearnAndGoOnToTheSameBits) {
  const model::Network network = model::network_of("diffusion-net width=8 blocks=2 modes=30 dropout=0.05");
  const SurfaceData train = surface_data(ellipsoids(1, 5)), test = surface_data(ellipsoids(20, 2));
  SurfaceRun whole(network, train, test, short_protocol(), 1, Context());
  Checkpoint state;
  while (whole.step())
    if (whole.steps_done() == 17) state = whole.checkpoint();
  EXPECT_GT(whole.record().test_accuracy.back(), 0.8);  // 2 of 5 are of the largest class
  EXPECT_EQ(whole.record().epoch.back(), 60);
  SurfaceRun other(network, train, test, short_protocol(), 1, Context());
  other.restore(state);
  EXPECT_EQ(other.epoch(), 3);
  while (other.step()) continue;
  EXPECT_TRUE(other.network().weights().values().equal(whole.network().weights().values()));
  EXPECT_EQ(other.record().loss, whole.record().loss);
  EXPECT_EQ(other.record().test_accuracy, whole.record().test_accuracy);
  state.numbers["values"].pop_back();
  EXPECT_THROW(other.restore(state), Error);
}

TEST(SurfaceRuns, AreComparedTheSameForAnyNumberOfThreads) {
  CompareSurfacesOptions options;
  options.pipelines = {"surface-metric width=8 layers=1", "surface-uniform"};
  options.seeds = 2;
  options.protocol = short_protocol();
  options.protocol.epochs = 2;
  const io::SurfaceSet set = ellipsoids(1, 5);
  const auto compared = [&](int threads) {
    Context context;
    context.threads = threads;
    nlohmann::json document = compare_surfaces(set, std::nullopt, options, context);
    for (auto& run : document["runs"]) run.erase("seconds");
    for (auto& summary : document["summary"]) summary.erase("seconds_to_common");
    document.erase("verdict");  // says seconds
    return document;
  };
  const nlohmann::json one = compared(1);
  EXPECT_EQ(one, compared(2));
  EXPECT_EQ(one["data"]["train"], 4);
  EXPECT_EQ(one["data"]["test"], 1);
  EXPECT_EQ(one["baselines"][0]["name"], "plain network (surface-mlp)");
  EXPECT_EQ(one["surfaces"][0]["predictions"]["surface-uniform"].size(), 320);
  for (const auto& run : one["runs"])
    for (const auto& epoch : run["share"]) EXPECT_EQ(epoch.size(), run["attention"] == "surface-uniform" ? 4 : 1);
  options.pipelines = {"surface-metric", "surface-metric"};
  EXPECT_THROW(compared(1), Error);
}

std::string data_folder() {
  const char* folder = std::getenv("CALOR_DATA");
  return folder ? folder : "";
}

TEST(DiffusionNet, PublishedWeightsGiveThePublishedClasses) {
  if (data_folder().empty()) GTEST_SKIP() << "CALOR_DATA is not set";
  const std::string published = data_folder() + "/pretrained/diffusion_net/", human = data_folder() + "/human_seg/";
  for (const auto& [kind, accuracy] : {std::pair("hks", 0.9048), std::pair("xyz", 0.8937)}) {
    const SurfaceModel model = load_surface_model(published + "human_seg_" + kind + "_4x128.safetensors");
    const io::KnownLabels known{model.classes, model.of_faces};
    const io::SurfaceSet set = io::load_surfaces(human + "test", human + "fseg", &known, Context());
    const SurfacePredictions found = predict_surfaces(model, set, nullptr, Context());
    EXPECT_NEAR(found.all.accuracy, accuracy, 5e-5);
    std::int64_t different = 0;
    auto winner = found.all.winner.begin();
    for (std::int64_t m = 0; m < set.size(); ++m) {
      std::ifstream file(published + "predictions/" + set.meshes[m].name + "." + kind + ".txt");
      for (std::int64_t row = 0; row < found.rows[m]; ++row) {
        std::string truth;
        ASSERT_TRUE(file >> truth);
        different += model.classes[*winner++] != truth;
      }
    }
    EXPECT_LE(different, 5) << kind;  // ties of rounding, of 27,000
  }
}

}  // namespace
}  // namespace calor::learn
