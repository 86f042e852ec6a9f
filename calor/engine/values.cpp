#include "calor/engine/values.h"

#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/kernels/neighbours.h"

namespace calor::engine {
namespace {

// -sign(t) d^t from the squared distance (euclidean) or the distance.
double power_of(double value, double t, bool squared) {
  const double exponent = squared ? t / 2 : t;
  const double power = exponent == 1 ? value : exponent == 2 ? value * value : exponent == 0.5 ? std::sqrt(value) : std::pow(value, exponent);
  return t > 0 ? -power : power;
}

double strengthened(const Strengthen& strengthen, double score, std::int64_t i, std::int64_t j) {
  switch (strengthen.kind) {
    case Strengthen::Kind::exponential: return std::exp(score / strengthen.at(i, j));
    case Strengthen::Kind::power: return std::pow(strengthen.gain * score + strengthen.offset, strengthen.exponent);
    case Strengthen::Kind::sigmoid: return std::tanh(strengthen.gain * score + strengthen.offset);
    case Strengthen::Kind::none: break;
  }
  return score;
}

bool uses_cosines(const Score& score) {
  return score.kind == Score::Kind::cosine || (score.kind == Score::Kind::power_distance && score.metric == Metric::cosine);
}

}  // namespace

Matrix unit_rows(const Matrix& points) {
  Matrix result = points;
  for (Eigen::Index i = 0; i < result.rows(); ++i)
    if (const double norm = result.row(i).norm(); norm > 0) result.row(i) /= norm;
  return result;
}

static double given_distance(const Similarity& similarity, std::int64_t row, std::int64_t column) {
  const std::int64_t i = similarity.row_of_row(row), j = similarity.row_of_column(column);
  return similarity.distances_turned ? (*similarity.distances)(j, i) : (*similarity.distances)(i, j);
}

double pair_distance(const Similarity& similarity, std::int64_t row, std::int64_t column, Metric metric) {
  if (similarity.distances) return given_distance(similarity, row, column);
  if (similarity.row_sparse) return distance(*similarity.row_sparse, row, *similarity.column_sparse, column, metric);
  return distance(*similarity.row_points, row, *similarity.column_points, column, metric);
}

static kernels::PointsView view(const Matrix& points) { return {points.data(), points.rows(), points.cols(), nullptr}; }

static std::vector<double> squares_of(const io::SparseMatrix& points) {
  std::vector<double> squares(static_cast<std::size_t>(points.rows), 0.0);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t e = points.begin[i]; e < points.begin[i + 1]; ++e) squares[i] += points.value[e] * points.value[e];
  return squares;
}

TileScores::TileScores(const Similarity& similarity) : record_(similarity) { prepare(nullptr); }
TileScores::TileScores(const Similarity& similarity, const TileScores& columns) : record_(similarity) { prepare(&columns); }

void TileScores::prepare(const TileScores* ready) {
  if (record_.computed || record_.distances) return;
  if (record_.row_sparse) {
    row_squares_ = squares_of(*record_.row_sparse);
    column_squares_ = ready ? ready->column_squares_ : record_.row_sparse == record_.column_sparse ? row_squares_ : squares_of(*record_.column_sparse);
    return;
  }
  const Score& score = record_.score;
  if (!record_.row_points || score.kind == Score::Kind::stored || score.kind == Score::Kind::indicator) return;
  const Matrix &rows = *record_.row_points, &columns = *record_.column_points;
  Matrix unit_of_rows, unit_of_columns;  // as long as they are packed
  const Matrix *from = &rows, *to = &columns;
  if (uses_cosines(score)) {
    unit_of_rows = unit_rows(rows);
    from = to = &unit_of_rows;
    if (&rows != &columns && !ready) {
      unit_of_columns = unit_rows(columns);
      to = &unit_of_columns;
    }
  } else if (score.kind != Score::Kind::dot && score.metric != Metric::euclidean) {
    return;
  } else {
    find_whole_rows(ready);
    if (all_whole_) return;
    if (score.kind != Score::Kind::dot) {
      centre_ = Eigen::RowVectorXd::Zero(columns.cols());
      if (ready && ready->real_.columns) centre_ = ready->centre_;
      else if (columns.rows()) centre_ = columns.colwise().mean();
    }
  }
  real_.pack(*from, *to, centre_.size() ? centre_.data() : nullptr, ready ? ready->real_.columns : nullptr);
}

template <class T>
void TileScores::Sides<T>::pack(const Matrix& row_points, const Matrix& column_points, const double* centre, const kernels::PackedPanels<T>* ready) {
  const Context context;
  const bool same = &row_points == &column_points && !ready;
  own_rows = kernels::PackedPanels<T>(view(row_points), centre, context);
  if (!same && !ready) own_columns = kernels::PackedPanels<T>(view(column_points), centre, context);
  rows = &own_rows;
  columns = ready ? ready : same ? &own_rows : &own_columns;
}

// A row's bits do not depend on the rows beside it: each is looked at by itself.
void TileScores::find_whole_rows(const TileScores* ready) {
  const Matrix &rows = *record_.row_points, &columns = *record_.column_points;
  largest_whole_ = ready ? ready->largest_whole_ : kernels::largest_whole(view(columns));
  if (!kernels::products_stay_whole(0, largest_whole_, 1)) return;
  std::int64_t count = 0;
  if (&rows == &columns && !ready) {
    count = kernels::products_stay_whole(largest_whole_, largest_whole_, rows.cols()) ? rows.rows() : 0;
  } else {
    is_whole_.resize(static_cast<std::size_t>(rows.rows()));
    for (Eigen::Index i = 0; i < rows.rows(); ++i) {
      is_whole_[i] = kernels::products_stay_whole(kernels::largest_whole({rows.row(i).data(), 1, rows.cols(), nullptr}), largest_whole_, rows.cols());
      count += is_whole_[i];
    }
  }
  all_whole_ = count == rows.rows();
  if (all_whole_ || count == 0) is_whole_.clear();
  if (all_whole_ || count > 0) whole_.pack(rows, columns, nullptr, ready ? ready->whole_.columns : nullptr);
}

template <class T>
static void products_of(const kernels::PackedPanels<T>& rows, TileRows row, const kernels::PackedPanels<T>& columns, std::int64_t column, Matrix& tile) {
  if (row.listed) kernels::listed_products(rows, row.listed, tile.rows(), columns, column, tile.cols(), tile.data(), tile.cols());
  else kernels::products(rows, row.first, tile.rows(), columns, column, tile.cols(), tile.data(), tile.cols());
}

void TileScores::products(TileRows row, std::int64_t column, Matrix& tile) const {
  if (record_.row_sparse) return sparse_products(row, column, tile);
  if (!all_whole_ && is_whole_.empty()) return products_of(*real_.rows, row, *real_.columns, column, tile);
  products_of(*whole_.rows, row, *whole_.columns, column, tile);
  if (all_whole_) return;
  std::vector<std::int64_t> others, places;
  for (Eigen::Index a = 0; a < tile.rows(); ++a)
    if (!whole(row[a])) {
      others.push_back(row[a]);
      places.push_back(a);
    }
  if (others.empty()) return;
  Matrix real(static_cast<Eigen::Index>(others.size()), tile.cols());
  products_of(*real_.rows, TileRows(others.data()), *real_.columns, column, real);
  for (std::size_t n = 0; n < places.size(); ++n) tile.row(places[n]) = real.row(static_cast<Eigen::Index>(n));
}

// Sums over the columns in which both have an entry, in order of columns: symmetric to the last bit.
void TileScores::sparse_products(TileRows row, std::int64_t column, Matrix& tile) const {
  const io::SparseMatrix &rows = *record_.row_sparse, &columns = *record_.column_sparse;
  thread_local std::vector<double> spread;  // all 0 between calls
  if (spread.size() < static_cast<std::size_t>(rows.columns)) spread.resize(static_cast<std::size_t>(rows.columns), 0.0);
  double* at = spread.data();
  for (Eigen::Index a = 0; a < tile.rows(); ++a) {
    const std::int64_t i = row[a];
    for (std::int64_t e = rows.begin[i]; e < rows.begin[i + 1]; ++e) at[rows.column[e]] = rows.value[e];
    const std::int32_t* place = columns.column.data();
    const double* value = columns.value.data();
    constexpr Eigen::Index together = 4;  // sums side by side, for one waits for each of its additions
    for (Eigen::Index b = 0; b < tile.cols(); b += together) {
      const std::int64_t* begin = columns.begin.data() + column + b;
      const Eigen::Index some = std::min(together, tile.cols() - b);
      double sums[together] = {};
      std::int64_t shared = 0;
      if (some == together) {
        shared = std::min({begin[1] - begin[0], begin[2] - begin[1], begin[3] - begin[2], begin[4] - begin[3]});
        for (std::int64_t n = 0; n < shared; ++n)
          for (Eigen::Index s = 0; s < together; ++s) sums[s] += at[place[begin[s] + n]] * value[begin[s] + n];
      }
      for (Eigen::Index s = 0; s < some; ++s) {
        for (std::int64_t e = begin[s] + shared; e < begin[s + 1]; ++e) sums[s] += at[place[e]] * value[e];
        tile(a, b + s) = sums[s];
      }
    }
    for (std::int64_t e = rows.begin[i]; e < rows.begin[i + 1]; ++e) at[rows.column[e]] = 0;
  }
}

void TileScores::squared_distances(TileRows row, std::int64_t column, Matrix& tile) const {
  products(row, column, tile);
  // Where cancellation has eaten more than about ten of sixteen digits the difference itself is summed.
  constexpr double cancelled = 1e-10;
  const bool sparse = record_.row_sparse != nullptr;
  const Matrix &rows = *record_.row_points, &columns = *record_.column_points;
  for (Eigen::Index a = 0; a < tile.rows(); ++a) {
    double* out = tile.row(a).data();
    const bool exact = !sparse && whole(row[a]);
    const double square = sparse ? row_squares_[row[a]] : exact ? whole_.rows->square(row[a]) : real_.rows->square(row[a]);
    const double* column_squares = sparse ? column_squares_.data() : exact ? whole_.columns->squares() : real_.columns->squares();
    if (!kernels::distances_from_products(out, tile.cols(), square, column_squares + column, cancelled, out)) continue;
    for (Eigen::Index b = 0; b < tile.cols(); ++b) {
      if (out[b] > cancelled * (square + column_squares[column + b])) continue;
      out[b] = sparse ? squared_distance(*record_.row_sparse, row[a], *record_.column_sparse, column + b)
                      : kernels::squared_distance(rows.row(row[a]).data(), columns.row(column + b).data(), rows.cols());
    }
  }
}

void TileScores::manhattan_distances(TileRows row, std::int64_t column, Matrix& tile) const {
  for (Eigen::Index a = 0; a < tile.rows(); ++a)
    for (Eigen::Index b = 0; b < tile.cols(); ++b) tile(a, b) = pair_distance(record_, row[a], column + b, Metric::manhattan);
}

// Both sides are in ascending order of their data rows: one walk along the two.
void TileScores::leave_own_out(TileRows row, std::int64_t column, double value, Matrix& tile) const {
  require(!row.listed, Fault::internal, "[score] expected rows in order where each leaves itself out, found listed ones");
  for (Eigen::Index a = 0, b = 0; a < tile.rows() && b < tile.cols();) {
    const std::int64_t own = record_.row_of_row(row[a]), other = record_.row_of_column(column + b);
    if (own == other) tile(a++, b++) = value;
    else if (own < other) ++a;
    else ++b;
  }
}

static void take_block(const Matrix& from, TileRows row, std::int64_t column, Matrix& tile) {
  for (Eigen::Index a = 0; a < tile.rows(); ++a) tile.row(a) = from.row(row[a]).segment(column, tile.cols());
}

static Vector segment(const Vector& numbers, TileRows row, std::int64_t count) {
  Vector result(count);
  for (std::int64_t a = 0; a < count; ++a) result[a] = numbers[row[a]];
  return result;
}

void TileScores::compute(TileRows row, std::int64_t column, Matrix& tile) const {
  const std::int64_t rows = tile.rows(), columns = tile.cols();
  const Score& score = record_.score;
  switch (score.kind) {
    case Score::Kind::stored: take_block(*record_.dense, row, column, tile); break;
    case Score::Kind::indicator: tile.setOnes(); break;
    case Score::Kind::dot: products(row, column, tile); break;
    case Score::Kind::cosine:
      products(row, column, tile);
      if (!record_.row_sparse) break;
      for (std::int64_t a = 0; a < rows; ++a)
        for (std::int64_t b = 0; b < columns; ++b)
          if (const double norms = std::sqrt(row_squares_[row[a]] * column_squares_[column + b]); norms > 0) tile(a, b) /= norms;
      break;
    case Score::Kind::power_distance: {
      if (record_.distances) {
        for (std::int64_t a = 0; a < rows; ++a)
          for (std::int64_t b = 0; b < columns; ++b) tile(a, b) = power_of(given_distance(record_, row[a], column + b), score.power, false);
        break;
      }
      const bool squared = score.metric == Metric::euclidean;
      if (squared) squared_distances(row, column, tile);
      else if (score.metric == Metric::manhattan) manhattan_distances(row, column, tile);
      else if (record_.row_sparse) {
        for (std::int64_t a = 0; a < rows; ++a)
          for (std::int64_t b = 0; b < columns; ++b) tile(a, b) = pair_distance(record_, row[a], column + b, Metric::cosine);
      } else {
        products(row, column, tile);
        tile = (1 - tile.array()).cwiseMax(0);
      }
      if (score.metric == Metric::cosine && record_.square())
        for (std::int64_t a = 0; a < rows; ++a)
          if (const std::int64_t b = row[a] - column; b >= 0 && b < columns) tile(a, b) = 0;
      if (squared && score.power == 2) tile = -tile;
      else tile = tile.unaryExpr([&](double value) { return power_of(value, score.power, squared); });
      break;
    }
  }
}

void TileScores::scores(TileRows row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  tile.resize(rows, columns);
  if (record_.computed) take_block(*record_.computed, row, column, tile);
  else compute(row, column, tile);
  if (record_.leave_diagonal_out) leave_own_out(row, column, -std::numeric_limits<double>::infinity(), tile);
}

void TileScores::logs(TileRows row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  require(!record_.rows_deferred, Fault::internal, "[score] expected settled row sums, found deferred ones");
  scores(row, rows, column, columns, tile);
  const Strengthen& strengthen = record_.strengthen;
  if (strengthen.scale.size() == 1) tile /= strengthen.scale[0];
  else if (strengthen.by_column) tile.array().rowwise() /= strengthen.scale.segment(column, columns).transpose().array();
  else tile.array().colwise() /= segment(strengthen.scale, row, rows).array();
  if (record_.log_row.size()) tile.colwise() += segment(record_.log_row, row, rows);
  if (record_.log_column.size()) tile.rowwise() += record_.log_column.segment(column, columns).transpose();
}

// Whole powers by squaring, as quick as so many products.
static void raise(Matrix& tile, double exponent) {
  constexpr double most_by_squaring = 64;
  if (exponent < 1 || exponent > most_by_squaring || exponent != std::floor(exponent)) {
    tile = tile.array().pow(exponent).matrix().eval();
    return;
  }
  for (double& value : tile.reshaped()) {
    double power = 1, square = value;
    for (auto left = static_cast<int>(exponent); left > 0; left /= 2, square *= square)
      if (left % 2) power *= square;
    value = power;
  }
}

void TileScores::values(TileRows row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  if (record_.strengthen.kind == Strengthen::Kind::exponential) {
    logs(row, rows, column, columns, tile);
    kernels::exponentials(tile.data(), tile.size());
    return;
  }
  scores(row, rows, column, columns, tile);
  const Strengthen& strengthen = record_.strengthen;
  if (strengthen.kind != Strengthen::Kind::none) tile = (strengthen.gain * tile.array() + strengthen.offset).matrix();
  if (strengthen.kind == Strengthen::Kind::power) raise(tile, strengthen.exponent);
  if (strengthen.kind == Strengthen::Kind::sigmoid) tile = tile.unaryExpr([](double value) { return std::tanh(value); });
  if (record_.leave_diagonal_out) leave_own_out(row, column, 0, tile);
  if (record_.log_row.size()) tile.array().colwise() *= segment(record_.log_row, row, rows).array().exp();
  if (record_.log_column.size()) tile.array().rowwise() *= record_.log_column.segment(column, columns).transpose().array().exp();
}

static double edge_score(const Similarity& similarity, std::int64_t row, std::int64_t edge) {
  const Score& score = similarity.score;
  const std::int64_t to = similarity.support->column[edge];
  switch (score.kind) {
    case Score::Kind::stored: return similarity.support->values[edge];
    case Score::Kind::indicator: return 1;
    case Score::Kind::dot:
      return similarity.row_sparse ? dot(*similarity.row_sparse, row, *similarity.column_sparse, to)
                                   : similarity.row_points->row(row).dot(similarity.column_points->row(to));
    case Score::Kind::cosine: return 1 - pair_distance(similarity, row, to, Metric::cosine);
    case Score::Kind::power_distance: break;
  }
  if (score.metric != Metric::euclidean || similarity.distances)
    return power_of(pair_distance(similarity, row, to, score.metric), score.power, false);
  const double square = similarity.row_sparse
                            ? squared_distance(*similarity.row_sparse, row, *similarity.column_sparse, to)
                            : kernels::squared_distance(similarity.row_points->row(row).data(), similarity.column_points->row(to).data(),
                                                        similarity.row_points->cols());
  return power_of(square, score.power, true);
}

void edge_scores(const Similarity& similarity, std::int64_t row, double* scores) {
  const Csr& support = *similarity.support;
  for (std::int64_t e = support.begin[row]; e < support.begin[row + 1]; ++e) scores[e - support.begin[row]] = edge_score(similarity, row, e);
}

void edge_logs(const Similarity& similarity, std::int64_t row, double* logs) {
  const Csr& support = *similarity.support;
  for (std::int64_t e = support.begin[row]; e < support.begin[row + 1]; ++e)
    logs[e - support.begin[row]] = edge_score(similarity, row, e) / similarity.strengthen.at(row, support.column[e]) +
                                   similarity.row_factor(row) + similarity.column_factor(support.column[e]);
}

void edge_values(const Similarity& similarity, std::int64_t row, double* values) {
  const Csr& support = *similarity.support;
  const std::int64_t begin = support.begin[row], end = support.begin[row + 1];
  if (similarity.strengthen.kind == Strengthen::Kind::exponential) {
    edge_logs(similarity, row, values);
    for (std::int64_t e = begin; e < end; ++e) values[e - begin] = std::exp(values[e - begin]);
    return;
  }
  const bool factors = similarity.log_row.size() || similarity.log_column.size();
  for (std::int64_t e = begin; e < end; ++e) {
    const std::int64_t to = support.column[e];
    double value = strengthened(similarity.strengthen, edge_score(similarity, row, e), row, to);
    if (factors) value *= std::exp(similarity.row_factor(row) + similarity.column_factor(to));
    values[e - begin] = value;
  }
}

}  // namespace calor::engine
