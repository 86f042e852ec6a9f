// Heads whose properties are known because they are planted.
#pragma once

#include <cmath>

#include "calor/core/random.h"
#include "calor/inspect/head.h"

namespace calor::inspect {

inline Matrix random_matrix(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed, double size = 1) {
  Random random(seed, Purpose::test);
  Matrix values(rows, columns);
  for (Eigen::Index i = 0; i < values.size(); ++i) values.data()[i] = size * random.normal();
  return values;
}

// s = x' A y + nothing else: query = A' side, key = identity.
inline Head bilinear_head(const Matrix& a, double scale = 1) {
  Head head;
  head.scale = scale;
  head.query = {a.transpose(), {}};
  head.key = {Matrix::Identity(a.rows(), a.cols()), {}};
  head.value = {Matrix::Identity(a.rows(), a.cols()), {}};
  return head;
}

inline Head distance_head(const Matrix& w, double scale = 1) {
  Head head;
  head.pairing = Pairing::squared_distance;
  head.scale = scale;
  head.query = head.key = {w, {}};
  head.value = {Matrix::Identity(w.cols(), w.cols()), {}};
  return head;
}

inline Head metric_head(Eigen::Index width, std::uint64_t seed, double size) {
  Head head;
  head.pairing = Pairing::squared_distance;
  head.learned_metric = true;
  head.metric.hidden = {random_matrix(width, width, seed, size), random_matrix(width, 1, seed + 1).col(0)};
  head.metric.out = {random_matrix(width, width, seed + 2, size), random_matrix(width, 1, seed + 3).col(0)};
  head.value = {random_matrix(width, width, seed + 4), {}};
  return head;
}

}  // namespace calor::inspect
