// Similarities given: pipelines that begin with one, put on the kernel that they would have computed themselves, give what they give of
// the points.  The kernels are computed here.
#include <gtest/gtest.h>

#include "calor/pipeline/forms.h"
#include "other_forms.h"

namespace calor::pipeline {
namespace {

std::string begun(const std::string& recipe) { return print(begin_with_similarity(recipes::resolve(recipe, {}), recipes::all_stages())); }

Fit run_begun(const std::string& recipe, const std::shared_ptr<Data>& data) { return run_text(begun(recipe), data); }

std::shared_ptr<Data> labelled_graph(const Matrix& table, const Data& like) {
  auto data = std::make_shared<Data>(data_of_similarities(table, {}, Context()));
  data->labels = like.labels;
  data->classes = like.classes;
  data->targets = like.targets;
  return data;
}

Matrix kernel_table(const Matrix& points, double scale) { return (distance_table(points, points).array().square() / -scale).exp(); }

// exp(-d^2 / scale) from each point to its k nearest, 0 elsewhere, and their mean both ways.
Matrix neighbour_table(const Matrix& points, std::int64_t k, double scale) {
  const Matrix kernel = kernel_table(points, scale);
  Matrix table = Matrix::Zero(kernel.rows(), kernel.cols());
  for (Eigen::Index i = 0; i < kernel.rows(); ++i) {
    std::vector<std::pair<double, Eigen::Index>> others;
    for (Eigen::Index j = 0; j < kernel.cols(); ++j)
      if (j != i) others.emplace_back(-kernel(i, j), j);
    std::sort(others.begin(), others.end());
    for (std::int64_t e = 0; e < k; ++e) table(i, others[static_cast<std::size_t>(e)].second) = -others[static_cast<std::size_t>(e)].first;
  }
  return (table + Matrix(table.transpose())) / 2;
}

TEST(GivenSimilarity, TakesThePlaceOfWhatMakesOne) {
  EXPECT_EQ(begun("spectral-clustering"), "adjacency(loops=drop) | mean | eigen(8 - 1, of=laplacian, components=together) | cluster(8)");
  EXPECT_EQ(begun("laplacian-eigenmaps"), "adjacency(loops=drop) | mean | eigen(2, of=laplacian)");
  EXPECT_EQ(begun("label-spreading"), "adjacency(loops=drop) | mean | two_side(0.5) | repeat(restart(0.2)) | vote");
  EXPECT_EQ(begun("diffusion-map"), "adjacency | two_side(1) | row | eigen(2, time=1)");
  EXPECT_EQ(begun("nadaraya-watson"), "adjacency | row | average");
  EXPECT_EQ(begun("pagerank"), print(recipes::resolve("pagerank", {})));
  EXPECT_EQ(begun("standardise | distance(2) | exp(2)"), "adjacency");
}

TEST(GivenSimilarity, WhatWorksOnDistancesOrPointsIsRefused) {
  for (const auto& [text, at] : std::map<std::string, std::string>{{"mds", "eigen(2, time=0.5)"}, {"isomap", "eigen(2, time=0.5)"}, {"mds-metric", "match(distance, stress)"},
                                                                   {"lle", "eigen(2, of=residual)"}, {"knn-classifier", "row"}, {"mean-shift", "repeat(distance(2) | exp(groups) | row | apply, tolerance=0.0001)"},
                                                                   {"knn(5) | distance(1)", "distance(1)"}}) try {
      begun(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::usage);
      EXPECT_EQ(marked(error.what()), at) << error.what();
      EXPECT_NE(std::string(error.what()).find("found one that works on distances or points: give those"), std::string::npos);
    }
}

TEST(GivenSimilarity, GivesWhatThePointsGive) {
  const auto points = three_topics(90);
  const auto all = labelled_graph(kernel_table(*points->features, 3), *points);
  expect_same(run_begun("diffusion-map", all).result, run_text("distance(2) | exp(3) | two_side(1) | row | eigen(2, time=1)", points).result, 1e-7, "diffusion-map");
  expect_same(run_begun("nadaraya-watson", all).result, run_text("distance(2, to=train) | exp(3) | row | average", points).result, 1e-10, "nadaraya-watson");
  const Matrix near = neighbour_table(*points->features, 15, 3);
  const auto graph = labelled_graph(near, *points);
  for (const auto& [recipe, text] : std::map<std::string, std::string>{
           {"laplacian-eigenmaps", "knn(15) | distance(2) | exp(3) | mean | eigen(2, of=laplacian)"},
           {"spectral-clustering", "knn(15) | distance(2) | exp(3) | mean | eigen(7, of=laplacian, components=together) | cluster(8)"},
           {"label-spreading", "knn(15) | distance(2) | exp(3) | mean | two_side(0.5) | repeat(restart(0.2)) | vote"}}) {
    const Fit expected = run_text(text, points);
    expect_same(run_begun(recipe, graph).result, expected.result, 1e-7, recipe);
    // A table with a diagonal means the same neighbours.
    expect_same(run_begun(recipe, labelled_graph(near + Matrix(Matrix::Identity(90, 90)), *points)).result, expected.result, 1e-7, recipe);
  }
}

TEST(GivenSimilarity, ADiagonalStaysWhereAllPairsWere) {
  const auto points = three_topics(40);
  const Matrix kernel = kernel_table(*points->features, 3);
  Matrix bare = kernel;
  bare.diagonal().setZero();
  EXPECT_EQ(labelled_graph(kernel, *points)->graph->edges(), 1600);
  const Fit with = run_begun("diffusion-map", labelled_graph(kernel, *points)), without = run_begun("diffusion-map", labelled_graph(bare, *points));
  EXPECT_GT(relative_difference(with.result.spectrum, without.result.spectrum), 1e-3);
}

TEST(GivenSimilarity, TablesDenseAndSparse) {
  Matrix table = random_sparse(12, 12, 0.3, 5).cwiseAbs();
  const auto dense_graph = data_of_similarities(table, {}, Context()).graph, sparse_graph = data_of_similarities(sparse_of(table), {}).graph;
  const Csr &directed = *dense_graph, &sparse = *sparse_graph;
  EXPECT_FALSE(is_symmetric(directed));
  EXPECT_EQ(sparse.begin, directed.begin);
  EXPECT_EQ(sparse.column, directed.column);
  EXPECT_EQ(sparse.values, directed.values);
  table = (table + Matrix(table.transpose())).eval();
  EXPECT_TRUE(is_symmetric(*data_of_similarities(table, {}, Context()).graph));
  Matrix rounded = table;
  for (Eigen::Index i = 0; i < 12; ++i)
    for (Eigen::Index j = 0; j < i; ++j) rounded(i, j) *= 1 + 1e-9;
  const Data evened = data_of_similarities(rounded, {}, Context());
  EXPECT_TRUE(is_symmetric(*evened.graph));
  EXPECT_EQ(evened.graph->column, data_of_similarities(table, {}, Context()).graph->column);
}

TEST(GivenSimilarity, WrongOnesAreRefusedAtTheirPlace) {
  Matrix table = Matrix::Ones(4, 4);
  table(2, 1) = -0.25;
  expect_fault(Fault::input, "at least 0, found -0.25 (row 3, column 2)", [&] { data_of_similarities(table, {}, Context()); });
  expect_fault(Fault::input, "at least 0, found -0.25 (row 3, column 2)", [&] { data_of_similarities(sparse_of(table), {}); });
  table(2, 1) = std::nan("");
  expect_fault(Fault::input, "found nan (row 3, column 2)", [&] { data_of_similarities(table, {}, Context()); });
  expect_fault(Fault::input, "expected a square table of similarities, found 4 x 3", [&] { data_of_similarities(table.leftCols(3), {}, Context()); });
  Context small;
  small.memory = MemoryLimit(1024);
  expect_fault(Fault::memory, "10000 edges", [&] { data_of_similarities(Matrix::Ones(100, 100), {}, small); });
}

}  // namespace
}  // namespace calor::pipeline
