#include "calor/engine/operator.h"

#include <algorithm>
#include <cmath>

#include "calor/engine/passes.h"

namespace calor::engine {

static bool equal(const Vector& a, const Vector& b) { return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin()); }

// The record with all that makes up a value, factors too, as numbers of its support.
static Similarity with_values(const Similarity& record, const Context& context) {
  if (record.support) return stored_similarity(values_on_support(record, context));
  return stored_similarity(std::make_shared<const Matrix>(materialise(record, "flow", context)));
}

static bool row_last(const Similarity& record) {
  return record.strengthen.kind == Strengthen::Kind::exponential && !record.normalised.empty() && record.normalised.back() == Normaliser::Kind::row;
}

Operator::Operator(const Similarity& similarity, const Context& context)
    : source_(similarity),
      stored_(similarity.support || stores(static_cast<double>(similarity.rows) * static_cast<double>(similarity.columns), static_cast<double>(context.memory.bytes()))) {
  if (!stored_) {
    ready_ = source_;
    return;
  }
  Context quiet = context;
  quiet.progress = nullptr;
  Similarity settled = source_;
  settle(settled, quiet);
  ready_ = with_values(settled, quiet);
  if (row_last(source_)) sums_ = engine::apply(ready_, Matrix::Ones(source_.columns, 1), quiet).col(0);
}

bool Operator::is_of(const Similarity& other) const {
  const Similarity& own = source_;
  const Strengthen &a = own.strengthen, &b = other.strengthen;
  return own.rows == other.rows && own.columns == other.columns && own.row_points == other.row_points && own.column_points == other.column_points &&
         own.row_sparse == other.row_sparse && own.column_sparse == other.column_sparse && own.distances == other.distances &&
         own.distances_turned == other.distances_turned && own.support == other.support && own.dense == other.dense &&
         own.score.kind == other.score.kind && own.score.power == other.score.power && own.score.metric == other.score.metric && a.kind == b.kind &&
         equal(a.scale, b.scale) && a.by_column == b.by_column && a.exponent == b.exponent && a.gain == b.gain && a.offset == b.offset &&
         equal(own.log_row, other.log_row) && equal(own.log_column, other.log_column) && own.leave_diagonal_out == other.leave_diagonal_out &&
         own.normalised == other.normalised && own.rows_deferred == other.rows_deferred && own.row_rows == other.row_rows &&
         own.column_rows == other.column_rows;
}

Matrix Operator::apply(const Matrix& h, const Context& context) const { return engine::apply(ready_, h, context); }

Matrix Operator::apply_transposed(const Matrix& h, const Context& context) const {
  if (!stored_) return engine::apply_transposed(ready_, h, context);
  return engine::apply(transposed(), h, context);
}

Matrix Operator::flow(const Matrix& h, const Context& context) const {
  if (!stored_) return engine::flow(ready_, h, context);
  Matrix result = engine::apply(ready_, h, context);
  for (Eigen::Index i = 0; i < sums_.size(); ++i)
    if (sums_[i] > 0 && std::isfinite(sums_[i])) result.row(i) /= sums_[i];
  return result;
}

double Operator::least_value() const {
  double least = 0;
  if (stored_ && ready_.support)
    for (const double value : ready_.support->values) least = std::min(least, value);
  else if (stored_ && ready_.dense->size()) least = std::min(0.0, ready_.dense->minCoeff());
  return least;
}

const Similarity& Operator::transposed() const {
  std::call_once(turned_once_, [&] { turned_ = transpose(ready_); });
  return turned_;
}

}  // namespace calor::engine
