#include "calor/inspect/rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/threads.h"

namespace calor::inspect {

namespace {

constexpr std::int64_t most_pieces = 32;

kernels::PackedDoubles packed(const Matrix& points, const double* centre, const Context& context) {
  return {kernels::PointsView{points.data(), points.rows(), points.cols(), nullptr}, centre, context};
}

}  // namespace

AttentionRows::AttentionRows(const Head& head, const Features& features, bool masked, const Context& context)
    : head_(head), features_(features), causal_(head.causal && masked), context_(context), count_(features.query.rows()),
      pieces_(std::min(most_pieces, (count_ + block_rows - 1) / block_rows)), key_bias_(Vector::Zero(count_)) {
  context_.progress = nullptr;
  if (features.log_column.size()) key_bias_ = features.log_column;
  if (head.pairing == Pairing::additive) return;
  // A common centre changes no distance and costs no digits; a dot product is taken as it is.
  const Vector centre = features.key.colwise().mean();
  const double* subtract = head.pairing == Pairing::squared_distance ? centre.data() : nullptr;
  query_ = packed(features.query, subtract, context_);
  key_ = packed(features.key, subtract, context_);
  if (subtract) {
    for (std::int64_t j = 0; j < count_; ++j) key_bias_[j] -= head.scale * key_.square(j);
  }
}

void AttentionRows::fill(std::int64_t first, std::int64_t count, RowBlock& block) const {
  block.first = first;
  block.scores.resize(count, count_);
  block.weights.resize(count, count_);
  if (head_.pairing == Pairing::additive) {
    for (std::int64_t a = 0; a < count; ++a) {
      for (std::int64_t j = 0; j < count_; ++j) {
        const double sum = features_.query(first + a, 0) + features_.key(j, 0);
        block.scores(a, j) = head_.scale * (sum > 0 ? sum : Head::leak * sum) + key_bias_[j];
      }
    }
  } else {
    products(query_, first, count, key_, 0, count_, block.scores.data(), count_);
  }
  // Row by row, each of which stays in the second-level cache.
  for (std::int64_t a = 0; a < count; ++a) {
    const std::int64_t visible = causal_ ? first + a + 1 : count_;
    if (head_.bilinear()) block.scores.row(a) = head_.product_factor() * block.scores.row(a) + key_bias_.transpose();
    block.scores.row(a).tail(count_ - visible).setConstant(-std::numeric_limits<double>::infinity());
    block.weights.row(a).tail(count_ - visible).setZero();
    auto weights = block.weights.row(a).head(visible);
    weights = block.scores.row(a).head(visible).array() - block.scores.row(a).head(visible).maxCoeff();
    kernels::exponentials(weights.data(), visible);
    weights /= weights.sum();
  }
}

void AttentionRows::each(const std::function<void(std::int64_t, const RowBlock&)>& visit) const {
  const std::int64_t blocks = (count_ + block_rows - 1) / block_rows;
  parallel_for(pieces_, context_.threads, [&](std::int64_t piece) {
    RowBlock block;
    for (std::int64_t b = piece * blocks / pieces_; b < (piece + 1) * blocks / pieces_; ++b) {
      context_.check_stop("inspect");
      const std::int64_t first = b * block_rows;
      fill(first, std::min(block_rows, count_ - first), block);
      visit(piece, block);
    }
  });
}

Matrix AttentionRows::apply(const Matrix& values) const {
  Matrix means(count_, values.cols());
  each([&](std::int64_t, const RowBlock& block) {
    means.middleRows(block.first, block.weights.rows()).noalias() = block.weights * values;
  });
  return means;
}

}  // namespace calor::inspect
