// Recipes and stages against closed forms and plain compositions written here, edge cases with a defined answer, and new points.
// Peers (scikit-learn, scipy, networkx) are compared in test_recipes.py.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "calor/core/error.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/model.h"
#include "labelled.h"
#include "support.h"

namespace calor::pipeline {
namespace {

Matrix circle(int n) {
  Matrix points(n, 2);
  for (int i = 0; i < n; ++i) points.row(i) << std::cos(2 * std::numbers::pi * i / n), std::sin(2 * std::numbers::pi * i / n);
  return points;
}

TEST(Eigen, LanczosStreamedStoredAndDenseAgree) {
  const Matrix x = random_points(260, 3, 11);
  const Fit fit = run_text("distance(2) | exp(2) | two_side(1) | row | eigen(5)", x);
  Context small;
  small.memory = MemoryLimit(1'050'000);  // of which a quarter is less than 4 N (N + 1): streamed
  const Fit streamed = pipeline::fit(bind_stages(parse("distance(2) | exp(2) | two_side(1) | row | eigen(5)"), recipes::all_stages()),
                                     data_of_points(x), 0, small);
  EXPECT_LT(relative_difference(*streamed.result.points, *fit.result.points), 1e-7);
  // The plain composition: the dense non-symmetric operator.
  Matrix k(260, 260);
  for (int i = 0; i < 260; ++i)
    for (int j = 0; j < 260; ++j) k(i, j) = std::exp(-(x.row(i) - x.row(j)).squaredNorm() / 2);
  const Vector q = k.rowwise().sum();
  for (int i = 0; i < 260; ++i)
    for (int j = 0; j < 260; ++j) k(i, j) /= q[i] * q[j];
  const Vector d = k.rowwise().sum();
  for (int i = 0; i < 260; ++i) k.row(i) /= d[i];
  for (int c = 0; c < 5; ++c) {
    const Vector v = fit.result.points->col(c);
    EXPECT_LT((k * v - fit.result.spectrum[c] * v).norm() / v.norm(), 1e-8);
    EXPECT_NEAR((d.array() * v.array().square()).sum() / d.sum(), 1, 1e-9) << "unit length in the stationary state";
  }
}

TEST(Mds, GivesBackPlanarPointsUpToAnIsometry) {
  const Matrix x = random_points(60, 2, 5);
  for (const char* text : {"distance(1) | double_center | eigen(2, time=0.5)", "distance(1) | match(distance, stress)"}) {
    const Matrix y = *run_text(text, x).result.points;
    for (int i = 0; i < 60; ++i)
      for (int j = 0; j < i; ++j) EXPECT_NEAR((y.row(i) - y.row(j)).norm(), (x.row(i) - x.row(j)).norm(), 1e-6) << text;
  }
}

TEST(Geodesic, EqualsFloydAndWarshall) {
  const Matrix x = random_points(80, 2, 6);
  const Fit fit = run_text("knn(4) | distance(1) | geodesic", x);
  const Csr& graph = *fit.result.graph;
  Matrix far = Matrix::Constant(80, 80, std::numeric_limits<double>::infinity());
  for (int i = 0; i < 80; ++i) {
    far(i, i) = 0;
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
      far(i, graph.column[e]) = far(graph.column[e], i) = (x.row(i) - x.row(graph.column[e])).norm();
  }
  for (int k = 0; k < 80; ++k)
    for (int i = 0; i < 80; ++i)
      for (int j = 0; j < 80; ++j) far(i, j) = std::min(far(i, j), far(i, k) + far(k, j));
  for (int i = 0; i < 80; ++i)
    for (int j = 0; j < 80; ++j) {
      const double found = -(*fit.result.similarity.dense)(i, j);
      if (std::isfinite(far(i, j))) {
        EXPECT_NEAR(found, far(i, j), 1e-12);
      } else {
        EXPECT_EQ(found, far(i, j));
      }
    }
}

TEST(Normalise, RowsColumnsAndAllAddUpToOne) {
  const Matrix x = random_points(50, 3, 7);
  for (const char* support : {"", "knn(5) | "}) {
    const auto values = [&](const char* text) {
      return materialise(run_text(std::string(support) + text, x).result.similarity, "test", Context());
    };
    EXPECT_LT((values("distance(2) | exp(1) | row").rowwise().sum().array() - 1).abs().maxCoeff(), 1e-13);
    EXPECT_NEAR(values("distance(2) | exp(1) | global").sum(), 1, 1e-13);
    const Matrix raw = values("distance(2) | exp(1)"), q = raw.rowwise().sum();
    const Matrix sided = values("distance(2) | exp(1) | two_side(0.3)");
    for (int i = 0; i < 50; ++i)
      for (int j = 0; j < 50; ++j) EXPECT_NEAR(sided(i, j), raw(i, j) * std::pow(q(i, 0) * q(j, 0), -0.3), 1e-14);
  }
  const Matrix column = materialise(run_text("distance(2) | exp(1) | column", x).result.similarity, "test", Context());
  EXPECT_LT((column.colwise().sum().array() - 1).abs().maxCoeff(), 1e-13);
}

TEST(Symmetrise, MeanAndUnionByHand) {
  const Matrix x = random_points(40, 2, 8);
  const auto values = [&](const char* text) { return materialise(run_text(text, x).result.similarity, "test", Context()); };
  const Matrix w = values("knn(3) | distance(2) | exp(1)");
  EXPECT_LT(relative_difference(values("knn(3) | distance(2) | exp(1) | mean"), (w + w.transpose()) / 2), 1e-14);
  EXPECT_LT(relative_difference(values("knn(3) | distance(2) | exp(1) | union"), w + w.transpose() - w.cwiseProduct(w.transpose())), 1e-14);
  const Matrix d = values("distance(2) | exp(1)");
  EXPECT_LT(relative_difference(values("distance(2) | exp(1) | mean"), d), 1e-14);
  expect_fault(Fault::usage, "[mean]", [&] { values("distance(2) | exp(1) | row | mean"); });
}

// On a circle the slope is half its dimension, 1, but for its curvature at the chosen scale; and the scale maximises the slope of the
// plainly summed log S.
TEST(Bandwidth, AutoSitsAtTheSteepestSlope) {
  const Matrix x = circle(500);
  const Fit fit = run_text("distance(2) | exp(auto)", x);
  EXPECT_NEAR(fit.result.figures.at("dimension"), 1, 0.3);
  const auto log_sum = [&](double s) {
    double sum = 0;
    for (int i = 0; i < 500; ++i)
      for (int j = 0; j < 500; ++j) sum += std::exp(-(x.row(i) - x.row(j)).squaredNorm() / s);
    return std::log(sum);
  };
  const double s = fit.result.figures.at("bandwidth");
  const auto slope = [&](double at) { return (log_sum(at * 1.01) - log_sum(at / 1.01)) / (2 * std::log(1.01)); };
  EXPECT_NEAR(2 * slope(s), fit.result.figures.at("dimension"), 1e-3);
  EXPECT_GE(slope(s) + 1e-5, slope(s * 1.5));
  EXPECT_GE(slope(s) + 1e-5, slope(s / 1.5));
}

TEST(Bandwidth, PerplexityIsReachedInEachRow) {
  const Matrix x = random_points(60, 3, 9);
  for (const char* text : {"distance(2) | exp(perplexity=12) | row", "knn(40) | distance(2) | exp(perplexity=12) | row"}) {
    const Matrix p = materialise(run_text(text, x).result.similarity, "test", Context());
    for (int i = 0; i < 60; ++i) {
      double entropy = 0;
      for (int j = 0; j < 60; ++j)
        if (p(i, j) > 0) entropy -= p(i, j) * std::log(p(i, j));
      EXPECT_NEAR(std::exp(entropy), 12, 1e-4);
      EXPECT_EQ(p(i, i), 0);
    }
  }
}

TEST(Hopfield, RecallsAPatternFromANoisyOne) {
  Matrix patterns = 10 * Matrix::Identity(6, 6);
  const Fit fit = run_text("repeat(dot(to=patterns) | exp(1) | row | apply)", patterns);
  EXPECT_LT(relative_difference(*fit.result.points, patterns), 1e-9);
  Matrix noisy = patterns.row(2);
  noisy.array() += 0.5;
  const State placed = place(fit, std::make_shared<const Matrix>(noisy), Context());
  EXPECT_LT((placed.points->row(0) - patterns.row(2)).norm(), 1e-9);
}

TEST(MeanShift, FindsTheBlobsAndItsFixedPoints) {
  const Matrix x = two_blobs(60, 12);
  const Fit fit = run_text("repeat(distance(2) | exp(4) | row | apply) | assign(merge)", x);
  EXPECT_EQ(fit.result.figures.at("clusters"), 2);
  for (int i = 0; i < 120; ++i) EXPECT_EQ(fit.result.labels[i], i < 60 ? 0 : 1);
  const State placed = place(fit, std::make_shared<const Matrix>(x.bottomRows(3)), Context());
  EXPECT_EQ(placed.labels, (std::vector<std::int64_t>{1, 1, 1}));
}

// Where mean-shift stands still: x = sum_j K(x, x_j) x_j / sum_j K(x, x_j), the largest error over the largest coordinate.
double off_its_fixed_point(const Matrix& points, const Matrix& memories, double bandwidth) {
  double most = 0;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    std::vector<double> mean(static_cast<std::size_t>(points.cols()), 0);
    double weights = 0;
    for (Eigen::Index j = 0; j < memories.rows(); ++j) {
      double squared = 0;
      for (Eigen::Index c = 0; c < points.cols(); ++c) squared += (points(i, c) - memories(j, c)) * (points(i, c) - memories(j, c));
      const double weight = std::exp(-squared / bandwidth);
      weights += weight;
      for (Eigen::Index c = 0; c < points.cols(); ++c) mean[static_cast<std::size_t>(c)] += weight * memories(j, c);
    }
    for (Eigen::Index c = 0; c < points.cols(); ++c) most = std::max(most, std::abs(points(i, c) - mean[static_cast<std::size_t>(c)] / weights));
  }
  return most / points.cwiseAbs().maxCoeff();
}

// The points themselves are the memories (the recipe's blurring form), or the data, which stay: then a mode is a maximum of their density,
// and its equation one between all of them.
TEST(MeanShift, StandsAtPointsThatSatisfyItsEquation) {
  const Matrix x = two_blobs(60, 12);
  const Matrix blurred = *run_text("repeat(distance(2) | exp(4) | row | apply, tolerance=1e-7)", x).result.points;
  EXPECT_LT(off_its_fixed_point(blurred, blurred, 4), 1e-6);
  EXPECT_EQ(*run_text("repeat(distance(2) | exp(4) | row | apply, tolerance=1e-7) | assign(merge)", x).result.points, blurred);
  const Matrix recipe = *run_text("mean-shift", x).result.points;
  const double bandwidth = run_text("mean-shift", x).result.figures.at("bandwidth");
  EXPECT_LT(off_its_fixed_point(recipe, recipe, bandwidth), 1e-4) << "the recipe's tolerance";
  // Steps shrink by a factor of at most 0.97 here, so that a last step of 1e-9 of the spread leaves 3e-8.
  const Matrix modes = *run_text("repeat(distance(2, to=data) | exp(4) | row | apply, tolerance=1e-9, max_iterations=10000)", x).result.points;
  EXPECT_LT(off_its_fixed_point(modes, x, 4), 1e-6);
  EXPECT_GT(off_its_fixed_point(x, x, 4), 1e-2) << "the test can fail";
}

TEST(KMeans, ThePipelineStandsAtAFixedPointOfLloyd) {
  const Matrix x = two_blobs(50, 8);
  const Fit fit = run_text("centres(3) | repeat(distance(2, to=data) | best(column) | row | apply) | assign", x);
  Matrix sums = Matrix::Zero(3, 2);
  Vector count = Vector::Zero(3);
  for (int i = 0; i < 100; ++i) {
    sums.row(fit.result.labels[i]) += x.row(i);
    count[fit.result.labels[i]] += 1;
  }
  double inertia = 0;
  for (int i = 0; i < 100; ++i) {
    double least = 1e300;
    for (int c = 0; c < 3; ++c) least = std::min(least, (x.row(i) - sums.row(c) / count[c]).squaredNorm());
    const int own = static_cast<int>(fit.result.labels[i]);
    EXPECT_NEAR((x.row(i) - sums.row(own) / count[own]).squaredNorm(), least, 1e-12);
    inertia += least;
  }
  EXPECT_NEAR(fit.result.figures.at("inertia"), inertia, 1e-9);
}

TEST(NewPoints, ASavedFitPlacesWithTheSameBits) {
  const std::string path = ::testing::TempDir() + "calor_fit.safetensors";
  for (const char* text : {"isomap", "diffusion-map", "k-means", "knn-classifier", "label-spreading", "hopfield"}) {
    const std::vector<std::int64_t> halves = [] {
      std::vector<std::int64_t> labels(80, 0);
      std::fill(labels.begin() + 40, labels.end(), 1);
      return labels;
    }();
    const Pipeline parsed = recipes::resolve(text, {});
    SavedFit saved{run_text(text, labelled(two_blobs(40, 5), halves, {"left", "right"})), print(parsed), "0", "hash", "side"};
    save_fit(path, saved);
    const SavedFit loaded = load_fit(path, recipes::all_stages());
    const auto fresh = std::make_shared<const Matrix>(two_blobs(10, 5, 99));
    const State one = place(saved.fit, fresh, Context()), two = place(loaded.fit, fresh, Context());
    EXPECT_EQ(*one.points, *two.points) << text;
    EXPECT_EQ(one.labels, two.labels) << text;
    EXPECT_EQ(one.scores, two.scores) << text;
    EXPECT_EQ(loaded.pipeline, print(parsed));
  }
  auto data = std::make_shared<Data>();
  data->features = std::make_shared<const Matrix>(2, 0);
  data->graph = std::make_shared<const Csr>(from_edges(2, 2, {{0, 1, 1}}));
  const auto edges = std::make_shared<const io::SparseMatrix>(io::SparseMatrix{1, 2, {0, 1}, {0}, {1.0}});
  const Points node{std::make_shared<const Matrix>(1, 0), edges, nullptr};
  expect_fault(Fault::usage, "found the stage restart, which cannot: fit all points together", [&] { place(run_text("pagerank", data), node, Context()); });
  expect_fault(Fault::input, "expected new nodes with edges", [&] { place(run_text("mcl", data), std::make_shared<const Matrix>(1, 0), Context()); });
  EXPECT_EQ(place(run_text("mcl", data), node, Context()).labels, (std::vector<std::int64_t>{0}));
}

TEST(Edges, DisconnectedGraphsAreEmbeddedApartAndSaidSo) {
  const Matrix x = two_blobs(60, 100);
  for (const char* text : {"isomap", "laplacian-eigenmaps", "lle"}) {
    const Fit fit = run_text(text, x);
    bool said = false;
    for (const Note& note : fit.result.notes) said = said || note.text.find("2 components") != std::string::npos;
    EXPECT_TRUE(said) << text;
    if (std::string(text) == "laplacian-eigenmaps") continue;  // its automatic bandwidth is of all points
    // Each half as a run on its own gives the same coordinates.
    const Fit half = run_text(text, Matrix(x.topRows(60)));
    EXPECT_LT(relative_difference(fit.result.points->topRows(60), *half.result.points), 1e-5) << text;
  }
  const Fit clusters = run_text("knn(15) | distance(2) | exp(auto) | mean | eigen(1, of=laplacian, components=together) | cluster(2)", x);
  for (int i = 0; i < 120; ++i) EXPECT_EQ(clusters.result.labels[i] == clusters.result.labels[0], i < 60);
}

// Both at once, in a plane, which a map into two dimensions keeps; each alone is in hazards_test.cpp.
TEST(Edges, DuplicatesAndConstantColumns) {
  Matrix x = random_points(60, 3, 14);
  x.col(1).setConstant(5);
  for (int i = 0; i < 20; ++i) x.row(40 + i) = x.row(i);
  for (const char* text : {"mds", "mds-metric", "knn(59) | distance(1) | geodesic | double_center | eigen(2, time=0.5)"}) {
    const Matrix y = *run_text(text, x).result.points;
    for (int i = 0; i < 60; ++i)
      for (int j = 0; j < i; ++j) EXPECT_NEAR((y.row(i) - y.row(j)).norm(), (x.row(i) - x.row(j)).norm(), 1e-6) << text;
  }
  expect_fault(Fault::input, "all at one", [] { run_text("diffusion-map", Matrix::Ones(10, 2)); });
  expect_fault(Fault::input, "coinciding", [] { run_text("laplacian-eigenmaps", Matrix::Ones(30, 2)); });
  EXPECT_EQ(run_text("mds", Matrix::Ones(10, 2)).result.points->cwiseAbs().maxCoeff(), 0);
}

TEST(Edges, TooManyNeighboursIsAClearError) {
  expect_fault(Fault::input, "[knn] expected k of at most 9 (the other points), found 15", [] { run_text("isomap", random_points(10, 2, 1)); });
  expect_fault(Fault::input, "[centres] expected at most as many centres as points, found 8 for 3", [] { run_text("k-means", random_points(3, 2, 1)); });
}

TEST(Edges, OneTwoAndThreePoints) {
  for (const int n : {1, 2, 3}) {
    const Matrix x = random_points(n, 2, 15);
    if (n == 1) {
      expect_fault(Fault::input, "at least 2 points", [&] { run_text("mds", x); });
    } else {
      const Matrix y = *run_text("mds", x).result.points;
      EXPECT_NEAR((y.row(0) - y.row(1)).norm(), (x.row(0) - x.row(1)).norm(), 1e-9);
    }
    EXPECT_EQ(run_text("centres(1) | repeat(distance(2, to=data) | best(column) | row | apply) | assign", x).result.labels,
              std::vector<std::int64_t>(static_cast<std::size_t>(n), 0));
    const Fit shift = run_text("repeat(distance(2) | exp(9) | row | apply) | assign(merge)", x);  // wide enough for all to meet
    EXPECT_EQ(shift.result.figures.at("clusters"), 1);
    if (n < 3) {
      EXPECT_LT(relative_difference(*shift.result.points, x.colwise().mean().replicate(n, 1)), 1e-6) << "by symmetry";
    }
  }
}

// A path of two or three nodes, whose Laplacian and residual are written out: L v = lambda D v, v'Dv = 1; (I - W)'(I - W) v = lambda v.
TEST(Edges, GraphsOfTwoAndThreePoints) {
  for (const int n : {2, 3}) {
    Matrix x(n, 1);
    for (int i = 0; i < n; ++i) x(i, 0) = i * (i + 1) / 2;  // 0, 1, 3: the nearest of each is the one before, of the first the second
    const Fit maps = run_text("knn(1) | distance(2) | exp(4) | mean | eigen(1, of=laplacian)", x);
    Matrix w = Matrix::Zero(n, n);
    w(0, 1) = w(1, 0) = std::exp(-0.25);
    if (n == 3) w(1, 2) = w(2, 1) = std::exp(-1) / 2;  // the third chooses the second, not the other way
    const Vector d = w.rowwise().sum(), v = maps.result.points->col(0);
    const double lambda = v.dot(d.asDiagonal() * v - w * v);
    EXPECT_NEAR(v.dot(d.asDiagonal() * v), 1, 1e-9);
    EXPECT_NEAR(d.dot(v), 0, 1e-9);
    EXPECT_LT((d.asDiagonal() * v - w * v - lambda * (d.asDiagonal() * v)).cwiseAbs().maxCoeff(), 1e-9);
    EXPECT_GT(lambda, 0.1);

    const Vector u = run_text("knn(1) | local_weights | eigen(1, of=residual)", x).result.points->col(0);
    Matrix residual = Matrix::Identity(n, n);
    residual(0, 1) = residual(1, 0) = -1;
    if (n == 3) residual(2, 1) = -1;
    const Matrix m = residual.transpose() * residual;
    EXPECT_NEAR(u.sum(), 0, 1e-9);
    EXPECT_LT((m * u - u.dot(m * u) / u.squaredNorm() * u).cwiseAbs().maxCoeff(), 1e-9 * u.cwiseAbs().maxCoeff());
  }
}

TEST(Edges, OneClassAndNoLabels) {
  const Matrix x = random_points(20, 2, 16);
  const Fit fit = run_text("knn-classifier", labelled(x, std::vector<std::int64_t>(20, 0), {"only"}));
  EXPECT_EQ(fit.result.scores, Matrix::Ones(20, 1));
  expect_fault(Fault::input, "labelled training rows", [&] { run_text("knn-classifier", x); });
  expect_fault(Fault::input, "labels that are numbers, found names", [&] {
    run_text("nadaraya-watson", labelled(x, std::vector<std::int64_t>(20, 0), {"only"}));
  });
}

TEST(Edges, ZeroNegativeWeightsAndIsolatedNodes) {
  const auto graph = [](std::vector<Edge> edges) {
    auto data = std::make_shared<Data>();
    data->features = std::make_shared<const Matrix>(4, 0);
    data->graph = std::make_shared<const Csr>(from_edges(4, 4, std::move(edges)));
    return data;
  };
  expect_fault(Fault::input, "not negative, found -1 from node 1 to node 2", [&] { run_text("pagerank", graph({{0, 1, -1}})); });
  EXPECT_EQ(run_text("adjacency | components", graph({{0, 1, 1}, {1, 2, 0}})).result.labels, (std::vector<std::int64_t>{0, 0, 1, 2}));
  const Fit ranks = run_text("pagerank", graph({{0, 1, 1}, {1, 0, 1}}));
  EXPECT_NEAR(ranks.result.field->sum(), 1, 1e-12);  // the mass of nodes 3 and 4 is spread evenly
  expect_fault(Fault::input, "[adjacency] expected data that are a graph", [] { run_text("pagerank", random_points(4, 2, 1)); });
}

TEST(Edges, ABandwidthThatUnderflowsEveryRow) {
  // Far from every training point all kernel values are 0 in double precision; in logarithms the nearest wins.
  auto data = labelled(random_points(30, 2, 17), {}, {});
  data->targets = data->features->col(0);
  data->labels.assign(30, 0);
  data->classes = {"0"};
  const Fit fit = run_text("distance(2, to=train) | exp(1e-3) | row | average", data);
  const State far = place(fit, std::make_shared<const Matrix>(Matrix::Constant(1, 2, 50.0)), Context());
  Eigen::Index nearest = 0;
  (data->features->rowwise() - Eigen::RowVector2d(50, 50)).rowwise().squaredNorm().minCoeff(&nearest);
  EXPECT_NEAR(far.scores(0, 0), data->targets[nearest], 1e-9);
}

TEST(Edges, NonFiniteInputIsNamed) {
  Matrix x = random_points(5, 3, 18);
  x(2, 1) = std::nan("");
  expect_fault(Fault::input, "found nan in row 3, column 2", [&] { run_text("mds", x); });
}

TEST(Edges, WhatCannotFitIsRefused) {
  Context context;
  context.memory = MemoryLimit(1'000'000);
  const Matrix x = random_points(250, 2, 19);
  for (const char* text : {"mds", "isomap", "mds-metric"})
    expect_fault(Fault::memory, "needed for", [&] { fit(bind_stages(recipes::resolve(text, {}), recipes::all_stages()), data_of_points(x), 0, context); });
  const Fit streamed = fit(bind_stages(recipes::resolve("diffusion-map", {}), recipes::all_stages()), data_of_points(x), 0, context);
  EXPECT_LT(relative_difference(*streamed.result.points, *run_text("diffusion-map", x).result.points), 1e-7);
}

TEST(Labels, HiddenOnesDoNotLeak) {
  // Two far blobs with every label of the second one hidden and wrong: the result is as if they were not there.
  auto data = labelled(two_blobs(20, 4), std::vector<std::int64_t>(40, 0), {"a", "b"});
  for (int i = 0; i < 40; ++i) data->labels[i] = i % 2;
  data->train.assign(40, 1);
  for (int i = 20; i < 40; ++i) data->train[i] = 0;
  auto other = std::make_shared<Data>(*data);
  for (int i = 20; i < 40; ++i) other->labels[i] = 1 - other->labels[i];
  for (const char* text : {"knn-classifier", "label-spreading", "distance(2, to=train) | exp(1) | row | vote"})
    EXPECT_EQ(run_text(text, data).result.scores, run_text(text, other).result.scores) << text;
}

}  // namespace
}  // namespace calor::pipeline
