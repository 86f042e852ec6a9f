#include "calor/pipeline/score.h"

#include <cmath>
#include <limits>

namespace calor::pipeline {
namespace {

// -sign(t) d^t from the squared distance (euclidean) or the distance.
double power_of(double value, double t, bool squared) {
  const double exponent = squared ? t / 2 : t;
  const double power = exponent == 1 ? value : exponent == 0.5 ? std::sqrt(value) : std::pow(value, exponent);
  return t > 0 ? -power : power;
}

double strengthened(const Strengthen& strengthen, double score, std::int64_t i, std::int64_t j) {
  switch (strengthen.kind) {
    case Strengthen::Kind::exponential: return std::exp(score / strengthen.at(i, j));
    case Strengthen::Kind::power: return std::pow(score, strengthen.exponent);
    case Strengthen::Kind::none: break;
  }
  return score;
}

Matrix unit_rows(const Matrix& points) {
  Matrix result = points;
  for (Eigen::Index i = 0; i < result.rows(); ++i)
    if (const double norm = result.row(i).norm(); norm > 0) result.row(i) /= norm;
  return result;
}

bool uses_cosines(const Score& score) {
  return score.kind == Score::Kind::cosine || (score.kind == Score::Kind::power_distance && score.metric == Metric::cosine);
}

}  // namespace

double distance(const Matrix& a, std::int64_t i, const Matrix& b, std::int64_t j, Metric metric) {
  if (metric == Metric::manhattan) return (a.row(i) - b.row(j)).cwiseAbs().sum();
  if (metric == Metric::euclidean) return (a.row(i) - b.row(j)).norm();
  const double norms = a.row(i).norm() * b.row(j).norm();
  return norms > 0 ? std::max(0.0, 1 - a.row(i).dot(b.row(j)) / norms) : (&a == &b && i == j ? 0.0 : 1.0);
}

TileScores::TileScores(const Similarity& similarity) : record_(similarity) {
  const Score& score = similarity.score;
  if (!similarity.row_points || score.kind == Score::Kind::stored || score.kind == Score::Kind::indicator) return;
  rows_ = similarity.row_points.get();
  columns_ = similarity.column_points.get();
  const bool same = rows_ == columns_;
  if (uses_cosines(score)) {
    own_rows_ = unit_rows(*rows_);
    if (!same) own_columns_ = unit_rows(*columns_);
  } else if (score.kind == Score::Kind::power_distance && score.metric == Metric::euclidean) {
    const Eigen::RowVectorXd centre = columns_->rows() ? Eigen::RowVectorXd(columns_->colwise().mean())
                                                       : Eigen::RowVectorXd(Eigen::RowVectorXd::Zero(columns_->cols()));
    own_rows_ = rows_->rowwise() - centre;
    if (!same) own_columns_ = columns_->rowwise() - centre;
  } else {
    return;
  }
  rows_ = &own_rows_;
  columns_ = same ? &own_rows_ : &own_columns_;
  row_squares_ = rows_->rowwise().squaredNorm();
  column_squares_ = columns_->rowwise().squaredNorm();
}

void TileScores::squared_distances(std::int64_t row, std::int64_t column, Matrix& tile) const {
  const Eigen::Index rows = tile.rows(), columns = tile.cols();
  tile.noalias() = rows_->middleRows(row, rows) * columns_->middleRows(column, columns).transpose();
  // Where cancellation has eaten more than about ten of sixteen digits the difference itself is summed.
  constexpr double cancelled = 1e-10;
  for (Eigen::Index a = 0; a < rows; ++a)
    for (Eigen::Index b = 0; b < columns; ++b) {
      const double squares = row_squares_[row + a] + column_squares_[column + b];
      const double squared = squares - 2 * tile(a, b);
      tile(a, b) = squared > cancelled * squares ? squared
                                                 : (rows_->row(row + a) - columns_->row(column + b)).squaredNorm();
    }
}

void TileScores::manhattan_distances(std::int64_t row, std::int64_t column, Matrix& tile) const {
  for (Eigen::Index a = 0; a < tile.rows(); ++a)
    for (Eigen::Index b = 0; b < tile.cols(); ++b)
      tile(a, b) = (rows_->row(row + a) - columns_->row(column + b)).cwiseAbs().sum();
}

void TileScores::scores(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  tile.resize(rows, columns);
  const Score& score = record_.score;
  switch (score.kind) {
    case Score::Kind::stored: tile = record_.dense->block(row, column, rows, columns); break;
    case Score::Kind::indicator: tile.setOnes(); break;
    case Score::Kind::dot:
    case Score::Kind::cosine:
      tile.noalias() = rows_->middleRows(row, rows) * columns_->middleRows(column, columns).transpose();
      break;
    case Score::Kind::power_distance: {
      const bool squared = score.metric == Metric::euclidean;
      if (squared) squared_distances(row, column, tile);
      else if (score.metric == Metric::manhattan) manhattan_distances(row, column, tile);
      else
        tile = (1 - (rows_->middleRows(row, rows) * columns_->middleRows(column, columns).transpose()).array()).cwiseMax(0);
      if (score.metric == Metric::cosine && record_.square())
        for (std::int64_t i = std::max(row, column); i < std::min(row + rows, column + columns); ++i)
          tile(i - row, i - column) = 0;
      if (squared && score.power == 2) tile = -tile;
      else tile = tile.unaryExpr([&](double value) { return power_of(value, score.power, squared); });
      break;
    }
  }
  if (record_.leave_diagonal_out)
    for (std::int64_t i = std::max(row, column); i < std::min(row + rows, column + columns); ++i)
      tile(i - row, i - column) = -std::numeric_limits<double>::infinity();
}

void TileScores::logs(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  scores(row, rows, column, columns, tile);
  const Strengthen& strengthen = record_.strengthen;
  if (strengthen.scale.size() == 1) tile /= strengthen.scale[0];
  else if (strengthen.by_column) tile.array().rowwise() /= strengthen.scale.segment(column, columns).transpose().array();
  else tile.array().colwise() /= strengthen.scale.segment(row, rows).array();
  if (record_.log_row.size()) tile.colwise() += record_.log_row.segment(row, rows);
  if (record_.log_column.size()) tile.rowwise() += record_.log_column.segment(column, columns).transpose();
}

void TileScores::values(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  if (record_.strengthen.kind == Strengthen::Kind::exponential) {
    logs(row, rows, column, columns, tile);
    // Eigen's vector exp of minus infinity is a tiny number, not 0.
    if (record_.leave_diagonal_out || record_.dense)
      tile = (tile.array() > -std::numeric_limits<double>::infinity()).select(tile.array().exp(), 0.0).matrix().eval();
    else tile = tile.array().exp();
    return;
  }
  scores(row, rows, column, columns, tile);
  if (record_.leave_diagonal_out)
    for (std::int64_t i = std::max(row, column); i < std::min(row + rows, column + columns); ++i) tile(i - row, i - column) = 0;
  if (record_.strengthen.kind == Strengthen::Kind::power) tile = tile.array().pow(record_.strengthen.exponent);
  if (record_.log_row.size()) tile.array().colwise() *= record_.log_row.segment(row, rows).array().exp();
  if (record_.log_column.size()) tile.array().rowwise() *= record_.log_column.segment(column, columns).transpose().array().exp();
}

double edge_score(const Similarity& similarity, std::int64_t row, std::int64_t edge) {
  const Score& score = similarity.score;
  const std::int64_t to = similarity.support->column[edge];
  switch (score.kind) {
    case Score::Kind::stored: return similarity.support->values[edge];
    case Score::Kind::indicator: return 1;
    case Score::Kind::dot: return similarity.row_points->row(row).dot(similarity.column_points->row(to));
    case Score::Kind::cosine: return 1 - distance(*similarity.row_points, row, *similarity.column_points, to, Metric::cosine);
    case Score::Kind::power_distance: break;
  }
  if (score.metric == Metric::euclidean)
    return power_of((similarity.row_points->row(row) - similarity.column_points->row(to)).squaredNorm(), score.power, true);
  return power_of(distance(*similarity.row_points, row, *similarity.column_points, to, score.metric), score.power, false);
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

}  // namespace calor::pipeline
