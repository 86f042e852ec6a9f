// Sparse points: neighbours against sorting all distances, computed here in long double from the dense numbers; pipelines against the same
// points given dense.  Data with ties are whole numbers, whose sums are exact in any order; elsewhere only cosines of points without a
// common column tie, at exactly 1.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

#include "calor/engine/neighbours.h"
#include "calor/io/safetensors.h"
#include "calor/pipeline/forms.h"
#include "calor/pipeline/model.h"
#include "other_forms.h"

namespace calor::pipeline {
namespace {

Csr sorted_nearest(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options) {
  Csr graph;
  graph.rows = rows.rows();
  graph.columns = columns.rows();
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    std::vector<std::pair<double, std::int32_t>> all;
    for (Eigen::Index j = 0; j < columns.rows(); ++j) {
      if (options.leave_itself_out && i == j) continue;
      if (options.allowed && !(*options.allowed)[static_cast<std::size_t>(j)]) continue;
      all.emplace_back(brute_distance(rows, i, columns, j, options.metric), static_cast<std::int32_t>(j));
    }
    std::sort(all.begin(), all.end());
    all.resize(std::min(all.size(), static_cast<std::size_t>(options.k)));
    std::vector<std::int32_t> chosen;
    for (const auto& [distance, j] : all) chosen.push_back(j);
    std::sort(chosen.begin(), chosen.end());
    graph.column.insert(graph.column.end(), chosen.begin(), chosen.end());
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

void expect_nearest(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options) {
  const Csr found = nearest(sparse_of(rows), sparse_of(columns), options, Context());
  const Csr expected = sorted_nearest(rows, columns, options);
  const std::string what = fmt::format("{} x {} of {}, k {}, metric {}", rows.rows(), columns.rows(), rows.cols(), options.k, static_cast<int>(options.metric));
  EXPECT_EQ(found.begin, expected.begin) << what;
  EXPECT_EQ(found.column, expected.column) << what;
}

constexpr Metric metrics[] = {Metric::euclidean, Metric::cosine, Metric::manhattan};

struct Shape {
  std::int64_t rows, columns;
  double share;
};
// About the 16 lanes of a look and the 16 rows of a turn; one column, mostly empty rows, no entries at all.
constexpr Shape shapes[] = {{2, 3, 0.5}, {15, 40, 0.05}, {16, 40, 0.05}, {17, 40, 0.05}, {97, 300, 0.01}, {130, 50, 0.03}, {40, 1, 1}, {33, 20, 0}, {150, 400, 0.05}};

TEST(SparseNeighbours, AreThoseOfSortingAllDistances) {
  for (const Shape& shape : shapes)
    for (const Metric metric : metrics) {
      if (shape.columns == 1 && metric == Metric::cosine) continue;  // all angles are 0 or 180 degrees: nothing but ties
      const Matrix x = random_sparse(shape.rows, shape.columns, shape.share, 7);
      for (const std::int64_t k : {std::int64_t{1}, std::min<std::int64_t>(8, shape.rows - 1), shape.rows - 1}) expect_nearest(x, x, {k, metric, true, nullptr});
    }
}

TEST(SparseNeighbours, TiesGoToTheLowerColumn) {
  for (const Shape& shape : shapes) {
    Matrix x = random_sparse(shape.rows, shape.columns, shape.share, 11, true);
    for (Eigen::Index i = 5; i < x.rows(); i += 6) x.row(i) = x.row(i - 5);
    for (const Metric metric : {Metric::euclidean, Metric::manhattan})
      expect_nearest(x, x, {std::min<std::int64_t>(6, shape.rows - 1), metric, true, nullptr});
  }
}

TEST(SparseNeighbours, OfOtherPointsAndAmongThoseAllowed) {
  const Matrix x = random_sparse(90, 200, 0.03, 1), fresh = random_sparse(23, 200, 0.05, 2);
  std::vector<std::uint8_t> allowed(90, 0);
  for (std::size_t j = 0; j < allowed.size(); j += 4) allowed[j] = 1;
  for (const Metric metric : metrics) {
    expect_nearest(fresh, x, {7, metric, false, nullptr});
    expect_nearest(fresh, x, {7, metric, false, &allowed});
    expect_nearest(x, x, {7, metric, true, &allowed});
    expect_nearest(x, x, {40, metric, true, &allowed});  // more than there are
  }
}

// Every distance is then less than 1e-9 of the squares that it is the difference of.
TEST(SparseNeighbours, SurviveAColumnThatIsLargeEverywhere) {
  for (const Metric metric : {Metric::euclidean, Metric::manhattan}) {
    Matrix x = random_sparse(120, 60, 0.05, 5);
    x.col(17).setConstant(1e7);
    for (Eigen::Index i = 0; i < x.rows(); ++i) x(i, 3) = 1e-3 * static_cast<double>(i % 11 + 1);
    expect_nearest(x, x, {9, metric, true, nullptr});
  }
}

TEST(SparseNeighbours, OfNumbersWhoseSquaresLeaveTheRange) {
  const Matrix x = random_sparse(40, 30, 0.1, 6);
  const Csr expected = sorted_nearest(x, x, {4, Metric::euclidean, true, nullptr});
  for (const double scale : {0x1p600, 0x1p-600})
    EXPECT_EQ(nearest(sparse_of(x * scale), sparse_of(x * scale), {4, Metric::euclidean, true, nullptr}, Context()).column, expected.column);
}

TEST(SparseNeighbours, WithinReachBoundsIncluded) {
  for (const Metric metric : metrics) {
    const bool counts = metric != Metric::cosine;
    const Matrix x = random_sparse(110, 90, 0.04, 9, counts), fresh = random_sparse(31, 90, 0.04, 10, counts);
    Vector reach(110);
    for (Eigen::Index j = 0; j < reach.size(); ++j) reach[j] = metric == Metric::cosine ? 0.1 * static_cast<double>(j % 9) + 0.05 : static_cast<double>(j % 7);
    const Csr found = within(sparse_of(fresh), sparse_of(x), reach, {metric, false, "radius"}, Context());
    std::int64_t edge = 0, exactly = 0;
    for (Eigen::Index i = 0; i < fresh.rows(); ++i)
      for (Eigen::Index j = 0; j < x.rows(); ++j) {
        const double far = brute_distance(fresh, i, x, j, metric);
        const bool is = edge < found.begin[i + 1] && found.column[edge] == j;
        EXPECT_EQ(is, far <= reach[j]) << i << " " << j << " " << far - reach[j];
        edge += is;
        exactly += far == reach[j];
      }
    EXPECT_EQ(edge, found.edges());
    EXPECT_TRUE(exactly > 0 || !counts);
  }
}

TEST(SparseNeighbours, SameForAnyNumberOfThreads) {
  const Matrix x = random_sparse(200, 300, 0.03, 4);
  Context one, three;
  one.threads = 1;
  three.threads = 3;
  for (const Metric metric : metrics) {
    EXPECT_EQ(nearest(sparse_of(x), sparse_of(x), {10, metric, true, nullptr}, one).column,
              nearest(sparse_of(x), sparse_of(x), {10, metric, true, nullptr}, three).column);
  }
  const auto data = as_sparse(*three_topics(90));
  EXPECT_EQ(*run_text("laplacian-eigenmaps", data, 1).result.points, *run_text("laplacian-eigenmaps", data, 3).result.points);
}

TEST(SparsePairs, DistancesAndProductsAreTheDenseOnes) {
  Matrix x = random_sparse(30, 50, 0.1, 8);
  x.row(4) = x.row(9);
  x.row(7).setZero();
  x.row(8).setZero();
  const io::SparseMatrix sparse = sparse_of(x);
  for (Eigen::Index i = 0; i < x.rows(); ++i)
    for (Eigen::Index j = 0; j < x.rows(); ++j) {
      for (const Metric metric : metrics) EXPECT_NEAR(distance(sparse, i, sparse, j, metric), i == j ? 0 : brute_distance(x, i, x, j, metric), 1e-14);
      EXPECT_NEAR(dot(sparse, i, sparse, j), x.row(i).dot(x.row(j)), 1e-14);
    }
  EXPECT_EQ(distance(sparse, 4, sparse, 9, Metric::euclidean), 0);
  EXPECT_EQ(dense_of(sparse), x);
  EXPECT_EQ(sparse_of(x).column, sparse.column);
}

// What the refusal for want of memory names as recipes that keep points sparse.
const std::set<std::string> stay{"isomap", "laplacian-eigenmaps", "spectral-clustering", "label-spreading", "knn-classifier", "knn-regressor", "svm", "svm-regressor", "one-class-svm"};

// Kernels, scores and supports that no recipe has, and a body that a stage repeats.
const char* const others[] = {"knn(10, metric=cosine) | cosine | exp(0.3) | mean | eigen(2, of=laplacian)",
                              "knn(10, metric=cosine) | distance(2, metric=cosine) | exp(auto) | mean | two_side(1) | row | eigen(2, time=1)",
                              "knn(9, metric=manhattan) | distance(1, metric=manhattan) | exp(cardinality=3) | union | eigen(2, of=laplacian)",
                              "knn(8) | mutual | distance(2) | exp(1) | row | vote",
                              "radius(2.5) | distance(1) | exp(2) | row | vote",
                              "radius(0.9, metric=cosine) | kernel(rbf) | row | average",
                              "knn(8) | kernel(laplacian) | row | vote",
                              "knn(8) | kernel(poly) | row | average",
                              "kernel(laplacian, gamma=0.1) | weigh(svm) | vote",
                              "kernel(linear) | row | average",
                              "kernel(sigmoid, gamma=0.01, offset=-0.5) | weigh(svm) | vote",
                              "knn(8) | distance(2) | exp(3) | mean | weigh(svm) | vote",
                              "knn(8) | dot | mean | row | vote",
                              "knn(8) | distance(1, from=nearest) | exp(1) | row | vote",
                              "knn(6) | components",
                              moved_neighbours};

TEST(SparsePipelines, EveryRecipeGivesWhatItGivesOfDensePoints) {
  const auto dense = three_topics(100), sparse = as_sparse(*dense);
  for (const recipes::Recipe& recipe : recipes::all_recipes()) {
    const std::string name(recipe.name);
    if (name == "pagerank" || name == "mcl") {
      expect_fault(Fault::input, "expected data that are a graph", [&] { run_text(name, sparse); });
      continue;
    }
    if (name == "tsne" || name == "umap") {  // a descent magnifies the rounding of distances: the same data, another map
      const Fit map = run_text(name, sparse);
      EXPECT_TRUE(map.result.points->allFinite()) << name;
      EXPECT_FALSE(says(map.result, "made dense for")) << name;
      continue;
    }
    const Fit found = run_text(name, sparse), expected = run_text(name, dense);
    expect_same(found.result, expected.result, 1e-8, name);
    EXPECT_EQ(says(found.result, "made dense for"), !stay.count(name)) << name;
    EXPECT_EQ(without_form(bound(name), Form::sparse) == nullptr, stay.count(name) == 1) << name;
  }
}

TEST(SparsePipelines, OtherSupportsAndScoresToo) {
  const auto dense = three_topics(100), sparse = as_sparse(*dense);
  for (const char* text : others) {
    const Fit found = run_text(text, sparse);
    EXPECT_FALSE(says(found.result, "made dense")) << text;
    expect_same(found.result, run_text(text, dense).result, 1e-8, text);
  }
}

TEST(SparsePipelines, NewPointsLandWhereDenseOnesDo) {
  const auto dense = three_topics(100), sparse = as_sparse(*dense);
  const Matrix fresh = *three_topics(30, 60, 12)->features;
  const auto as_points = std::make_shared<const Matrix>(fresh);
  const Points compact{nullptr, std::make_shared<const io::SparseMatrix>(sparse_of(fresh)), nullptr};
  std::vector<std::string> texts(stay.begin(), stay.end());
  texts.insert(texts.end(), {"k-means", "diffusion-map", moved_neighbours, "knn(8) | distance(2) | exp(1) | row | vote", "radius(2.5) | distance(1) | exp(1) | row | vote"});
  for (const std::string& text : texts) {
    const Fit fit = run_text(text, sparse);
    const State expected = place(run_text(text, dense), as_points, Context());
    expect_same(place(fit, compact, Context()), expected, 1e-8, text);
    expect_same(place(fit, as_points, Context()), expected, 1e-8, text + ", given dense");
  }
  const Fit fit = run_text("laplacian-eigenmaps", sparse);
  EXPECT_LT(relative_difference(*place(fit, sparse->points(), Context()).points, *fit.result.points), 1e-7);
  expect_fault(Fault::input, "expected 60 features, found 59", [&] { place(fit, std::make_shared<const Matrix>(fresh.leftCols(59)), Context()); });
  expect_fault(Fault::input, "found distances: the fit was made from points", [&] { place(fit, Points{nullptr, nullptr, as_points}, Context()); });
  expect_fault(Fault::input, "found nan in row 1, column 2", [&] {
    Matrix wrong = fresh;
    wrong(0, 1) = std::nan("");
    place(fit, std::make_shared<const Matrix>(std::move(wrong)), Context());
  });
}

TEST(SparsePipelines, WhatWouldBeTooMuchDenseIsRefusedBeforeItIsTaken) {
  auto data = std::make_shared<Data>(data_of(sparse_of(random_sparse(300, 4000, 0.01, 3)), {}, {}));
  set_labels(*data, std::vector<std::int64_t>(300, 0), {"a"});
  Context small;
  small.memory = MemoryLimit(8 << 20);
  try {
    fit(bound("k-means"), data, 0, small);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::memory);
    const std::string text = error.what();
    for (const char* part : {"[centres]", "300 x 4,000 dense numbers", "9.2 MiB", "knn or radius", "--max-memory"}) EXPECT_NE(text.find(part), std::string::npos) << text;
    for (const std::string& name : stay) EXPECT_NE(text.find(name), std::string::npos) << text;
    EXPECT_EQ(marked(text), "centres(8)");
  }
  EXPECT_EQ(fit(bound("knn-classifier"), data, 0, small).result.scores.rows(), 300);
}

TEST(SparsePipelines, ExplainSaysWhichFormTheyRunOn) {
  const Data data = data_of(sparse_of(random_sparse(200, 1500, 0.012, 3)), {}, {});
  EXPECT_NE(explain(bound("isomap"), data, Context()).find("sparse data of 200 x 1,500 with 1.2 % entries stay sparse\n"), std::string::npos);
  EXPECT_NE(explain(bound("k-means"), data, Context()).find("sparse data of 200 x 1,500 with 1.2 % entries made dense for centres(8): 2.3 MiB\n"), std::string::npos);
  EXPECT_NE(explain(bound("knn(5, method=hnsw) | distance(2)"), data, Context()).find("made dense for knn(5, method=hnsw)"), std::string::npos);
}

TEST(SparsePipelines, ASavedFitHoldsTheEntriesAlone) {
  const std::string path = ::testing::TempDir() + "calor_sparse_fit.safetensors";
  const auto data = as_sparse(*three_topics(80, 600));
  const Points fresh{nullptr, std::make_shared<const io::SparseMatrix>(sparse_of(*three_topics(20, 600, 12)->features)), nullptr};
  for (const char* text : {"label-spreading", "knn-classifier", "isomap", "k-means"}) {
    const SavedFit saved{run_text(text, data), print(recipes::resolve(text, {})), "0", "hash", "side"};
    save_fit(path, saved);
    const SavedFit loaded = load_fit(path, recipes::all_stages());
    EXPECT_EQ(loaded.fit.data->sparse->value, data->sparse->value);
    const State one = place(saved.fit, fresh, Context()), two = place(loaded.fit, fresh, Context());
    EXPECT_EQ(*one.points, *two.points) << text;
    EXPECT_EQ(one.labels, two.labels) << text;
    EXPECT_EQ(one.scores, two.scores) << text;
    EXPECT_TRUE(std::string(text) != "knn-classifier" || std::filesystem::file_size(path) < 80u * 600 * 8 / 2);
  }
  io::Safetensors damaged = io::read_safetensors(path);
  damaged.tensors["sparse.column"].bytes[3] = static_cast<decltype(damaged.tensors["sparse.column"].bytes)::value_type>(0x7f);
  io::write_safetensors(path, damaged);
  expect_fault(Fault::input, "expected points of a fit, found damaged ones", [&] { load_fit(path, recipes::all_stages()); });
  std::remove(path.c_str());
}

TEST(SparseData, WhatIsNoMatrixIsRefusedWithItsPlace) {
  const auto refused = [](const std::function<void(io::SparseMatrix&)>& damage, const std::string& part) {
    io::SparseMatrix points = sparse_of(random_sparse(10, 12, 0.5, 2));
    damage(points);
    expect_fault(Fault::input, part, [&] { data_of(std::move(points), {}, {}); });
  };
  refused([](io::SparseMatrix& p) { p.value[0] = std::nan(""); }, "found nan (row 1");
  refused([](io::SparseMatrix& p) { p.column[static_cast<std::size_t>(p.begin[3]) + 1] = p.column[static_cast<std::size_t>(p.begin[3])]; }, "(row 4)");
  refused([](io::SparseMatrix& p) { p.column[static_cast<std::size_t>(p.begin[10]) - 1] = 12; }, "expected ascending columns up to 12, found 13");
  refused([](io::SparseMatrix& p) { p.begin[4] = p.begin[6]; p.begin[5] = 0; }, "in compressed rows");
  refused([](io::SparseMatrix& p) { p.columns = 0; }, "in compressed rows");
  expect_fault(Fault::input, "expected 12 names of columns, found 2", [] { data_of(sparse_of(random_sparse(10, 12, 0.5, 2)), {"a", "b"}, {}); });
}

}  // namespace
}  // namespace calor::pipeline
