// What a step does, for heads whose step is known: block models, uniform weights, rows of one token, closed forms on the sphere.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/engine/solve/dense.h"
#include "calor/inspect/inspect.h"
#include "planted.h"

namespace calor::inspect {
namespace {

// Tokens in k far groups of m, in the order 0 1 .. k-1 0 1 ..; within a group all attend to all, between groups hardly.
Matrix groups(Eigen::Index k, Eigen::Index m, double far, double width) {
  Matrix tokens = random_matrix(k * m, k, 7, width);
  for (Eigen::Index i = 0; i < k * m; ++i) tokens(i, i % k) += far;
  return tokens;
}

Modes modes_at(const Head& head, const Matrix& tokens) {
  const Features features = features_of(head, tokens);
  return modes_of(AttentionRows(head, features, true, Context()), 12, Context());
}

// k groups give k slow modes and are found again; both the dense and the streamed solver.
TEST(Modes, ABlockModelHasAModeForEachBlock) {
  for (const Eigen::Index k : {2, 3, 5}) {
    for (const Eigen::Index m : {20, 120}) {
      const Modes found = modes_at(distance_head(Matrix::Identity(k, k)), groups(k, m, 2.2, 0.2));
      EXPECT_TRUE(found.converged);
      EXPECT_EQ(found.slow, k);
      EXPECT_NEAR(found.eigenvalues[0].real(), 1, 1e-9);
      for (Eigen::Index i = 0; i < k * m; ++i)
        EXPECT_EQ(found.clusters[static_cast<std::size_t>(i)] == found.clusters[0], i % k == 0) << i;
    }
  }
}

TEST(Modes, OneCloudHasNone) { EXPECT_EQ(modes_at(distance_head(Matrix::Identity(3, 3)), random_matrix(300, 3, 8, 0.3)).slow, 1); }

// A rotation by a third of a turn carries three groups around: eigenvalues near the cube roots of 1.
TEST(Modes, ACycleHasComplexEigenvalues) {
  Matrix turn(3, 3);
  turn << 0, 1, 0, 0, 0, 1, 1, 0, 0;
  const Modes found = modes_at(bilinear_head(turn, 8), groups(3, 30, 1.5, 0.05));
  EXPECT_EQ(found.slow, 3);
  EXPECT_NEAR(std::abs(found.eigenvalues[1].imag()), std::sqrt(3) / 2, 0.02);
  EXPECT_NEAR(found.eigenvalues[1].real(), -0.5, 0.02);
}

Flow flow_at(const Head& head, const Matrix& tokens) { return flow_of(head, tokens, features_of(head, tokens), {}, Context()); }

// Uniform weights: every row averages all tokens, all columns receive 1, a bare step leaves no difference; sum tr M = 2 sum |x - mean|^2
// and sum |mu|^2 = sum |x - mean|^2, so that the drift share is 1/2 and the Dirichlet energy 1.
TEST(Flow, UniformWeights) {
  const Matrix tokens = random_matrix(70, 4, 9);
  const Flow found = flow_at(bilinear_head(Matrix::Zero(4, 4)), tokens);
  EXPECT_NEAR(found.effective_neighbours, 70, 1e-9);
  EXPECT_NEAR(found.effective_share, 1, 1e-12);
  EXPECT_NEAR(found.gini, 0, 1e-12);
  EXPECT_NEAR(found.contraction, 0, 1e-20);
  EXPECT_NEAR(found.drift_share, 0.5, 1e-12);
  EXPECT_NEAR(found.dirichlet, 1, 1e-12);
}

// Uniform weights under a causal mask: row i averages i + 1 tokens, and column sums are the harmonic tails.
TEST(Flow, UniformCausalWeights) {
  Head head = bilinear_head(Matrix::Zero(4, 4));
  head.causal = true;
  const Flow found = flow_at(head, random_matrix(70, 4, 9));
  EXPECT_NEAR(found.effective_neighbours, 71.0 / 2, 1e-9);
  EXPECT_NEAR(found.effective_share, 1, 1e-12);
  EXPECT_NEAR(found.gini, found.gini_uniform, 1e-12);
  EXPECT_EQ(found.sinks[0].token, 0);
  EXPECT_NEAR(found.column_sums[69], 1.0 / 70, 1e-12);
}

// All attend to one far token: one sink, one target, and every token is carried there: the drift share is 1.
TEST(Flow, ASinkTakesAll) {
  Matrix tokens = random_matrix(60, 3, 12, 0.1);
  tokens.col(0).array() += 1;  // all queries point along the first axis
  tokens(17, 0) = 50;
  const Flow found = flow_at(bilinear_head(Matrix::Identity(3, 3)), tokens);
  EXPECT_EQ(found.targets, 1);
  EXPECT_EQ(found.sinks[0].token, 17);
  EXPECT_NEAR(found.sinks[0].sum, 60, 1e-6);
  EXPECT_NEAR(found.gini, 59.0 / 60, 1e-6);
  EXPECT_NEAR(found.drift_share, 1, 1e-6);
  EXPECT_NEAR(found.effective_neighbours, 1, 1e-6);
}

// Sums over blocks of rows against the definition on the whole matrix.
TEST(Flow, MomentsAgreeWithTheirDefinition) {
  const Head head = bilinear_head(random_matrix(5, 5, 13));
  const Matrix tokens = random_matrix(131, 5, 14);
  const Matrix s = AttentionRows(head, features_of(head, tokens), true, Context()).apply(Matrix::Identity(131, 131));
  double drift = 0, second = 0, neighbours = 0;
  for (Eigen::Index i = 0; i < 131; ++i) {
    Eigen::RowVectorXd mu = Eigen::RowVectorXd::Zero(5);
    double entropy = 0;
    for (Eigen::Index j = 0; j < 131; ++j) {
      mu += s(i, j) * (tokens.row(j) - tokens.row(i));
      second += s(i, j) * (tokens.row(j) - tokens.row(i)).squaredNorm();
      entropy -= s(i, j) > 0 ? s(i, j) * std::log(s(i, j)) : 0;
    }
    drift += mu.squaredNorm();
    neighbours += std::exp(entropy) / 131;
  }
  const Flow found = flow_at(head, tokens);
  EXPECT_NEAR(found.drift_share, drift / second, 1e-11);
  EXPECT_NEAR(found.effective_neighbours, neighbours, 1e-10);
  EXPECT_NEAR(found.dirichlet, second / (2 * (tokens.rowwise() - tokens.colwise().mean()).squaredNorm()), 1e-11);
}

// Tokens that fill their space and values linear in them: the local picture explains the whole step.  On a circle the drift
// points to the centre: nothing of it is along the tangent.
TEST(Flow, TheLocalPictureExplainsLinearSteps) {
  const Matrix plane = random_matrix(400, 2, 15);
  EXPECT_GT(flow_at(distance_head(Matrix::Identity(2, 2), 3), plane).explained, 0.95);
  Matrix circle(400, 2);
  for (Eigen::Index i = 0; i < 400; ++i) circle.row(i) << std::cos(i * 0.05 * 0.31415926), std::sin(i * 0.05 * 0.31415926);
  EXPECT_LT(flow_at(distance_head(Matrix::Identity(2, 2), 20), circle).explained, 0.1);
}

// On a sphere of radius r, f = -b x'y: y* = x, concentration b r^2, time 1/2 / (b r^2) of r^2; for minus that the antipode.
TEST(Jump, ClosedFormOnTheSphere) {
  const Matrix directions = random_matrix(50, 6, 16), tokens = 3 * directions.rowwise().normalized();
  for (const double b : {0.5, 4.0}) {
    const auto along = sphere_jump(bilinear_head(b * Matrix::Identity(6, 6)), tokens), against = sphere_jump(bilinear_head(-b * Matrix::Identity(6, 6)), tokens);
    ASSERT_TRUE(along && against);
    EXPECT_NEAR(along->radius, 3, 1e-12);
    EXPECT_NEAR(along->angle, 0, 1e-4);
    EXPECT_NEAR(against->angle, 180, 1e-4);
    EXPECT_NEAR(along->concentration, 9 * b, 1e-9);
    EXPECT_NEAR(along->time, 0.5 / (9 * b), 1e-12);
    EXPECT_EQ(along->in_regime, 9 * b > 5 ? 1 : 0);
  }
  EXPECT_FALSE(sphere_jump(bilinear_head(Matrix::Identity(6, 6)), random_matrix(50, 6, 17)).has_value());
}

// One layer of one head, as the inspector's own model.
class OneHead : public Model {
 public:
  explicit OneHead(Head head) : head_(std::move(head)) {}
  std::string kind() const override { return "planted"; }
  std::int64_t layers() const override { return 1; }
  std::int64_t heads() const override { return 1; }
  Activations run(const Tokens& tokens, const Context&) const override {
    Activations found;
    found.layers.push_back({single_tensor(tokens), single_tensor(tokens), {head_}});
    return found;
  }

 private:
  Head head_;
};

Inspection inspect_at(const Head& head, const Matrix& tokens, const InspectOptions& options = {}, int threads = 0) {
  Tokens given;
  given.tensors[""] = tokens;
  Context context;
  context.threads = threads;
  return inspect(OneHead(head), given, options, context);
}

// Every number of the document within rounding, except those that depend on a seed through the basis (the null's draws).
void expect_same(const nlohmann::json& a, const nlohmann::json& b, const std::string& place) {
  if (a.is_number() && b.is_number()) {
    // The power iteration starts from another direction and ends within 1e-3.
    const double tolerance = place.find("lipschitz") == std::string::npos ? 1e-6 : 1e-2;
    EXPECT_NEAR(a.get<double>(), b.get<double>(), tolerance * std::max(1.0, std::abs(b.get<double>()))) << place;
  } else if (a.is_structured() && a.size() == b.size()) {
    for (const auto& [key, value] : a.items())
      if (key != "null") expect_same(value, a.is_array() ? b[std::stoul(key)] : b.at(key), place + "/" + key);
  } else {
    EXPECT_EQ(a, b) << place;
  }
}

// Tokens turned by an orthogonal Q and weights turned back: the same head, the same report.
TEST(Inspect, ATurnOfTheBasisChangesNothing) {
  const Matrix q = engine::thin_qr(Eigen::MatrixXd(random_matrix(6, 6, 21))).q;
  Head head = bilinear_head(random_matrix(6, 6, 22), 0.4);
  head.query.bias = random_matrix(6, 1, 23).col(0);
  Head turned = head;
  for (AffineMap* map : {&turned.query, &turned.key, &turned.value}) map->weight = map->weight * q.transpose();
  const Matrix tokens = random_matrix(90, 6, 24);
  const nlohmann::json a = to_json(inspect_at(head, tokens)), b = to_json(inspect_at(turned, Matrix(tokens * q.transpose())));
  expect_same(a["heads"], b["heads"], "heads");
  // The null is drawn in another basis: the same distribution.
  EXPECT_NEAR(a["heads"][0]["defects"]["null"]["symmetry"]["middle"].get<double>(), b["heads"][0]["defects"]["null"]["symmetry"]["middle"].get<double>(), 0.25);
}

TEST(Inspect, SameBitsForAnyNumberOfThreads) {
  const Head head = bilinear_head(random_matrix(6, 6, 25));
  const Matrix tokens = random_matrix(300, 6, 26);
  EXPECT_EQ(to_json(inspect_at(head, tokens, {}, 1)).dump(), to_json(inspect_at(head, tokens, {}, 3)).dump());
}

TEST(Inspect, RefusesWhatItCannotInspect) {
  const Head head = bilinear_head(Matrix::Identity(3, 3));
  const auto message = [&](const Matrix& tokens, InspectOptions options = {}) -> std::string {
    try {
      inspect_at(head, tokens, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  Matrix bad = random_matrix(5, 3, 27);
  EXPECT_EQ(message(bad), "");
  bad(3, 1) = std::nan("");
  EXPECT_NE(message(bad).find("finite tokens"), std::string::npos);
  EXPECT_NE(message(random_matrix(1, 3, 28)).find("at least 2 tokens"), std::string::npos);
  EXPECT_NE(message(random_matrix(5, 4, 29)).find("tokens of 3 columns"), std::string::npos);
  EXPECT_NE(message(Matrix::Ones(5, 3)).find("tokens that differ"), std::string::npos);
  InspectOptions beyond;
  beyond.head = 2;
  EXPECT_NE(message(random_matrix(5, 3, 30), beyond).find("head from 1 to 1"), std::string::npos);
}

}  // namespace
}  // namespace calor::inspect
