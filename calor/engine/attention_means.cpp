#include "calor/engine/attention_means.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/engine/passes.h"

namespace calor::engine {

// The key of row 0 where row i leaves out key own + i, or -1 where none is left out; nothing where what is left out is no such band.
static std::optional<std::int64_t> own_key(const Similarity& similarity) {
  if (!similarity.leave_diagonal_out) return -1;
  const std::vector<std::int64_t>*rows = similarity.row_rows.get(), *columns = similarity.column_rows.get();
  if (rows == columns || (rows && columns && *rows == *columns)) return 0;
  return std::nullopt;
}

std::optional<kernels::AttentionParams<double>> as_attention(const Similarity& similarity, std::int64_t width) {
  const Score& score = similarity.score;
  const bool dot = score.kind == Score::Kind::dot;
  const bool square = score.kind == Score::Kind::power_distance && score.metric == Metric::euclidean && score.power == 2;
  const auto fits = [](std::int64_t size) { return size >= 1 && size <= kernels::max_dim; };
  if (!similarity.all_pairs() || !similarity.exponential() || similarity.computed || similarity.distances || !similarity.row_points ||
      !(dot || square) || similarity.strengthen.scale.size() != 1 || !fits(similarity.row_points->cols()) || !fits(width))
    return std::nullopt;
  const std::optional<std::int64_t> own = own_key(similarity);
  if (!own) return std::nullopt;
  kernels::AttentionParams<double> p;
  p.score = dot ? kernels::Score::dot : kernels::Score::squared_distance;
  p.batch = p.heads = 1;
  p.queries = similarity.rows;
  p.keys = similarity.columns;
  p.dim = similarity.row_points->cols();
  p.value_dim = width;
  p.q = similarity.row_points->data();
  p.k = similarity.column_points->data();
  p.q_strides.row = p.k_strides.row = p.dim;
  p.v_strides.row = width;
  p.bias = similarity.log_column.size() ? similarity.log_column.data() : nullptr;
  p.own_key = *own;
  return p;
}

// Pieces of rows, for progress and interruption; the result does not depend on how many.
template <class Piece>
static void in_pieces(const kernels::AttentionParams<double>& p, const Context& context, Piece compute) {
  constexpr double pairs_per_piece = 2e8;
  const auto piece = static_cast<std::int64_t>(std::clamp(pairs_per_piece / static_cast<double>(std::max<std::int64_t>(p.keys, 1)), 512.0, 1e9));
  for (std::int64_t first = 0; first < p.queries; first += piece) {
    context.check_stop("flow");
    const std::int64_t number = std::min(piece, p.queries - first);
    compute(first, number);
    context.advance(static_cast<double>(first + number), static_cast<double>(p.queries), "flow");
  }
}

// Rows first .. first + number of the problem.
template <class T>
static kernels::AttentionParams<T> rows_of(kernels::AttentionParams<T> p, std::int64_t first, std::int64_t number) {
  p.queries = number;
  p.q += first * p.dim;
  if (p.own_key >= 0) p.own_key += first;
  return p;
}

Matrix attention_means(kernels::AttentionParams<double> p, const Similarity& similarity, const Matrix& values, const Context& context) {
  const double scale = 1 / similarity.strengthen.scale[0];
  p.v = values.data();
  p.scale = &scale;
  p.threads = context.threads;
  Matrix result(p.queries, p.value_dim);
  Vector lse(p.queries);
  in_pieces(p, context, [&](std::int64_t first, std::int64_t number) {
    kernels::attention_forward<double>(rows_of(p, first, number), {result.data() + first * p.value_dim, {0, 0, p.value_dim}, lse.data() + first});
  });
  return result;
}

using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::optional<FloatMeans> attention_means_in_float(kernels::AttentionParams<double> p, const Similarity& similarity, const Matrix& values, const Context& context) {
  const bool square = p.score == kernels::Score::squared_distance;
  const Matrix &rows = *similarity.row_points, &columns = *similarity.column_points;
  const Eigen::RowVectorXd centre = square ? Eigen::RowVectorXd(columns.colwise().mean()) : Eigen::RowVectorXd::Zero(columns.cols());
  const double largest_key = std::sqrt((columns.rowwise() - centre).rowwise().squaredNorm().maxCoeff());
  if (!std::isfinite(largest_key)) return std::nullopt;
  const double unit = largest_key > 0 ? std::exp2(std::ceil(std::log2(largest_key))) : 1;  // a power of two: nothing is rounded
  const double exact_scale = unit / similarity.strengthen.scale[0] * unit;
  constexpr double range = 1e30;
  if (!(exact_scale > 1 / range && exact_scale < range)) return std::nullopt;
  const Floats q = ((rows.rowwise() - centre) / unit).cast<float>(), k = ((columns.rowwise() - centre) / unit).cast<float>(), v = values.cast<float>();
  const Eigen::VectorXf bias = similarity.log_column.cast<float>();
  const float scale = static_cast<float>(exact_scale);
  kernels::AttentionParams<float> f;
  f.score = p.score;
  f.batch = f.heads = 1;
  f.queries = p.queries;
  f.keys = p.keys;
  f.dim = p.dim;
  f.value_dim = p.value_dim;
  f.q = q.data();
  f.k = k.data();
  f.v = v.data();
  f.q_strides.row = f.k_strides.row = f.dim;
  f.v_strides.row = f.value_dim;
  f.scale = &scale;
  f.bias = bias.size() ? bias.data() : nullptr;
  f.own_key = p.own_key;
  f.threads = context.threads;
  Floats out(p.queries, p.value_dim);
  Eigen::VectorXf lse(p.queries);
  in_pieces(p, context, [&](std::int64_t first, std::int64_t number) {
    kernels::attention_forward<float>(rows_of(f, first, number), {out.data() + first * f.value_dim, {0, 0, f.value_dim}, lse.data() + first});
  });

  constexpr double u = 1.0 / (1 << 24);
  const double keys = static_cast<double>(p.keys);
  FloatMeans found{out.cast<double>(), Vector(p.queries), keys * 0x1p-100};
  const double key = k.cast<double>().rowwise().norm().maxCoeff();
  const double largest_bias = bias.size() ? similarity.log_column.array().isFinite().select(similarity.log_column.array().abs(), 0).maxCoeff() : 0;
  for (std::int64_t i = 0; i < p.queries; ++i) {
    const double query = q.row(i).cast<double>().norm();
    const double score = 2 * static_cast<double>(p.dim + 8) * u * (query + key) * key * exact_scale + 3 * u * largest_bias;
    const double weights = std::expm1(2 * score) + (64 + keys) * u;
    found.error[i] = weights < 1 ? 2 * weights / (1 - weights) : std::numeric_limits<double>::infinity();  // of a sum, over another
  }
  return found;
}

// Whether its largest number is the largest for sure.
static bool is_decided(const Eigen::Ref<const Eigen::RowVectorXd>& row, double error, double least) {
  if (!(error < 1) || !row.allFinite()) return false;
  double largest = 0, second = 0;
  for (const double value : row) {
    second = std::max(second, std::min(value, largest));
    largest = std::max(largest, value);
  }
  return largest >= least && largest * (1 - error) > second * (1 + error);
}

Matrix class_means(const Similarity& similarity, const Matrix& classes, const Context& context, std::int64_t& again) {
  constexpr std::int64_t few_keys = 5000;
  again = -1;
  const auto problem = similarity.columns > few_keys && similarity.rows_deferred ? as_attention(similarity, classes.cols()) : std::nullopt;
  if (!problem) return flow(similarity, classes, context);
  std::optional<FloatMeans> found = attention_means_in_float(*problem, similarity, classes, context);
  if (!found) return flow(similarity, classes, context);
  std::vector<std::int64_t> open;
  for (std::int64_t i = 0; i < problem->queries; ++i)
    if (!is_decided(found->means.row(i), found->error[i], found->least)) open.push_back(i);
  again = std::ssize(open);
  if (3 * again > problem->queries) {
    again = problem->queries;
    return flow(similarity, classes, context);
  }
  for (const std::int64_t i : open) {
    context.check_stop("flow");
    found->means.row(i) = attention_means(rows_of(*problem, i, 1), similarity, classes, context);
  }
  return std::move(found->means);
}

}  // namespace calor::engine
