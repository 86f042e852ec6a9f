// Numbers of a record: tiles of all pairs, or the edges of a row.  The one place that knows what a score is.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/engine/record.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::engine {

// Rows of a tile: one after the other, or listed in any order.
struct TileRows {
  std::int64_t first = 0;
  const std::int64_t* listed = nullptr;
  TileRows(std::int64_t row) : first(row) {}
  explicit TileRows(const std::int64_t* rows) : listed(rows) {}
  std::int64_t operator[](std::int64_t a) const { return listed ? listed[a] : first + a; }
};

// Tiles of an all-pairs record.  Euclidean scores are one matrix product a tile:
// |x - y|^2 = |x|^2 + |y|^2 - 2 x.y after subtracting the mean of the columns' points, with error about
// 4 eps (|x| + |y|)^2; pairs closer than that are computed again as a sum of squared differences, so that coinciding
// points are at distance 0.  Of whole numbers, such as pixels, distances are exact.  Holds centred copies of the points: O((rows + columns) d) memory.  Sparse points stay as they are: a row is
// spread out, and each column adds up over its own entries.
class TileScores {
 public:
  explicit TileScores(const Similarity& similarity);
  // The same columns for other rows: `columns`, which must live on, has them ready.
  TileScores(const Similarity& similarity, const TileScores& columns);

  // tile(a, b) = score(row + a, column + b), before strengthening; `tile` is resized.  A left-out diagonal is -infinity.
  void scores(TileRows row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const;
  // The logarithm of value(i, j) for an exponential record: score / scale + both factors.
  void logs(TileRows row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const;
  // value(i, j), factors included.
  void values(TileRows row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const;

 private:
  void compute(TileRows row, std::int64_t column, Matrix& tile) const;
  void products(TileRows row, std::int64_t column, Matrix& tile) const;
  void sparse_products(TileRows row, std::int64_t column, Matrix& tile) const;
  void squared_distances(TileRows row, std::int64_t column, Matrix& tile) const;
  void manhattan_distances(TileRows row, std::int64_t column, Matrix& tile) const;
  void leave_own_out(TileRows row, std::int64_t column, double value, Matrix& tile) const;
  // Both sides' points, as they are multiplied; the columns may be another's.
  template <class T>
  struct Sides {
    kernels::PackedPanels<T> own_rows, own_columns;
    const kernels::PackedPanels<T> *rows = nullptr, *columns = nullptr;
    void pack(const Matrix& row_points, const Matrix& column_points, const double* centre, const kernels::PackedPanels<T>* ready);
  };
  void prepare(const TileScores* ready);
  void find_whole_rows(const TileScores* ready);
  bool whole(std::int64_t row) const { return all_whole_ || (!is_whole_.empty() && is_whole_[static_cast<std::size_t>(row)]); }

  const Similarity& record_;
  Eigen::RowVectorXd centre_;
  // Real: centred, or scaled to length 1 for cosines.  Whole numbers are exact as they are, and four times as quick: a row's whose own and all
  // columns' coordinates are whole has its products from these.
  Sides<double> real_;
  Sides<std::int32_t> whole_;
  double largest_whole_ = -1;            // of the columns
  std::vector<std::uint8_t> is_whole_;   // of each row; empty: none is, or all are
  bool all_whole_ = false;
  std::vector<double> row_squares_, column_squares_;  // of sparse points
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
