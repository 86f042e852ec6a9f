// Numbers of a record: tiles of all pairs, or the edges of a row.  The one place that knows what a score is.
#pragma once

#include <cstdint>

#include "calor/engine/record.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::engine {

// Tiles of an all-pairs record.  Euclidean scores are one matrix product a tile:
// |x - y|^2 = |x|^2 + |y|^2 - 2 x.y after subtracting the mean of the columns' points, with error about
// 4 eps (|x| + |y|)^2; pairs closer than that are computed again as a sum of squared differences, so that coinciding
// points are at distance 0.  Holds centred copies of the points: O((rows + columns) d) memory.
class TileScores {
 public:
  explicit TileScores(const Similarity& similarity);

  // tile(a, b) = score(row + a, column + b), before strengthening; `tile` is resized.  A left-out diagonal is -infinity.
  void scores(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const;
  // The logarithm of value(i, j) for an exponential record: score / scale + both factors.
  void logs(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const;
  // value(i, j), factors included.
  void values(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const;

 private:
  void compute(std::int64_t row, std::int64_t column, Matrix& tile) const;
  void products(std::int64_t row, std::int64_t column, Matrix& tile) const;
  void squared_distances(std::int64_t row, std::int64_t column, Matrix& tile) const;
  void manhattan_distances(std::int64_t row, std::int64_t column, Matrix& tile) const;
  void leave_own_out(std::int64_t row, std::int64_t column, double value, Matrix& tile) const;

  const Similarity& record_;
  kernels::PackedDoubles own_rows_, own_columns_;  // centred, or scaled to length 1 for cosines
  const kernels::PackedDoubles *rows_ = nullptr, *columns_ = nullptr;
};

// The values of row i's edges, factors included, in the order of the support.
void edge_values(const Similarity& similarity, std::int64_t row, double* values);

// Their logarithms for an exponential record.
void edge_logs(const Similarity& similarity, std::int64_t row, double* logs);

// Their scores, before strengthening.
void edge_scores(const Similarity& similarity, std::int64_t row, double* scores);

// Each row over its length; a zero row stays.
Matrix unit_rows(const Matrix& points);

// The distance between a row and a column, as the points' form tells it.
double pair_distance(const Similarity& similarity, std::int64_t row, std::int64_t column, Metric metric);

}  // namespace calor::engine
