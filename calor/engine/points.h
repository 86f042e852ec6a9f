// Points in the form they came in, and how far two of them are apart.
#pragma once

#include <cstdint>
#include <memory>

#include "calor/engine/matrix.h"
#include "calor/io/sparse.h"

namespace calor::engine {

enum class Metric { euclidean, cosine, manhattan };

// One of the three holds them: `dense` has no columns where another does.
struct Points {
  std::shared_ptr<const Matrix> dense;             // rows x d
  std::shared_ptr<const io::SparseMatrix> sparse;  // rows x d
  std::shared_ptr<const Matrix> distances;         // rows x the points of the fit; infinite where a pair has none

  std::int64_t rows() const { return dense->rows(); }
  std::int64_t columns() const { return sparse ? sparse->columns : dense->cols(); }  // 0 for distances
  bool nothing() const { return dense->cols() == 0 && !sparse && !distances; }      // as of a bare graph
};

// The distance between two points.  Cosine: 1 - cosine of the angle; a zero vector is at distance 1 from every other.
double distance(const Matrix& a, std::int64_t i, const Matrix& b, std::int64_t j, Metric metric);
double distance(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j, Metric metric);
// Of points known by their distances: from point i to point j of the fit, whatever b and the metric.
double distance(const Points& a, std::int64_t i, const Points& b, std::int64_t j, Metric metric);

// Sums over the columns in which both have an entry, or either, in order of columns.
double dot(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j);
double squared_distance(const io::SparseMatrix& a, std::int64_t i, const io::SparseMatrix& b, std::int64_t j);

// Whether two points are the same: equal numbers, or a distance of 0.
bool same_place(const Points& a, std::int64_t i, const Points& b, std::int64_t j);

Matrix dense_of(const io::SparseMatrix& points);
io::SparseMatrix sparse_of(const Matrix& points);

}  // namespace calor::engine
