// Data in the forms that are no table of features, with the dense points that they stand for.
#pragma once

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "calor/pipeline/data.h"
#include "support.h"

namespace calor::pipeline {

// Entries of `share` of the places: normal numbers, or counts from 1 to 3.
inline Matrix random_sparse(std::int64_t rows, std::int64_t columns, double share, std::uint64_t seed, bool counts = false) {
  Random random(seed, Purpose::test);
  Matrix points = Matrix::Zero(rows, columns);
  for (double& value : points.reshaped<Eigen::RowMajor>())
    if (random.uniform() < share) value = counts ? std::floor(1 + 3 * random.uniform()) : random.normal();
  return points;
}

// Neighbours of points that a stage has moved, which are dense.
inline constexpr const char* moved_neighbours = "knn(8) | distance(2) | exp(1) | mean | eigen(3, of=laplacian) | knn(5) | distance(1) | exp(1) | row | vote";

// Three classes, each with columns of its own that others use less; half of the labels are known.
inline std::shared_ptr<Data> three_topics(std::int64_t rows, std::int64_t columns = 60, std::uint64_t seed = 3) {
  Random random(seed, Purpose::test);
  Matrix points = Matrix::Zero(rows, columns);
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < columns; ++c)
      if (random.uniform() < (c % 3 == i % 3 ? 0.3 : 0.06)) points(i, c) = 0.5 + random.uniform();
    labels.push_back(i % 2 ? -1 : i % 3);
  }
  auto data = data_of_points(std::move(points));
  set_labels(*data, labels, {"0", "1", "2"});
  return data;
}

inline std::shared_ptr<Data> as_sparse(const Data& dense) {
  auto data = std::make_shared<Data>(data_of(sparse_of(*dense.features), {}, {}));
  data->labels = dense.labels;
  data->classes = dense.classes;
  data->targets = dense.targets;
  return data;
}

inline double brute_distance(const Matrix& a, Eigen::Index i, const Matrix& b, Eigen::Index j, Metric metric) {
  long double sum = 0, products = 0, left = 0, right = 0;
  for (Eigen::Index c = 0; c < a.cols(); ++c) {
    const long double x = a(i, c), y = b(j, c);
    sum += metric == Metric::manhattan ? std::abs(x - y) : (x - y) * (x - y);
    products += x * y;
    left += x * x;
    right += y * y;
  }
  if (metric == Metric::manhattan) return static_cast<double>(sum);
  if (metric == Metric::euclidean) return static_cast<double>(std::sqrt(sum));
  return left * right > 0 ? static_cast<double>(1 - products / std::sqrt(left * right)) : 1;
}

inline Matrix distance_table(const Matrix& a, const Matrix& b) {
  Matrix table(a.rows(), b.rows());
  for (Eigen::Index i = 0; i < a.rows(); ++i)
    for (Eigen::Index j = 0; j < b.rows(); ++j) table(i, j) = brute_distance(a, i, b, j, Metric::euclidean);
  return table;
}

inline std::shared_ptr<Data> as_distances(const Data& dense) {
  auto data = std::make_shared<Data>(data_of_distances(distance_table(*dense.features, *dense.features), {}));
  data->labels = dense.labels;
  data->classes = dense.classes;
  data->targets = dense.targets;
  return data;
}

// What two runs read out is the same, up to rounding that is small beside `tolerance`.
inline void expect_same(const State& found, const State& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(found.type, expected.type) << what;
  EXPECT_EQ(found.labels, expected.labels) << what;
  if (expected.scores.size()) {
    EXPECT_LT(relative_difference(found.scores, expected.scores), tolerance) << what;
  }
  if (expected.type == types::embedding) {
    EXPECT_LT(relative_difference(*found.points, *expected.points), tolerance) << what;
  }
  if (expected.spectrum.size()) {
    EXPECT_LT(relative_difference(found.spectrum, expected.spectrum), tolerance) << what;
  }
}

inline std::vector<BoundStage> bound(const std::string& text) { return bind_stages(recipes::resolve(text, {}), recipes::all_stages()); }

inline bool says(const State& state, const std::string& part) {
  return std::any_of(state.notes.begin(), state.notes.end(), [&](const Note& note) { return note.text.find(part) != std::string::npos; });
}

// What stands above the carets of a message.
inline std::string marked(const std::string& message) {
  const std::size_t line = message.find("\n  "), carets = message.find("\n  ", line + 1);
  if (line == std::string::npos || carets == std::string::npos) return "";
  const std::string text = message.substr(line + 3, carets - line - 3), marks = message.substr(carets + 3);
  const std::size_t first = marks.find('^');
  return first < text.size() ? text.substr(first, marks.size() - first) : "";
}

}  // namespace calor::pipeline
