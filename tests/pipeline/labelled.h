// Labelled points whose sums the tests write out pair by pair.
#pragma once

#include <cmath>

#include "support.h"

namespace calor::pipeline {

inline Matrix two_blobs(int n, double apart, std::uint64_t seed = 3) {
  Matrix points = random_points(2 * n, 2, seed);
  points.bottomRows(n).col(0).array() += apart;
  return points;
}

inline std::shared_ptr<Data> labelled(Matrix points, std::vector<std::int64_t> labels, std::vector<std::string> classes) {
  auto data = data_of_points(std::move(points));
  data->labels = std::move(labels);
  data->classes = std::move(classes);
  return data;
}

// Three clouds in turn: row i has class i % 3.
inline std::shared_ptr<Data> three_clouds(std::int64_t rows, std::uint64_t seed = 2) {
  Matrix points = random_points(rows, 3, seed);
  auto data = std::make_shared<Data>();
  for (std::int64_t i = 0; i < rows; ++i) {
    points(i, i % 2) += static_cast<double>(i % 3);
    data->labels.push_back(i % 3);
  }
  data->classes = {"a", "b", "c"};
  data->features = std::make_shared<const Matrix>(std::move(points));
  return data;
}

inline std::shared_ptr<Data> measured(const Matrix& points, double gain = 1, double offset = 0) {
  auto data = std::make_shared<Data>();
  data->features = std::make_shared<const Matrix>(points);
  data->targets = (gain * (points.col(0).array() * 2).sin() + offset).matrix();
  return data;
}

inline double kernel(const Data& data, int i, int j, double scale) {
  return std::exp(-(data.features->row(i) - data.features->row(j)).squaredNorm() / scale);
}

inline double density(const Data& data, int j, double scale) {
  double sum = 0;
  for (int k = 0; k < data.rows(); ++k)
    if (k != j) sum += kernel(data, j, k, scale);
  return sum;
}

}  // namespace calor::pipeline
