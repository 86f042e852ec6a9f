// The similarity record: what is alike, said in full without storing it.
//
//   value(i, j) = strengthen(score(i, j)) * exp(log_row[i] + log_column[j])     on the support, 0 elsewhere
//
// Stages edit the record; the consumers of passes.h read it.  Greater is more alike.  Factors are logarithms, so that a
// row whose every value underflows still normalises; minus infinity is the factor 0.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/engine/normaliser.h"
#include "calor/engine/points.h"

namespace calor::engine {

// power_distance: -sign(t) d^t.  stored: the values of the support, or `dense` over all pairs.
struct Score {
  enum class Kind { power_distance, dot, cosine, indicator, stored };
  Kind kind = Kind::stored;
  double power = 2;
  Metric metric = Metric::euclidean;
  bool operator==(const Score&) const = default;
};

// exponential: exp(score / scale), scale of the row or, after a transposition, of the column.  power: (gain score + offset)^exponent.
// sigmoid: tanh(gain score + offset).
struct Strengthen {
  enum class Kind { none, exponential, power, sigmoid };
  Kind kind = Kind::none;
  Vector scale;  // one number for all, or one a row (a column when by_column)
  bool by_column = false;
  double exponent = 1, gain = 1, offset = 0;
  double at(std::int64_t i, std::int64_t j) const { return scale.size() == 1 ? scale[0] : scale[by_column ? j : i]; }
};

struct Similarity {
  std::int64_t rows = 0, columns = 0;
  std::shared_ptr<const Matrix> row_points, column_points;  // null for stored scores; without columns where the points have another form:
  std::shared_ptr<const io::SparseMatrix> row_sparse, column_sparse;  // sparse, on a support only
  std::shared_ptr<const Matrix> distances;                  // known by these, read at [row_of_row][row_of_column], or turned the other way
  bool distances_turned = false;
  std::shared_ptr<const Csr> support;                       // null: all pairs
  std::shared_ptr<const Matrix> dense;                      // all pairs of a stored score
  std::shared_ptr<const Matrix> computed;                   // all scores where they have been computed already (keep_scores)
  Score score;
  Strengthen strengthen;
  Vector log_row, log_column;                               // empty: all 0
  bool leave_diagonal_out = false;                          // no row meets itself: pairs of one data row are left out
  bool symmetric = false;                                   // value(i, j) = value(j, i) but for the factors
  std::vector<Normaliser::Kind> normalised;                    // in the order applied
  bool rows_deferred = false;                               // by row last, but log_row does not hold the sums yet (normalise_rows of passes.h)
  std::shared_ptr<const Components> components;                  // of all-pairs values that hold several; null: one, or as the support says
  std::shared_ptr<const std::vector<std::int64_t>> row_rows, column_rows;  // which data row each is, ascending; null: the same number

  bool all_pairs() const { return support == nullptr; }
  bool square() const { return rows == columns && (row_points == column_points || !row_points); }
  std::int64_t row_of_row(std::int64_t i) const { return row_rows ? (*row_rows)[i] : i; }
  std::int64_t row_of_column(std::int64_t j) const { return column_rows ? (*column_rows)[j] : j; }
  void forget_points() {
    row_points = column_points = distances = nullptr;
    row_sparse = column_sparse = nullptr;
  }
  double row_factor(std::int64_t i) const { return log_row.size() ? log_row[i] : 0; }
  double column_factor(std::int64_t j) const { return log_column.size() ? log_column[j] : 0; }
  bool exponential() const { return strengthen.kind == Strengthen::Kind::exponential; }
  // Rows are exponentials over their sum.
  bool softmax() const { return exponential() && !normalised.empty() && normalised.back() == Normaliser::Kind::row; }
  bool row_stochastic() const {
    return !normalised.empty() && (normalised.back() == Normaliser::Kind::row || normalised.back() == Normaliser::Kind::sinkhorn);
  }
};

// A record of values as they are: over all pairs, or on a graph's edges.
Similarity stored_similarity(std::shared_ptr<const Matrix> values);
Similarity stored_similarity(Csr graph);

// The record in words: support, score, strengthening, factors, symmetry.
std::string describe(const Similarity& similarity);

// The columns against each other, each but itself: the same score and strengthening, no factors.  Over all pairs of points.
Similarity among_columns(const Similarity& similarity);

// The listed rows against the listed columns, in the order of the lists (null: all): points, factors, scales and stored values are copied.
// A row may then meet itself anywhere, so the diagonal is no longer left out.
Similarity restricted(const Similarity& similarity, const std::vector<std::int64_t>* rows, const std::vector<std::int64_t>* columns);

// Whether both give the same value for every pair because all that makes it up is the same: points, graphs and stored values by identity,
// numbers by value.  O(rows + columns).
bool same_values(const Similarity& a, const Similarity& b);

// Bytes that the record holds beyond the points.
std::uint64_t stored_bytes(const Similarity& similarity);

// The same similarity with rows and columns exchanged.  O(1) over all pairs unless stored, O(edges) on a support.
Similarity transpose(const Similarity& similarity);

}  // namespace calor::engine
