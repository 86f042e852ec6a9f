#include "calor/engine/laplacian.h"

#include <cmath>

#include "calor/core/error.h"

namespace calor::engine {

namespace {

bool adds_up(const Similarity& record) {
  return !record.normalised.empty() &&
         (record.normalised.back() == Normaliser::Kind::row || record.normalised.back() == Normaliser::Kind::column);
}

}  // namespace

Laplacian::Laplacian(const Similarity& similarity, const char* op, const Context& context)
    : context_(context), similarity_(similarity, context), stochastic_(adds_up(similarity)) {
  const double least = similarity_.least_value();
  require(least >= 0, Fault::input, "[{}] expected weights of at least 0, found {}: put exp before it", op, least);
  context_.progress = nullptr;  // the steps are the progress, not the passes of each
  const std::int64_t n = similarity.rows;
  degrees_ = similarity_.apply(Matrix::Ones(n, 1), context_).col(0);
  require(n == 0 || degrees_.minCoeff() >= 0, Fault::input, "[{}] expected weights of at least 0, found a row that sums to {:.6g}: put exp before it", op,
          degrees_.minCoeff());
  if (stochastic_) degrees_ = (degrees_.array() > 0).select(Vector::Ones(n), degrees_);
  else rate_ = n ? degrees_.maxCoeff() : 1;
  if (rate_ == 0) rate_ = 1;
  if (!similarity.symmetric) return;
  weights_ = Vector::Ones(n);
  for (std::int64_t i = 0; i < n; ++i) weights_[i] = std::exp(similarity.column_factor(i) - similarity.row_factor(i));
}

Matrix Laplacian::walk(const Matrix& h) const {
  // h - (D h - W h) / rate
  Matrix result = similarity_.apply(h, context_) / rate_;
  result.array() += h.array().colwise() * (1 - degrees_.array() / rate_);
  return result;
}

}  // namespace calor::engine
