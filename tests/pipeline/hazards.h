// Awkward data for every recipe, and which of them refuse which, saying what is wrong and what to do.  The table is the contract; what it
// expects was decided by hand, case by case.
#pragma once

#include <algorithm>
#include <map>

#include "support.h"

namespace calor::pipeline {

// Points with two classes and a path graph, so that every recipe can run.
inline std::shared_ptr<Data> dressed(Matrix points) {
  auto data = data_of_points(std::move(points));
  const std::int64_t n = data->rows();
  data->classes = {"0", "1"};
  data->targets.resize(n);
  for (std::int64_t i = 0; i < n; ++i) {
    data->labels.push_back(i % 2);
    data->targets[i] = static_cast<double>(i % 2);
  }
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i + 1 < n; ++i) edges.push_back({i, i + 1, 1});
  if (n == 1) edges.push_back({0, 0, 1});
  data->graph = std::make_shared<const Csr>(from_edges(n, n, std::move(edges)));
  return data;
}

inline Matrix with_duplicates() {
  Matrix x = random_points(60, 3, 14);
  for (int i = 0; i < 20; ++i) x.row(40 + i) = x.row(i);
  return x;
}

inline Matrix with_constant_column() {
  Matrix x = random_points(60, 3, 15);
  x.col(1).setConstant(5);
  return x;
}

inline Matrix far_blobs() {
  Matrix x = random_points(80, 2, 16);
  x.bottomRows(40).col(0).array() += 1000;
  return x;
}

inline std::shared_ptr<Data> one_class() {
  auto data = dressed(random_points(60, 3, 17));
  data->labels.assign(60, 0);
  data->classes = {"0"};
  data->targets.setZero();
  return data;
}

inline std::shared_ptr<Data> with_weights(double first) {
  auto data = dressed(random_points(60, 3, 18));
  std::vector<Edge> edges{{0, 1, first}};
  for (std::int64_t i = 1; i + 1 < 50; ++i) edges.push_back({i, i + 1, 1});  // the last ten nodes are isolated
  data->graph = std::make_shared<const Csr>(from_edges(60, 60, std::move(edges)));
  return data;
}

constexpr double huge = 0x1p100;

using Refusals = std::map<std::string, std::string>;

struct Hazard {
  std::string name;
  std::shared_ptr<Data> data;
  Refusals refusals;  // recipe -> what its error says; every other recipe gives a result
  std::vector<std::string> settings;
};

inline Refusals together(Refusals first, const Refusals& second) {
  first.insert(second.begin(), second.end());
  return first;
}

// What recipes on a neighbour graph say with too few points for it, and the others that need some number of points.
inline Refusals too_few_neighbours(const std::string& others) {
  const std::string text = "[knn] expected k of at most " + others + " (the other points)";
  return {{"isomap", text}, {"lle", text}, {"laplacian-eigenmaps", text}, {"spectral-clustering", text}, {"label-spreading", text}};
}
inline Refusals too_few_points(const std::string& points) {
  const std::string text = "[knn] expected k of at most " + points + " (the labelled training rows)";
  return {{"knn-classifier", text}, {"knn-regressor", text}, {"k-means", "at most as many centres as points, found 8 for " + points},
          {"fuzzy-c-means", "at most as many centres as points, found 8 for " + points}};
}

// What an automatic bandwidth says when there is no distance to learn it from.
inline Refusals no_bandwidth() {
  const std::string everywhere = "[exp] expected points at different places, found all at one: give a bandwidth";
  const std::string graph = "[exp] expected neighbours at other places";
  return {{"diffusion-map", everywhere}, {"nadaraya-watson", everywhere}, {"mean-shift", everywhere},
          {"laplacian-eigenmaps", graph}, {"spectral-clustering", graph}, {"label-spreading", graph},
          {"propagator", "[loo] expected labelled rows at different places, found all at one"},
          {"propagator-regressor", "[loo] expected labelled rows at different places, found all at one"}};
}

// Which two classes are there to tell apart?
inline Refusals one_side() { return {{"svm", "[weigh] expected labelled training rows of at least two classes, found \"0\" alone"}}; }

inline Refusals one_point_refusals() {
  const std::string graph = "[knn] expected at least 2 points, found 1: give more points";
  const std::string bandwidth = "[exp] expected points at different places, found all at one: give a bandwidth";
  return {{"mds", "[eigen] expected at least 2 points, found 1"}, {"isomap", graph}, {"lle", graph}, {"laplacian-eigenmaps", graph},
          {"spectral-clustering", graph}, {"label-spreading", graph}, {"knn-classifier", graph}, {"knn-regressor", graph},
          {"diffusion-map", bandwidth}, {"nadaraya-watson", bandwidth}, {"mean-shift", bandwidth},
          {"k-means", "at most as many centres as points, found 8 for 1"}, {"fuzzy-c-means", "at most as many centres as points, found 8 for 1"}};
}

// What leave-one-out says where nothing can be left out, or nothing told apart.
inline Refusals nobody_to_judge() {
  const std::string text = "[loo] expected a class with at least two labelled rows, found none";
  return {{"propagator", text}, {"propagator-regressor", text}};
}

// What the recipes of maps say of their neighbours and perplexity, in turn; maps_test.cpp has them with fewer.
inline Refusals no_map(const std::string& tsne, const std::string& umap, const std::string& sne) {
  Refusals refusals;
  if (!tsne.empty()) refusals["tsne"] = tsne;
  if (!umap.empty()) refusals["umap"] = umap;
  if (!sne.empty()) refusals["sne"] = sne;
  return refusals;
}
inline Refusals no_map(std::int64_t points) {
  const std::string graph = points == 1 ? "[knn] expected at least 2 points, found 1" : "[knn] expected k of at most " + std::to_string(points - 1);
  return no_map(points <= 90 ? graph : "", points <= 14 ? graph : "", points <= 30 ? "[exp] expected at least 30 values in a row" : "");
}
inline Refusals no_map_of_few_neighbours(bool umap_has_one) {
  const std::string perplexity = "[exp] expected at least 30 values in a row";
  return no_map(perplexity, umap_has_one ? "[exp] expected more than 1.585 neighbours" : "", perplexity);
}

inline const std::vector<Hazard>& hazards() {
  static const std::vector<Hazard> all{
      {"OnePoint", dressed(random_points(1, 2, 1)), together(together(together(one_point_refusals(), one_side()), nobody_to_judge()), no_map(1)), {}},
      {"TwoPoints", dressed(random_points(2, 2, 2)), together(together(together(too_few_neighbours("1"), too_few_points("2")), nobody_to_judge()), no_map(2)), {}},
      {"ThreePoints", dressed(random_points(3, 2, 3)), together(together(too_few_neighbours("2"), too_few_points("3")), no_map(3)), {}},
      {"TwoPointsWithSmallK", dressed(random_points(2, 2, 2)), together(nobody_to_judge(), no_map_of_few_neighbours(true)), {"knn.k=1", "k=2"}},
      {"ThreePointsWithSmallK", dressed(random_points(3, 2, 3)), no_map_of_few_neighbours(false), {"knn.k=2", "k=2"}},
      {"AsManyNeighboursAsPoints", dressed(random_points(12, 2, 4)), together(too_few_neighbours("11"), no_map(12)), {"knn.k=12"}},
      {"DuplicatePoints", dressed(with_duplicates()), no_map(60), {}},
      {"AllPointsAtOnePlace", dressed(Matrix::Ones(40, 2)), together(no_bandwidth(), no_map(40)), {}},
      {"AConstantColumn", dressed(with_constant_column()), no_map(60), {"kernel.gamma=0.5"}},
      {"TwoFarBlobs", dressed(far_blobs()), no_map(80), {}},
      {"OneClass", one_class(), together(one_side(), no_map(60)), {}},
      {"ABandwidthThatUnderflowsEveryRow", dressed(random_points(60, 3, 19)), no_map(60), {"exp.bandwidth=1e-200"}},
      {"HugeValues", dressed(huge * random_points(60, 3, 20)), no_map(60), {"kernel.gamma=scale"}},
      {"TinyValues", dressed(random_points(60, 3, 21) / huge), no_map(60), {"kernel.gamma=scale"}},
      {"TwoWideRows", dressed(random_points(2, 10000, 22)), together(nobody_to_judge(), no_map_of_few_neighbours(true)), {"knn.k=1", "k=2"}},
      {"AZeroWeightAndIsolatedNodes", with_weights(0), no_map(60), {}},
      {"ANegativeWeight", with_weights(-1), together({{"pagerank", "not negative, found -1 from node 1 to node 2"}, {"mcl", "not negative, found -1 from node 1 to node 2"}}, no_map(60)), {}},
  };
  return all;
}

// The settings that name stages or parameters which the recipe has.
inline std::vector<std::string> settings_for(const recipes::Recipe& recipe, const std::vector<std::string>& settings) {
  std::vector<std::string> fitting;
  for (const std::string& setting : settings) {
    const std::string name = setting.substr(0, setting.find_first_of(".="));
    const bool parameter = setting.find('.') == std::string::npos || setting.find('.') > setting.find('=');
    const bool has = parameter ? std::any_of(recipe.parameters.begin(), recipe.parameters.end(), [&](const auto& p) { return p.name == name; })
                               : recipe.pipeline.find(name + "(") != std::string_view::npos;
    if (has) fitting.push_back(setting);
  }
  return fitting;
}

}  // namespace calor::pipeline
