#include "calor/engine/laplacian.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"

namespace calor::engine {

namespace {

bool adds_up(const Similarity& record) {
  return !record.normalised.empty() &&
         (record.normalised.back() == Normaliser::Kind::row || record.normalised.back() == Normaliser::Kind::column);
}

void check_weights(const Similarity& record, const char* op) {
  double least = 0;
  if (record.support)
    for (const double value : record.support->values) least = std::min(least, value);
  else if (record.dense && record.dense->size()) least = record.dense->minCoeff();
  require(least >= 0, Fault::input, "[{}] expected weights of at least 0, found {}: put exp before it", op, least);
}

}  // namespace

Laplacian::Laplacian(const Similarity& similarity, const char* op, const Context& context)
    : record_(similarity), context_(context), stochastic_(adds_up(similarity)) {
  const auto n = static_cast<std::uint64_t>(record_.rows);
  if (!record_.all_pairs() || 8 * n * n <= context.memory.bytes() / 4) {
    record_ = store_scores(record_, context);
    check_weights(record_, op);
  }
  context_.progress = nullptr;  // the steps are the progress, not the passes of each
  const Vector sums = log_row_sums(record_, context_);
  degrees_ = sums.array().exp();
  for (std::int64_t i = 0; i < record_.rows; ++i)
    if (!std::isfinite(sums[i])) degrees_[i] = 0;
  if (stochastic_) degrees_ = (degrees_.array() > 0).select(Vector::Ones(record_.rows), degrees_);
  else rate_ = record_.rows ? degrees_.maxCoeff() : 1;
  if (rate_ == 0) rate_ = 1;
  if (!record_.symmetric) return;
  weights_ = Vector::Ones(record_.rows);
  for (std::int64_t i = 0; i < record_.rows; ++i) weights_[i] = std::exp(record_.column_factor(i) - record_.row_factor(i));
}

Matrix Laplacian::walk(const Matrix& h) const {
  // h - (D h - W h) / rate
  Matrix result = apply(record_, h, context_) / rate_;
  result.array() += h.array().colwise() * (1 - degrees_.array() / rate_);
  return result;
}

}  // namespace calor::engine
