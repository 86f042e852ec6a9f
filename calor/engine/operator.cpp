#include "calor/engine/operator.h"

#include <algorithm>

#include "calor/engine/passes.h"

namespace calor::engine {

// The record with all that makes up a value, factors too, as numbers of its support.
static Similarity with_values(const Similarity& record, const Context& context) {
  if (record.support) return stored_similarity(values_on_support(record, context));
  return stored_similarity(stored_values(record, "flow", context));
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
  if (source_.softmax()) sums_ = engine::apply(ready_, Matrix::Ones(source_.columns, 1), quiet).col(0);
}

Matrix Operator::apply(const Matrix& h, const Context& context) const { return engine::apply(ready_, h, context); }

Matrix Operator::apply_transposed(const Matrix& h, const Context& context) const {
  if (!stored_) return engine::apply_transposed(ready_, h, context);
  return engine::apply(transposed(), h, context);
}

Matrix Operator::flow(const Matrix& h, const Context& context) const {
  if (!stored_) return engine::flow(ready_, h, context);
  Matrix result = engine::apply(ready_, h, context);
  divide_rows(result, sums_);
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
