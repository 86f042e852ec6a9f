// Distances given in place of points: every recipe against the points that they are the distances of, or its refusal; distances that are
// those of no points against loops and a dense eigensolver written here.
#include <gtest/gtest.h>

#include <cstdio>

#include "calor/engine/passes.h"
#include "calor/engine/solve/dense.h"
#include "calor/pipeline/forms.h"
#include "calor/pipeline/model.h"
#include "other_forms.h"

namespace calor::pipeline {
namespace {

const double infinite = std::numeric_limits<double>::infinity();

// Distances of no points: they break the triangle inequality.
Matrix random_table(std::int64_t n, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Matrix table = Matrix::Zero(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < i; ++j) table(i, j) = table(j, i) = 0.1 + random.uniform();
  return table;
}

std::shared_ptr<Data> given(Matrix table, std::vector<std::string> names = {}) {
  return std::make_shared<Data>(data_of_distances(std::move(table), std::move(names)));
}

struct Refused {
  const char *recipe, *marked, *remedy;
};
constexpr Refused refusals[] = {{"k-means", "centres(8)", "begin with distance(t), knn or radius"},
                                {"fuzzy-c-means", "centres(8)", "begin with distance(t), knn or radius"},
                                {"lle", "local_weights(0.001)", "begin with distance(t), knn or radius"},
                                {"mean-shift", "apply", "begin with distance(t), knn or radius"},
                                {"hopfield", "dot(to=patterns)", "begin with distance(t)"},
                                {"propagator", "standardise(loo)", "begin with distance(t), knn or radius"},
                                {"propagator-regressor", "standardise(loo)", "begin with distance(t), knn or radius"},
                                {"svm", "kernel(rbf)", "write distance(2) | exp(bandwidth)"},
                                {"svm-regressor", "kernel(rbf)", "write distance(2) | exp(bandwidth)"},
                                {"one-class-svm", "kernel(rbf)", "write distance(2) | exp(bandwidth)"},
                                {"cosine | exp(1) | row | vote", "cosine", "begin with distance(t)"},
                                {"knn(5) | dot | row | vote", "dot", "begin with distance(t)"},
                                {"knn(5) | kernel(rbf) | row | vote", "kernel(rbf)", "write distance(2) | exp(bandwidth)"},
                                {"distance(1, metric=manhattan) | double_center | eigen(2)", "distance(1, metric=manhattan)", "leave metric out"},
                                {"knn(5, metric=cosine) | distance(1) | geodesic", "knn(5, metric=cosine)", "leave metric out"},
                                {"radius(5, metric=cosine) | distance(1) | geodesic", "radius(5, metric=cosine)", "leave metric out"},
                                {"knn(5, method=hnsw) | distance(1) | geodesic", "knn(5, method=hnsw)", "use method=exact"},
                                {"distance(2, to=train) | exp(loo) | row | vote", "exp(loo)", "give auto or a number"},
                                {"distance(2) | exp(1) | two_side(1, of=keys) | row | vote", "two_side(1, of=keys)", "leave of=keys out"},
                                {"knn(5) | distance(2) | exp(1) | row | heat(1)", "heat(1)", "begin with distance(t), knn or radius"},
                                {"repeat(knn(5) | distance(2) | exp(1) | row | apply)", "apply", "begin with distance(t), knn or radius"}};

TEST(GivenDistances, EveryRecipeGivesWhatItGivesOfThePointsOrSaysWhyNot) {
  const auto points = three_topics(90), table = as_distances(*points);
  std::set<std::string> refused;
  for (const Refused& expected : refusals) refused.insert(expected.recipe);
  int compared = 0;
  for (const recipes::Recipe& recipe : recipes::all_recipes()) {
    const std::string name(recipe.name);
    if (refused.count(name)) continue;
    if (name == "pagerank" || name == "mcl") {
      expect_fault(Fault::input, "expected data that are a graph, found distances", [&] { run_text(name, table); });
      continue;
    }
    if (name == "tsne") {
      expect_fault(Fault::input, "[knn] expected k of at most 89", [&] { run_text(name, table); });
      continue;
    }
    if (name == "umap" || name == "sne") {  // a descent magnifies rounding, and without points it begins at the graph's slow modes
      EXPECT_TRUE(run_text(name, table).result.points->allFinite()) << name;
      continue;
    }
    ++compared;
    // SMACOF settles where its stress falls by less than 1e-7 of itself; elsewhere the solvers' residuals count.
    expect_same(run_text(name, table).result, run_text(name, points).result, name == "mds-metric" ? 1e-3 : 1e-7, name);
  }
  EXPECT_EQ(compared, 10);
}

TEST(GivenDistances, WhatNeedsPointsIsRefusedAtItsStageBeforeAnythingRuns) {
  const auto table = as_distances(*three_topics(20));
  for (const Refused& expected : refusals) {
    Context stopped;
    StopFlag stop;
    stop.request();
    stopped.stop = &stop;  // the first stage that runs ends it
    for (const bool explained : {false, true}) try {
        if (explained) explain(bound(expected.recipe), *table, Context());
        else fit(bound(expected.recipe), table, 0, stopped);
        ADD_FAILURE() << "nothing was thrown: " << expected.recipe;
      } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::usage) << error.what();
        EXPECT_EQ(marked(error.what()), expected.marked) << error.what();
        EXPECT_NE(std::string(error.what()).find(expected.remedy), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("found the distances of 20 rows"), std::string::npos) << error.what();
      }
  }
}

TEST(GivenDistances, OtherPipelinesOnThem) {
  const auto points = three_topics(90), table = as_distances(*points);
  for (const char* text : {"radius(2.2) | distance(1) | exp(1) | row | vote", "knn(8) | mutual | distance(0.5) | exp(2) | row | vote",
                           "distance(2, to=train) | exp(perplexity=5) | row | vote", "knn(9) | distance(1, from=nearest) | exp(cardinality=3) | union | eigen(2, of=laplacian)",
                           "distance(2) | exp(3) | sinkhorn | eigen(2, time=1)", "distance(3) | exp(9) | global | best(row) | vote", "radius(2) | components", "distance(2) | exp(3) | two_side(1) | weigh(svm) | vote", moved_neighbours}) {
    expect_same(run_text(text, table).result, run_text(text, points).result, 1e-8, text);
  }
}

TEST(GivenDistances, ARecordOfThemTurnsRound) {
  const auto points = three_topics(60), table = as_distances(*points);
  const Points fresh{nullptr, nullptr, std::make_shared<const Matrix>(distance_table(*three_topics(7, 60, 12)->features, *points->features))};
  for (const char* text : {"distance(1, to=train) | exp(1)", "distance(2) | exp(1) | row", "knn(5) | distance(1) | exp(1)"}) {
    const Similarity record = place(run_text(text, table), fresh, Context()).similarity;
    const Matrix values = materialise(record, "test", Context());
    EXPECT_EQ(materialise(transpose(record), "test", Context()), values.transpose()) << text;
  }
}

TEST(GivenDistances, ScalingOfATableIsThatOfItsDefinition) {
  const Matrix table = random_table(40, 3);
  const Eigen::Index n = table.rows();
  const Eigen::MatrixXd centre = Eigen::MatrixXd::Identity(n, n) - Eigen::MatrixXd::Constant(n, n, 1.0 / static_cast<double>(n));
  const SymmetricPairs pairs = symmetric_eigenpairs(-0.5 * centre * Eigen::MatrixXd(table.cwiseAbs2()) * centre);
  const Fit fit = run_text("mds", given(table));
  for (Eigen::Index c = 0; c < 2; ++c) {
    const double value = pairs.values[n - 1 - c];
    EXPECT_NEAR(fit.result.spectrum[c], value, 1e-10);
    const Vector expected = pairs.vectors.col(n - 1 - c) * std::sqrt(value), found = fit.result.points->col(c);
    EXPECT_LT(std::min((found - expected).norm(), (found + expected).norm()), 1e-7);
  }
}

TEST(GivenDistances, NeighboursAndPathsOfATableAreThoseOfLoops) {
  const Matrix table = random_table(45, 4);
  const Eigen::Index n = table.rows();
  const Fit fit = run_text("knn(4) | distance(1) | geodesic", given(table));
  Matrix paths = Matrix::Constant(n, n, infinite);
  paths.diagonal().setZero();
  for (Eigen::Index i = 0; i < n; ++i) {
    std::vector<std::pair<double, Eigen::Index>> others;
    for (Eigen::Index j = 0; j < n; ++j)
      if (j != i) others.emplace_back(table(i, j), j);
    std::sort(others.begin(), others.end());
    for (int k = 0; k < 4; ++k) {
      const Eigen::Index j = others[static_cast<std::size_t>(k)].second;
      EXPECT_TRUE(std::binary_search(fit.result.graph->column.begin() + fit.result.graph->begin[i],
                                     fit.result.graph->column.begin() + fit.result.graph->begin[i + 1], static_cast<std::int32_t>(j)));
      paths(i, j) = paths(j, i) = table(i, j);
    }
  }
  for (Eigen::Index m = 0; m < n; ++m)
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) paths(i, j) = std::min(paths(i, j), paths(i, m) + paths(m, j));
  EXPECT_LT(relative_difference(-*fit.result.similarity.dense, paths), 1e-14);
}

TEST(GivenDistances, NewRowsLandWhereNewPointsDo) {
  const auto points = three_topics(90), table = as_distances(*points);
  const auto fresh = std::make_shared<const Matrix>(*three_topics(25, 60, 12)->features);
  const Points by_distances{nullptr, nullptr, std::make_shared<const Matrix>(distance_table(*fresh, *points->features))};
  for (const char* text : {"mds", "mds-metric", "isomap", "laplacian-eigenmaps", "diffusion-map", "spectral-clustering", "knn-classifier", "knn-regressor",
                           "nadaraya-watson", "label-spreading", moved_neighbours, "radius(2.5) | distance(1) | exp(1) | row | vote"}) {
    const Fit fit = run_text(text, table);
    const double tolerance = std::string(text) == "mds-metric" ? 1e-3 : 1e-7;
    expect_same(place(fit, by_distances, Context()), place(run_text(text, points), fresh, Context()), tolerance, text);
    if (fit.result.type == types::embedding) {  // the rows of the fit come back to themselves
      EXPECT_LT(relative_difference(*place(fit, table->points(), Context()).points, *fit.result.points), tolerance) << text;
    }
  }
  const Fit fit = run_text("mds", table);
  expect_fault(Fault::input, "to the 90 rows of the fit, found points", [&] { place(fit, fresh, Context()); });
  const auto with = [&](double value) {
    Matrix wrong = by_distances.distances->topRows(3);
    wrong(1, 4) = value;
    return Points{nullptr, nullptr, std::make_shared<const Matrix>(std::move(wrong))};
  };
  expect_fault(Fault::input, "found -1 (row 2, column 5)", [&] { place(fit, with(-1), Context()); });
  expect_fault(Fault::input, "one for every pair, found inf (row 2, column 5)", [&] { place(fit, with(infinite), Context()); });
  EXPECT_EQ(place(run_text("knn-classifier", table), with(infinite), Context()).scores.rows(), 3);
  expect_fault(Fault::input, "to the 90 rows of the fit, found 89 columns", [&] {
    place(fit, Points{nullptr, nullptr, std::make_shared<const Matrix>(by_distances.distances->leftCols(89))}, Context());
  });
}

TEST(GivenDistances, ASavedFitHoldsThem) {
  const std::string path = ::testing::TempDir() + "calor_distances_fit.safetensors";
  const auto points = three_topics(60), table = as_distances(*points);
  const Points fresh{nullptr, nullptr, std::make_shared<const Matrix>(distance_table(*three_topics(10, 60, 12)->features, *points->features))};
  for (const char* text : {"mds", "isomap", "knn-classifier", "diffusion-map"}) {
    const SavedFit saved{run_text(text, table), print(recipes::resolve(text, {})), "0", "hash", ""};
    save_fit(path, saved);
    const SavedFit loaded = load_fit(path, recipes::all_stages());
    EXPECT_EQ(*loaded.fit.data->distances, *table->distances);
    const State one = place(saved.fit, fresh, Context()), two = place(loaded.fit, fresh, Context());
    EXPECT_EQ(*one.points, *two.points) << text;
    EXPECT_EQ(one.scores, two.scores) << text;
  }
  std::remove(path.c_str());
}

TEST(GivenDistances, WrongTablesAreRefusedAtTheirFirstPlace) {
  const auto with = [](Eigen::Index i, Eigen::Index j, double value) {
    Matrix table = random_table(6, 1);
    table(i, j) = value;
    return table;
  };
  const std::vector<std::string> names{"a", "b", "c", "d", "e", "f"};
  expect_fault(Fault::input, "expected the same distance both ways, found 7 from \"b\" to \"e\"", [&] { data_of_distances(with(1, 4, 7), names); });
  expect_fault(Fault::input, "found -0.5 from row 5 to row 2 (row 5, column 2)", [&] { data_of_distances(with(4, 1, -0.5), {}); });
  expect_fault(Fault::input, "expected a distance of 0 from every row to itself, found 1 at \"c\" (row 3)", [&] { data_of_distances(with(2, 2, 1), names); });
  expect_fault(Fault::input, "expected a square table of distances, found 2 x 3", [] { data_of_distances(Matrix::Zero(2, 3), {}); });
  expect_fault(Fault::input, "expected 6 names of rows, found 1", [&] { data_of_distances(random_table(6, 1), {"a"}); });
  // Rounding is none of these.
  Matrix rounded = random_table(6, 1);
  rounded(1, 4) += 1e-8;
  rounded(2, 2) = -1e-16;
  rounded(0, 5) = rounded(5, 0) = -1e-12;
  const Data kept = data_of_distances(rounded, {});
  const Matrix& clean = *kept.distances;
  EXPECT_EQ(clean, clean.transpose());
  EXPECT_EQ(clean.diagonal(), Vector::Zero(6));
  EXPECT_EQ(clean.minCoeff(), 0);
}

TEST(GivenDistances, APairWithoutOneIsNoNeighbourAndRefusedByNameElsewhere) {
  const std::vector<std::string> names{"ant", "bee", "cat", "dog", "elk", "fox"};
  Matrix table = random_table(6, 2);
  table(1, 3) = table(3, 1) = std::nan("");
  table(1, 4) = table(4, 1) = infinite;
  const auto data = given(table, names);
  for (const char* text : {"mds", "diffusion-map", "mds-metric"}) try {
      run_text(text, data);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::input);
      EXPECT_NE(std::string(error.what()).find("found none between \"bee\" and \"dog\""), std::string::npos) << error.what();
      EXPECT_EQ(marked(error.what()).substr(0, 8), "distance");
    }
  const Fit fit = run_text("knn(4) | distance(1) | geodesic", data);
  EXPECT_TRUE(says(fit.result, "2 of 15 pairs have no distance"));
  EXPECT_TRUE(says(fit.result, "1 of 6 rows have distances to fewer than 4 others"));
  for (std::int64_t e = fit.result.graph->begin[1]; e < fit.result.graph->begin[2]; ++e) {
    EXPECT_NE(fit.result.graph->column[e], 3);
    EXPECT_NE(fit.result.graph->column[e], 4);
  }
  EXPECT_TRUE(fit.result.similarity.dense->allFinite());
  const Fit near = run_text("radius(1e9) | indicator | components", data);
  EXPECT_EQ(near.result.graph->edges(), 30 - 4);
}

TEST(GivenDistances, FromACondensedListAndFromPairs) {
  const Matrix table = random_table(5, 8);
  std::vector<double> condensed;
  io::EdgeList pairs;
  pairs.nodes = {"a", "b", "c", "d", "e"};
  for (Eigen::Index i = 0; i < 5; ++i)
    for (Eigen::Index j = i + 1; j < 5; ++j) {
      condensed.push_back(table(i, j));
      pairs.edges.push_back(i == 1 ? io::NamedEdge{j, i, table(i, j)} : io::NamedEdge{i, j, table(i, j)});
    }
  pairs.edges.push_back({3, 0, table(0, 3)});  // the other way too
  EXPECT_EQ(*data_of_distances(condensed, {}, Context()).distances, table);
  const Data data = data_of_distances(pairs, Context());
  EXPECT_EQ(*data.distances, table);
  EXPECT_EQ(data.row_names, pairs.nodes);
  pairs.edges.pop_back();
  pairs.edges.erase(pairs.edges.begin());  // a to b
  expect_fault(Fault::input, "found none between \"a\" and \"b\"", [&] { run_text("mds", std::make_shared<Data>(data_of_distances(pairs, Context()))); });
  pairs.edges.push_back({1, 0, 0.5});
  pairs.edges.push_back({1, 0, 0.75});
  expect_fault(Fault::input, "expected one distance from \"b\" to \"a\", found 0.5 and 0.75", [&] { data_of_distances(pairs, Context()); });
  pairs.edges.back() = {0, 1, 0.75};
  expect_fault(Fault::input, "expected the same distance both ways, found 0.75 from \"a\" to \"b\" and 0.5 back", [&] { data_of_distances(pairs, Context()); });
  pairs.edges.back() = {2, 2, 0.75};
  expect_fault(Fault::input, "expected one distance from \"c\" to \"c\", found 0 and 0.75", [&] { data_of_distances(pairs, Context()); });
  condensed.pop_back();
  expect_fault(Fault::input, "expected N (N - 1) / 2 distances, one for every pair, found 9", [&] { data_of_distances(condensed, {}, Context()); });
  Context small;
  small.memory = MemoryLimit(4096);
  expect_fault(Fault::memory, "the distances of 100 x 100 rows", [&] { data_of_distances(std::vector<double>(4950, 1.0), {}, small); });
}

TEST(GivenDistances, ExplainAndTheRecordSayThatTheyAreGiven) {
  const auto table = as_distances(*three_topics(30));
  EXPECT_NE(explain(bound("mds"), *table, Context()).find("the distances of 30 rows, as given\n"), std::string::npos);
  EXPECT_NE(describe(run_text("knn(5) | distance(1)", table).result.similarity).find("minus the given distance ^ 1"), std::string::npos);
}

}  // namespace
}  // namespace calor::pipeline
