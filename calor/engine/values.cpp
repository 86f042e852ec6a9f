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

TileScores::TileScores(const Similarity& similarity) : record_(similarity) {
  if (similarity.computed || similarity.distances) return;
  require(!similarity.row_sparse, Fault::internal, "[score] expected dense points for all pairs, found sparse ones");
  const Score& score = similarity.score;
  if (!similarity.row_points || score.kind == Score::Kind::stored || score.kind == Score::Kind::indicator) return;
  const Matrix &rows = *similarity.row_points, &columns = *similarity.column_points;
  const bool same = similarity.row_points == similarity.column_points;
  const Context context;
  if (uses_cosines(score)) {
    own_rows_ = kernels::PackedDoubles(view(unit_rows(rows)), nullptr, context);
    if (!same) own_columns_ = kernels::PackedDoubles(view(unit_rows(columns)), nullptr, context);
  } else if (score.kind == Score::Kind::dot) {
    own_rows_ = kernels::PackedDoubles(view(rows), nullptr, context);
    if (!same) own_columns_ = kernels::PackedDoubles(view(columns), nullptr, context);
  } else if (score.metric == Metric::euclidean) {
    Eigen::RowVectorXd centre = Eigen::RowVectorXd::Zero(columns.cols());
    if (columns.rows()) centre = columns.colwise().mean();
    own_rows_ = kernels::PackedDoubles(view(rows), centre.data(), context);
    if (!same) own_columns_ = kernels::PackedDoubles(view(columns), centre.data(), context);
  }
  rows_ = &own_rows_;
  columns_ = same ? &own_rows_ : &own_columns_;
}

void TileScores::products(std::int64_t row, std::int64_t column, Matrix& tile) const {
  kernels::products(*rows_, row, tile.rows(), *columns_, column, tile.cols(), tile.data(), tile.cols());
}

void TileScores::squared_distances(std::int64_t row, std::int64_t column, Matrix& tile) const {
  products(row, column, tile);
  // Where cancellation has eaten more than about ten of sixteen digits the difference itself is summed.
  constexpr double cancelled = 1e-10;
  const Matrix &rows = *record_.row_points, &columns = *record_.column_points;
  for (Eigen::Index a = 0; a < tile.rows(); ++a) {
    double* out = tile.row(a).data();
    const double square = rows_->square(row + a);
    if (!kernels::distances_from_products(out, tile.cols(), square, columns_->squares() + column, cancelled, out)) continue;
    for (Eigen::Index b = 0; b < tile.cols(); ++b)
      if (!(out[b] > cancelled * (square + columns_->square(column + b))))
        out[b] = kernels::squared_distance(rows.row(row + a).data(), columns.row(column + b).data(), rows.cols());
  }
}

void TileScores::manhattan_distances(std::int64_t row, std::int64_t column, Matrix& tile) const {
  for (Eigen::Index a = 0; a < tile.rows(); ++a)
    for (Eigen::Index b = 0; b < tile.cols(); ++b)
      tile(a, b) = (record_.row_points->row(row + a) - record_.column_points->row(column + b)).cwiseAbs().sum();
}

// Both sides are in ascending order of their data rows: one walk along the two.
void TileScores::leave_own_out(std::int64_t row, std::int64_t column, double value, Matrix& tile) const {
  for (Eigen::Index a = 0, b = 0; a < tile.rows() && b < tile.cols();) {
    const std::int64_t own = record_.row_of_row(row + a), other = record_.row_of_column(column + b);
    if (own == other) tile(a++, b++) = value;
    else if (own < other) ++a;
    else ++b;
  }
}

void TileScores::compute(std::int64_t row, std::int64_t column, Matrix& tile) const {
  const std::int64_t rows = tile.rows(), columns = tile.cols();
  const Score& score = record_.score;
  switch (score.kind) {
    case Score::Kind::stored: tile = record_.dense->block(row, column, rows, columns); break;
    case Score::Kind::indicator: tile.setOnes(); break;
    case Score::Kind::dot:
    case Score::Kind::cosine: products(row, column, tile); break;
    case Score::Kind::power_distance: {
      if (record_.distances) {
        for (std::int64_t a = 0; a < rows; ++a)
          for (std::int64_t b = 0; b < columns; ++b) tile(a, b) = power_of(given_distance(record_, row + a, column + b), score.power, false);
        break;
      }
      const bool squared = score.metric == Metric::euclidean;
      if (squared) squared_distances(row, column, tile);
      else if (score.metric == Metric::manhattan) manhattan_distances(row, column, tile);
      else {
        products(row, column, tile);
        tile = (1 - tile.array()).cwiseMax(0);
      }
      if (score.metric == Metric::cosine && record_.square())
        for (std::int64_t i = std::max(row, column); i < std::min(row + rows, column + columns); ++i)
          tile(i - row, i - column) = 0;
      if (squared && score.power == 2) tile = -tile;
      else tile = tile.unaryExpr([&](double value) { return power_of(value, score.power, squared); });
      break;
    }
  }
}

void TileScores::scores(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  tile.resize(rows, columns);
  if (record_.computed) tile = record_.computed->block(row, column, rows, columns);
  else compute(row, column, tile);
  if (record_.leave_diagonal_out) leave_own_out(row, column, -std::numeric_limits<double>::infinity(), tile);
}

void TileScores::logs(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns, Matrix& tile) const {
  require(!record_.rows_deferred, Fault::internal, "[score] expected settled row sums, found deferred ones");
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
    kernels::exponentials(tile.data(), tile.size());
    return;
  }
  scores(row, rows, column, columns, tile);
  const Strengthen& strengthen = record_.strengthen;
  if (strengthen.kind == Strengthen::Kind::power)
    tile = (strengthen.gain * tile.array() + strengthen.offset).pow(strengthen.exponent).matrix().eval();
  if (record_.leave_diagonal_out) leave_own_out(row, column, 0, tile);
  if (record_.log_row.size()) tile.array().colwise() *= record_.log_row.segment(row, rows).array().exp();
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
