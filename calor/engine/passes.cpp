#include "calor/engine/passes.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "calor/core/error.h"
#include "calor/engine/attention_means.h"
#include "calor/engine/reducers.h"
#include "calor/kernels/attention.h"
#include "calor/kernels/edges.h"

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
  if (similarity.exponential()) {
    RowLogSumExp sums(similarity.rows);
    return reduce(similarity, sums, context, "row sums").result;
  }
  RowLogSum sums(similarity.rows);
  return reduce(similarity, sums, context, "row sums").result;
}

Vector log_column_sums(const Similarity& similarity, const Context& context) {
  if (similarity.rows_deferred) return log_column_sums(settled(similarity, context), context);
  return log_row_sums(transpose(similarity), context);
}

// The record as attention on edges, or nothing where that has no such score.
static std::optional<kernels::EdgeAttentionParams<double>> as_edge_attention(const Similarity& similarity) {
  const Score& score = similarity.score;
  const bool dot = score.kind == Score::Kind::dot;
  const bool square = score.kind == Score::Kind::power_distance && score.metric == Metric::euclidean && score.power == 2;
  if (!similarity.support || !similarity.exponential() || similarity.distances || !similarity.row_points || !(dot || square) || similarity.strengthen.scale.size() != 1 ||
      similarity.log_column.size() || similarity.row_points->cols() < 1)
    return std::nullopt;
  kernels::EdgeAttentionParams<double> p;
  p.pattern.rows = similarity.rows;
  p.pattern.columns = similarity.columns;
  p.pattern.begin = similarity.support->begin.data();
  p.pattern.column = similarity.support->column.data();
  p.score = dot ? kernels::EdgeScore::dot : kernels::EdgeScore::squared_distance;
  p.dim = p.q_stride = p.k_stride = similarity.row_points->cols();
  p.q = similarity.row_points->data();
  p.k = similarity.column_points->data();
  return p;
}

static Matrix edge_means(kernels::EdgeAttentionParams<double> p, const Similarity& similarity, const Matrix& values, const Context& context) {
  context.check_stop("flow");
  const double scale = 1 / similarity.strengthen.scale[0];
  p.scale = &scale;
  p.v = values.data();
  p.value_dim = p.v_stride = values.cols();
  p.threads = context.threads;
  Matrix result(similarity.rows, values.cols());
  Vector lse(similarity.rows);
  kernels::edge_attention_forward<double>(p, result.data(), lse.data());
  return result;
}

// Whether every row has a value: then none is found empty later.
static bool no_row_is_empty(const Similarity& similarity) {
  if (similarity.support)
    for (std::int64_t i = 0; i < similarity.rows; ++i)
      if (similarity.support->begin[i] == similarity.support->begin[i + 1]) return false;
  return similarity.columns > (similarity.leave_diagonal_out ? 1 : 0) && similarity.log_row.allFinite() && similarity.log_column.allFinite();
}

std::int64_t normalise_rows(Similarity& similarity, const Context& context) {
  similarity.rows_deferred = (as_attention(similarity, 1) || as_edge_attention(similarity)) && no_row_is_empty(similarity);
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
  WeightedSum sums(similarity.rows, values);
  return std::move(reduce(similarity, sums, context, "flow").result);
}

Matrix row_means(const Similarity& similarity, const Matrix& values, const Context& context) {
  require(values.rows() == similarity.columns && similarity.exponential(), Fault::internal,
          "[row_means] expected an exponential with {} columns, found {}", values.rows(), similarity.columns);
  if (const auto attention = as_attention(similarity, values.cols())) return attention_means(*attention, similarity, values, context);
  if (const auto edges = as_edge_attention(similarity); edges && values.cols() > 0) return edge_means(*edges, similarity, values, context);
  Similarity record = similarity;
  record.rows_deferred = false;
  SoftmaxMean means(record.rows, values);
  return std::move(reduce(record, means, context, "flow").result);
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
  ArgBest best(similarity.rows);
  return std::move(reduce(similarity, best, context, "best").result);
}

Reservation reserve_values(std::int64_t rows, std::int64_t columns, const char* op, const Context& context) {
  return context.memory.reserve(static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns) * 8, op, fmt::format("all {} x {} values", rows, columns),
                                "give fewer points, or raise --max-memory");
}

std::shared_ptr<Matrix> stored_values(const Similarity& similarity, const char* op, const Context& context) {
  if (similarity.rows_deferred) return stored_values(settled(similarity, context), op, context);
  Reservation reserved = reserve_values(similarity.rows, similarity.columns, op, context);
  StoreDense values(similarity.rows, similarity.columns);
  return share_reserved(std::move(reduce(similarity, values, context, "values").result), std::move(reserved));
}

Matrix materialise(const Similarity& similarity, const char* op, const Context& context) { return std::move(*stored_values(similarity, op, context)); }

Csr values_on_support(const Similarity& similarity, const Context& context) {
  if (similarity.rows_deferred) return values_on_support(settled(similarity, context), context);
  StoreEdges<Reads::values> values(*similarity.support);
  return std::move(reduce_edges(similarity, values, context, "values").result);
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
