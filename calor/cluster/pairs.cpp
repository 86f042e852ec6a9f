#include "calor/cluster/pairs.h"

#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/engine/passes.h"

namespace calor::cluster {

using engine::Similarity;

void each_columns(const Part& part, const std::function<void(const Similarity&, std::int64_t)>& use) {
  const Similarity& record = part.state.similarity;
  if (record.support || record.dense) return use(record, 0);
  part.processes.each_block(part.own_columns, part.columns, [&](int owner, const Processes::Block& block) {
    part.context.check_stop("flow");
    if (record.rows == 0 || block->rows() == 0) return;
    Similarity piece = record;
    piece.column_points = block;
    piece.columns = block->rows();
    if (record.log_column.size()) piece.log_column = record.log_column.segment(part.columns.first(owner), piece.columns);
    use(piece, part.columns.first(owner));
  });
}

double add_logs(double a, double b) {
  const double greatest = std::max(a, b);
  return std::isfinite(greatest) ? greatest + std::log1p(std::exp(std::min(a, b) - greatest)) : greatest;
}

Vector log_row_sums(const Part& part) {
  Vector total = Vector::Constant(part.state.similarity.rows, -std::numeric_limits<double>::infinity());
  each_columns(part, [&](const Similarity& piece, std::int64_t) {
    const Vector sums = engine::log_row_sums(piece, part.context);
    for (Eigen::Index i = 0; i < sums.size(); ++i) total[i] = add_logs(total[i], sums[i]);
  });
  return total;
}

Matrix apply(const Part& part, const Matrix& values) {
  Matrix total = Matrix::Zero(part.state.similarity.rows, values.cols());
  each_columns(part, [&](const Similarity& piece, std::int64_t first) { total += engine::apply(piece, values.middleRows(first, piece.columns), part.context); });
  return total;
}

// What `record` says of every pair, own rows x all columns, from the blocks as they come.
static std::shared_ptr<const Matrix> all_scores(const Part& part) {
  const Similarity& record = part.state.similarity;
  Reservation reserved = engine::reserve_values(record.rows, record.columns, "scores", part.context);
  Matrix values(record.rows, record.columns);
  each_columns(part, [&](const Similarity& piece, std::int64_t first) {
    values.middleCols(first, piece.columns) = engine::materialise(piece, "scores", part.context);
  });
  return share_reserved(std::move(values), std::move(reserved));
}

void keep_scores(Part& part) {
  Similarity& record = part.state.similarity;
  if (record.support || record.dense) return;
  const double bytes = 8 * static_cast<double>(record.rows) * static_cast<double>(record.columns);
  if (!part.processes.all(bytes <= static_cast<double>(part.context.memory.bytes()) / 4)) return;
  const Similarity whole = record;
  record.strengthen = {};
  record.log_row.resize(0);
  record.log_column.resize(0);
  const auto scores = all_scores(part);
  record = whole;
  record.dense = scores;
  record.score.kind = engine::Score::Kind::stored;
  record.forget_points();
}

void keep_values(Part& part) {
  Similarity& record = part.state.similarity;
  if (!record.dense) return;
  record.dense = engine::stored_values(record, "values", part.context);
  record.strengthen = {};
  record.log_row.resize(0);
  record.log_column.resize(0);
}

}  // namespace calor::cluster
