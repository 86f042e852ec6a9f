#include "calor/engine/passes.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/back_end.h"
#include "calor/engine/reducers.h"

namespace calor::engine {

// Eigen cuts products by the sizes of the caches, which it would ask the processor for: the order of addition, and so the bits, would be others where
// the first one has 48 KiB than where it has 32.  It is told them, before anything runs.  Here, since whoever computes with the engine links this file.
[[maybe_unused]] static const bool same_blocks_everywhere = (Eigen::setCpuCacheSizes(32 << 10, 1 << 20, 32 << 20), true);

// The record with its row sums.
static Similarity settled(const Similarity& similarity, const Context& context) {
  Similarity record = similarity;
  settle(record, context);
  return record;
}

Vector log_row_sums(const Similarity& similarity, const Context& context) {
  if (similarity.rows_deferred) return log_row_sums(settled(similarity, context), context);
  return back_end().log_row_sums(similarity, context);
}

Vector log_column_sums(const Similarity& similarity, const Context& context) {
  if (similarity.rows_deferred) return log_column_sums(settled(similarity, context), context);
  return log_row_sums(transpose(similarity), context);
}

// Whether every row has a value: then none is found empty later.
static bool no_row_is_empty(const Similarity& similarity) {
  if (similarity.support)
    for (std::int64_t i = 0; i < similarity.rows; ++i)
      if (similarity.support->begin[i] == similarity.support->begin[i + 1]) return false;
  return similarity.columns > (similarity.leave_diagonal_out ? 1 : 0) && similarity.log_row.allFinite() && similarity.log_column.allFinite();
}

std::int64_t normalise_rows(Similarity& similarity, const Context& context) {
  similarity.rows_deferred = back_end().one_pass(similarity) && no_row_is_empty(similarity);
  similarity.normalised.push_back(Normaliser::Kind::row);
  if (similarity.rows_deferred) return 0;
  const Vector sums = log_row_sums(similarity, context);
  if (!similarity.log_row.size()) similarity.log_row = Vector::Zero(similarity.rows);
  std::int64_t empty = 0;
  for (std::int64_t i = 0; i < similarity.rows; ++i) {
    if (std::isfinite(sums[i])) similarity.log_row[i] -= sums[i];
    else ++empty;
  }
  return empty;
}

void settle(Similarity& similarity, const Context& context) {
  if (!similarity.rows_deferred) return;
  similarity.rows_deferred = false;
  keep_scores(similarity, context);
  const Vector sums = log_row_sums(similarity, context);
  if (!similarity.log_row.size()) similarity.log_row = -sums;
  else similarity.log_row -= sums;
}

Matrix apply(const Similarity& similarity, const Matrix& values, const Context& context) {
  require(values.rows() == similarity.columns, Fault::internal, "[apply] expected {} rows of values, found {}",
          similarity.columns, values.rows());
  if (similarity.rows_deferred) return row_means(similarity, values, context);
  return back_end().weighted_sums(similarity, values, context);
}

Matrix row_means(const Similarity& similarity, const Matrix& values, const Context& context) {
  require(values.rows() == similarity.columns && similarity.exponential(), Fault::internal,
          "[row_means] expected an exponential with {} columns, found {}", values.rows(), similarity.columns);
  return back_end().softmax_means(similarity, values, context);
}

Matrix apply_transposed(const Similarity& similarity, const Matrix& values, const Context& context) {
  if (similarity.rows_deferred) return apply_transposed(settled(similarity, context), values, context);
  return apply(transpose(similarity), values, context);
}

Matrix flow(const Similarity& similarity, const Matrix& values, const Context& context) {
  if (similarity.rows_deferred || !similarity.softmax()) return apply(similarity, values, context);
  Matrix with_ones(values.rows(), values.cols() + 1);
  with_ones << values, Vector::Ones(values.rows());
  const Matrix result = apply(similarity, with_ones, context);
  Matrix means = result.leftCols(values.cols());
  divide_rows(means, result.col(values.cols()));
  return means;
}

void divide_rows(Matrix& values, const Vector& sums) {
  for (Eigen::Index i = 0; i < sums.size(); ++i)
    if (sums[i] > 0 && std::isfinite(sums[i])) values.row(i) /= sums[i];
}

std::vector<std::int64_t> best_columns(const Similarity& similarity, const Context& context) {
  return back_end().best_columns(similarity, context);
}

Reservation reserve_values(std::int64_t rows, std::int64_t columns, const char* op, const Context& context) {
  return context.memory.reserve(static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns) * 8, op, fmt::format("all {} x {} values", rows, columns),
                                "give fewer points, or raise --max-memory");
}

std::shared_ptr<Matrix> stored_values(const Similarity& similarity, const char* op, const Context& context) {
  if (similarity.rows_deferred) return stored_values(settled(similarity, context), op, context);
  Reservation reserved = reserve_values(similarity.rows, similarity.columns, op, context);
  return share_reserved(back_end().values(similarity, context), std::move(reserved));
}

Matrix materialise(const Similarity& similarity, const char* op, const Context& context) { return std::move(*stored_values(similarity, op, context)); }

Csr values_on_support(const Similarity& similarity, const Context& context) {
  if (similarity.rows_deferred) return values_on_support(settled(similarity, context), context);
  return back_end().edge_values(similarity, context);
}

Csr scores_on_support(const Similarity& similarity, const Context& context) {
  StoreEdges<Reads::scores> scores(*similarity.support);
  return std::move(reduce_edges(similarity, scores, context, "scores").result);
}

Similarity store_scores(const Similarity& similarity, const Context& context) {
  Similarity bare = similarity;
  bare.log_row.resize(0);
  bare.log_column.resize(0);
  Similarity result = similarity;
  result.score.kind = Score::Kind::stored;
  result.computed = nullptr;
  result.strengthen = {};
  result.forget_points();
  if (similarity.support) {
    result.support = std::make_shared<const Csr>(values_on_support(bare, context));
  } else {
    result.dense = stored_values(bare, "values", context);
    result.leave_diagonal_out = false;
  }
  return result;
}

bool keeps_scores(double rows, double features, double memory) {
  return features >= few_dimensions && rows * rows * 8 <= memory / 4;
}

void keep_scores(Similarity& similarity, const Context& context) {
  const std::int64_t n = similarity.rows;
  if (!similarity.all_pairs() || similarity.computed || !similarity.row_points || similarity.row_points != similarity.column_points ||
      similarity.row_points->rows() != n || similarity.columns != n ||
      !keeps_scores(static_cast<double>(n), static_cast<double>(similarity.row_points->cols()), static_cast<double>(context.memory.bytes())))
    return;
  Similarity bare = similarity;
  bare.leave_diagonal_out = false;
  Reservation reserved = reserve_values(n, n, "scores", context);
  StoreSymmetricScores scores(n);
  similarity.computed = share_reserved(std::move(reduce_tiles(bare, scores, context, "scores").result), std::move(reserved));
}

}  // namespace calor::engine
