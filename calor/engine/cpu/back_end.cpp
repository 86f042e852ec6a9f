#include "calor/engine/back_end.h"

#include <optional>
#include <utility>

#include "calor/engine/attention_means.h"
#include "calor/engine/reducers.h"
#include "calor/kernels/edges.h"

namespace calor::engine {

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

static bool one_pass(const Similarity& similarity) { return as_attention(similarity, 1) || as_edge_attention(similarity); }

static Vector log_row_sums_here(const Similarity& similarity, const Context& context) {
  if (similarity.exponential()) {
    RowLogSumExp sums(similarity.rows);
    return reduce(similarity, sums, context, "row sums").result;
  }
  RowLogSum sums(similarity.rows);
  return reduce(similarity, sums, context, "row sums").result;
}

static Matrix weighted_sums(const Similarity& similarity, const Matrix& h, const Context& context) {
  WeightedSum sums(similarity.rows, h);
  return std::move(reduce(similarity, sums, context, "flow").result);
}

static Matrix softmax_means(const Similarity& similarity, const Matrix& h, const Context& context) {
  if (const auto attention = as_attention(similarity, h.cols())) return attention_means(*attention, similarity, h, context);
  if (const auto edges = as_edge_attention(similarity); edges && h.cols() > 0) return edge_means(*edges, similarity, h, context);
  Similarity record = similarity;
  record.rows_deferred = false;
  SoftmaxMean means(record.rows, h);
  return std::move(reduce(record, means, context, "flow").result);
}

static std::vector<std::int64_t> best_columns_here(const Similarity& similarity, const Context& context) {
  ArgBest best(similarity.rows);
  return std::move(reduce(similarity, best, context, "best").result);
}

static Matrix values_here(const Similarity& similarity, const Context& context) {
  StoreDense values(similarity.rows, similarity.columns);
  return std::move(reduce(similarity, values, context, "values").result);
}

static Csr edge_values_here(const Similarity& similarity, const Context& context) {
  StoreEdges<Reads::values> values(*similarity.support);
  return std::move(reduce_edges(similarity, values, context, "values").result);
}

const BackEnd& cpu_back_end() {
  static const BackEnd table{"cpu", one_pass, log_row_sums_here, weighted_sums, softmax_means, best_columns_here, values_here, edge_values_here};
  return table;
}

}  // namespace calor::engine
