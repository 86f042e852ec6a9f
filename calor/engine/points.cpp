#include "calor/engine/points.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/kernels/neighbours.h"

namespace calor::engine {
namespace {

// term(a's value, b's value) for each column in which either has an entry, in order of columns.
template <class Term>
double sum_of_union(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j, const Term& term) {
  std::int64_t e = a.begin[i], f = b.begin[j];
  const std::int64_t e_end = a.begin[i + 1], f_end = b.begin[j + 1];
  double sum = 0;
  while (e < e_end && f < f_end) {
    const std::int32_t left = a.column[e], right = b.column[f];
    sum += term(left <= right ? a.value[e] : 0.0, right <= left ? b.value[f] : 0.0);
    e += left <= right;
    f += right <= left;
  }
  for (; e < e_end; ++e) sum += term(a.value[e], 0.0);
  for (; f < f_end; ++f) sum += term(0.0, b.value[f]);
  return sum;
}

double norm(const io::SparseMatrix& points, std::int64_t i) {
  double sum = 0;
  for (std::int64_t e = points.begin[i]; e < points.begin[i + 1]; ++e) sum += points.value[e] * points.value[e];
  return std::sqrt(sum);
}

bool same_row(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j) {
  const auto equal = [&](const auto& left, const auto& right) {
    return std::equal(left.begin() + a.begin[i], left.begin() + a.begin[i + 1], right.begin() + b.begin[j], right.begin() + b.begin[j + 1]);
  };
  return equal(a.column, b.column) && equal(a.value, b.value);
}

}  // namespace

double dot(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j) {
  return sum_of_union(a, i, b, j, [](double x, double y) { return x * y; });
}

double squared_distance(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j) {
  return sum_of_union(a, i, b, j, [](double x, double y) { return (x - y) * (x - y); });
}

double distance(const Matrix& a, std::int64_t i, const Matrix& b, std::int64_t j, Metric metric) {
  if (metric == Metric::manhattan) return (a.row(i) - b.row(j)).cwiseAbs().sum();
  if (metric == Metric::euclidean) return std::sqrt(kernels::squared_distance(a.row(i).data(), b.row(j).data(), a.cols()));
  const double norms = a.row(i).norm() * b.row(j).norm();
  return norms > 0 ? std::max(0.0, 1 - a.row(i).dot(b.row(j)) / norms) : (&a == &b && i == j ? 0.0 : 1.0);
}

double distance(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j, Metric metric) {
  if (metric == Metric::manhattan) return sum_of_union(a, i, b, j, [](double x, double y) { return std::abs(x - y); });
  if (metric == Metric::euclidean) return std::sqrt(squared_distance(a, i, b, j));
  const double norms = norm(a, i) * norm(b, j);
  return norms > 0 ? std::max(0.0, 1 - dot(a, i, b, j) / norms) : (&a == &b && i == j ? 0.0 : 1.0);
}

double distance(const Points& a, std::int64_t i, const Points& b, std::int64_t j, Metric metric) {
  if (a.distances) return (*a.distances)(i, j);
  return a.sparse ? distance(*a.sparse, i, *b.sparse, j, metric) : distance(*a.dense, i, *b.dense, j, metric);
}

bool same_place(const Points& a, std::int64_t i, const Points& b, std::int64_t j) {
  if (a.distances) return (*a.distances)(i, j) == 0;
  return a.sparse ? same_row(*a.sparse, i, *b.sparse, j) : a.dense->row(i) == b.dense->row(j);
}

Matrix dense_of(const io::SparseMatrix& points) {
  Matrix result = Matrix::Zero(points.rows, points.columns);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t e = points.begin[i]; e < points.begin[i + 1]; ++e) result(i, points.column[e]) = points.value[e];
  return result;
}

io::SparseMatrix sparse_of(const Matrix& points) {
  io::SparseMatrix result;
  result.rows = points.rows();
  result.columns = points.cols();
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    for (Eigen::Index c = 0; c < points.cols(); ++c)
      if (points(i, c) != 0) {
        result.column.push_back(static_cast<std::int32_t>(c));
        result.value.push_back(points(i, c));
      }
    result.begin.push_back(result.entries());
  }
  return result;
}

}  // namespace calor::engine
