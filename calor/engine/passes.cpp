#include "calor/engine/passes.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/values.h"
#include "calor/kernels/attention.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::engine {
namespace {

constexpr std::int64_t edge_rows = 512;
constexpr double nothing = -std::numeric_limits<double>::infinity();

std::int64_t pieces(std::int64_t rows, std::int64_t piece) { return (rows + piece - 1) / piece; }

// Runs block(first row, number of rows) over all rows with progress and interruption.
void over_rows(std::int64_t rows, std::int64_t piece, const Context& context, const char* what,
               const std::function<void(std::int64_t, std::int64_t)>& block) {
  const std::int64_t count = pieces(rows, piece);
  std::atomic<std::int64_t> done{0};
  parallel_for(count, context.threads, [&](std::int64_t p) {
    context.check_stop(what);
    block(p * piece, std::min(piece, rows - p * piece));
    context.advance(static_cast<double>(++done), static_cast<double>(count), what);
  });
}

bool exponential(const Similarity& similarity) { return similarity.strengthen.kind == Strengthen::Kind::exponential; }

double log_of_sum(double sum, std::int64_t row) {
  require(sum >= 0, Fault::input,
          "[normalise] expected sums that are not negative, found {:.6g} in row {}: strengthen the similarity first (exp), or "
          "drop negative weights",
          sum, row + 1);
  return sum > 0 ? std::log(sum) : nothing;
}

// Running log of a sum of exponentials.
struct LogSum {
  double greatest = nothing, sum = 0;
  // Puts the exponentials, relative to the greatest so far, in place of the logarithms.
  void add(Eigen::Ref<Vector> logs) {
    if (logs.size() == 0) return;
    const double peak = logs.maxCoeff();
    if (peak == nothing) {
      logs.setZero();
      return;
    }
    if (peak > greatest) {
      sum *= std::exp(greatest - peak);
      greatest = peak;
    }
    logs.array() -= greatest;
    kernels::exponentials(logs.data(), logs.size());
    sum += logs.sum();
  }
  double value() const { return sum > 0 ? greatest + std::log(sum) : nothing; }
};

Vector tiled_row_sums(const Similarity& similarity, const Context& context) {
  Vector result(similarity.rows);
  const TileScores tiles(similarity);
  over_rows(similarity.rows, tile_rows, context, "row sums", [&](std::int64_t first, std::int64_t count) {
    Matrix tile;
    std::vector<LogSum> logs(static_cast<std::size_t>(count));
    Vector sums = Vector::Zero(count);
    for (std::int64_t c = 0; c < similarity.columns; c += tile_columns) {
      const std::int64_t width = std::min(tile_columns, similarity.columns - c);
      if (exponential(similarity)) {
        tiles.logs(first, count, c, width, tile);
        for (std::int64_t a = 0; a < count; ++a) logs[a].add(tile.row(a).transpose());
      } else {
        tiles.values(first, count, c, width, tile);
        sums += tile.rowwise().sum();
      }
    }
    for (std::int64_t a = 0; a < count; ++a)
      result[first + a] = exponential(similarity) ? logs[a].value() : log_of_sum(sums[a], first + a);
  });
  return result;
}

Vector edge_row_sums(const Similarity& similarity, const Context& context) {
  Vector result(similarity.rows);
  const Csr& support = *similarity.support;
  over_rows(similarity.rows, edge_rows, context, "row sums", [&](std::int64_t first, std::int64_t count) {
    Vector row;
    for (std::int64_t i = first; i < first + count; ++i) {
      row.resize(support.begin[i + 1] - support.begin[i]);
      if (exponential(similarity)) {
        edge_logs(similarity, i, row.data());
        LogSum sum;
        sum.add(row);
        result[i] = sum.value();
      } else {
        edge_values(similarity, i, row.data());
        result[i] = log_of_sum(row.sum(), i);
      }
    }
  });
  return result;
}

}  // namespace

// The record with its row sums.
static Similarity settled(const Similarity& similarity, const Context& context) {
  Similarity record = similarity;
  settle(record, context);
  return record;
}

Vector log_row_sums(const Similarity& similarity, const Context& context) {
  if (similarity.rows_deferred) return log_row_sums(settled(similarity, context), context);
  return similarity.all_pairs() ? tiled_row_sums(similarity, context) : edge_row_sums(similarity, context);
}

Vector log_column_sums(const Similarity& similarity, const Context& context) {
  if (similarity.rows_deferred) return log_column_sums(settled(similarity, context), context);
  return log_row_sums(transpose(similarity), context);
}

// The key of row 0 where row i leaves out key own + i, or -1 where none is left out; nothing where what is left out is no such band.
static std::optional<std::int64_t> own_key(const Similarity& similarity) {
  if (!similarity.leave_diagonal_out) return -1;
  const std::vector<std::int64_t>*rows = similarity.row_rows.get(), *columns = similarity.column_rows.get();
  if (rows == columns || (rows && columns && *rows == *columns)) return 0;
  return std::nullopt;
}

// The record as an attention problem of one head, or nothing where that has no such score.
static std::optional<kernels::AttentionParams<double>> as_attention(const Similarity& similarity, std::int64_t width) {
  const Score& score = similarity.score;
  const bool dot = score.kind == Score::Kind::dot;
  const bool square = score.kind == Score::Kind::power_distance && score.metric == Metric::euclidean && score.power == 2;
  const auto fits = [](std::int64_t size) { return size >= 1 && size <= kernels::max_dim; };
  if (!similarity.all_pairs() || !exponential(similarity) || similarity.computed || similarity.distances || !similarity.row_points ||
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

static Matrix attention_means(kernels::AttentionParams<double> p, const Similarity& similarity, const Matrix& values, const Context& context) {
  // Pieces of rows, for progress and interruption; the result does not depend on how many.
  constexpr double pairs_per_piece = 2e8;
  const auto piece = static_cast<std::int64_t>(std::clamp(pairs_per_piece / static_cast<double>(std::max<std::int64_t>(p.keys, 1)), 512.0, 1e9));
  const double scale = 1 / similarity.strengthen.scale[0];
  p.v = values.data();
  p.scale = &scale;
  p.threads = context.threads;
  Matrix result(p.queries, p.value_dim);
  Vector lse(p.queries);
  const std::int64_t rows = p.queries, own = p.own_key;
  const double* queries = p.q;
  for (std::int64_t first = 0; first < rows; first += piece) {
    context.check_stop("flow");
    p.queries = std::min(piece, rows - first);
    p.q = queries + first * p.dim;
    p.own_key = own < 0 ? own : own + first;
    kernels::attention_forward<double>(p, {result.data() + first * p.value_dim, {0, 0, p.value_dim}, lse.data() + first});
    context.advance(static_cast<double>(first + p.queries), static_cast<double>(rows), "flow");
  }
  return result;
}

// Whether every row has a value: then none is found empty later.
static bool no_row_is_empty(const Similarity& similarity) {
  return similarity.columns > (similarity.leave_diagonal_out ? 1 : 0) && similarity.log_row.allFinite() && similarity.log_column.allFinite();
}

std::int64_t normalise_rows(Similarity& similarity, const Context& context) {
  similarity.rows_deferred = as_attention(similarity, 1).has_value() && no_row_is_empty(similarity);
  similarity.normalised.push_back(Normalisation::row);
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
  Matrix result = Matrix::Zero(similarity.rows, values.cols());
  if (similarity.all_pairs()) {
    const TileScores tiles(similarity);
    over_rows(similarity.rows, tile_rows, context, "flow", [&](std::int64_t first, std::int64_t count) {
      Matrix tile;
      for (std::int64_t c = 0; c < similarity.columns; c += tile_columns) {
        const std::int64_t width = std::min(tile_columns, similarity.columns - c);
        tiles.values(first, count, c, width, tile);
        result.middleRows(first, count).noalias() += tile * values.middleRows(c, width);
      }
    });
    return result;
  }
  const Csr& support = *similarity.support;
  over_rows(similarity.rows, edge_rows, context, "flow", [&](std::int64_t first, std::int64_t count) {
    std::vector<double> row;
    for (std::int64_t i = first; i < first + count; ++i) {
      const std::int64_t begin = support.begin[i], end = support.begin[i + 1];
      row.resize(static_cast<std::size_t>(end - begin));
      edge_values(similarity, i, row.data());
      for (std::int64_t e = begin; e < end; ++e) result.row(i) += row[e - begin] * values.row(support.column[e]);
    }
  });
  return result;
}

Matrix row_means(const Similarity& similarity, const Matrix& values, const Context& context) {
  require(values.rows() == similarity.columns && similarity.all_pairs() && exponential(similarity), Fault::internal,
          "[row_means] expected an exponential over all pairs with {} columns, found {}", values.rows(), similarity.columns);
  if (const auto attention = as_attention(similarity, values.cols())) return attention_means(*attention, similarity, values, context);
  Matrix result = Matrix::Zero(similarity.rows, values.cols());
  Similarity record = similarity;
  record.rows_deferred = false;
  const TileScores tiles(record);
  over_rows(similarity.rows, tile_rows, context, "flow", [&](std::int64_t first, std::int64_t count) {
    Matrix tile;
    std::vector<LogSum> sums(static_cast<std::size_t>(count));
    auto means = result.middleRows(first, count);
    for (std::int64_t c = 0; c < similarity.columns; c += tile_columns) {
      const std::int64_t width = std::min(tile_columns, similarity.columns - c);
      tiles.logs(first, count, c, width, tile);
      for (std::int64_t a = 0; a < count; ++a) {
        const double before = sums[a].greatest;
        sums[a].add(tile.row(a).transpose());
        if (sums[a].greatest > before) means.row(a) *= std::exp(before - sums[a].greatest);
      }
      means.noalias() += tile * values.middleRows(c, width);
    }
    for (std::int64_t a = 0; a < count; ++a)
      if (sums[a].sum > 0) means.row(a) /= sums[a].sum;
  });
  return result;
}

Matrix apply_transposed(const Similarity& similarity, const Matrix& values, const Context& context) {
  if (similarity.rows_deferred) return apply_transposed(settled(similarity, context), values, context);
  return apply(transpose(similarity), values, context);
}

Matrix flow(const Similarity& similarity, const Matrix& values, const Context& context) {
  const bool rows_last = !similarity.normalised.empty() && similarity.normalised.back() == Normalisation::row;
  if (similarity.rows_deferred || !rows_last || !exponential(similarity)) return apply(similarity, values, context);
  Matrix with_ones(values.rows(), values.cols() + 1);
  with_ones << values, Vector::Ones(values.rows());
  const Matrix result = apply(similarity, with_ones, context);
  Matrix means = result.leftCols(values.cols());
  const auto sums = result.col(values.cols());
  for (Eigen::Index i = 0; i < means.rows(); ++i)
    if (sums[i] > 0 && std::isfinite(sums[i])) means.row(i) /= sums[i];
  return means;
}

std::vector<std::int64_t> best_columns(const Similarity& similarity, const Context& context) {
  std::vector<std::int64_t> best(static_cast<std::size_t>(similarity.rows), -1);
  if (!similarity.all_pairs()) {
    const Csr& support = *similarity.support;
    for (std::int64_t i = 0; i < similarity.rows; ++i) {
      double greatest = nothing;
      for (std::int64_t e = support.begin[i]; e < support.begin[i + 1]; ++e)
        if (const double score = edge_score(similarity, i, e); best[i] < 0 || score > greatest) {
          best[i] = support.column[e];
          greatest = score;
        }
    }
    return best;
  }
  std::vector<double> greatest(static_cast<std::size_t>(similarity.rows), nothing);
  for_each_score_tile(similarity, context, "best", [&](std::int64_t row, std::int64_t column, const Matrix& tile) {
    for (Eigen::Index a = 0; a < tile.rows(); ++a) {
      Eigen::Index at = 0;
      const double peak = tile.row(a).maxCoeff(&at);
      if (best[row + a] < 0 || peak > greatest[row + a]) {
        best[row + a] = column + at;
        greatest[row + a] = peak;
      }
    }
  });
  return best;
}

Matrix materialise(const Similarity& similarity, const char* op, const Context& context) {
  if (similarity.rows_deferred) return materialise(settled(similarity, context), op, context);
  context.memory.require(static_cast<std::uint64_t>(similarity.rows) * static_cast<std::uint64_t>(similarity.columns) * 8, op,
                         fmt::format("all {} x {} values", similarity.rows, similarity.columns),
                         "give fewer points, or raise --max-memory");
  Matrix result = Matrix::Zero(similarity.rows, similarity.columns);
  if (similarity.all_pairs()) {
    const TileScores tiles(similarity);
    over_rows(similarity.rows, tile_rows, context, "values", [&](std::int64_t first, std::int64_t count) {
      Matrix tile;
      tiles.values(first, count, 0, similarity.columns, tile);
      result.middleRows(first, count) = tile;
    });
    return result;
  }
  std::vector<double> row;
  for (std::int64_t i = 0; i < similarity.rows; ++i) {
    const std::int64_t begin = similarity.support->begin[i], end = similarity.support->begin[i + 1];
    row.resize(static_cast<std::size_t>(end - begin));
    edge_values(similarity, i, row.data());
    for (std::int64_t e = begin; e < end; ++e) result(i, similarity.support->column[e]) = row[e - begin];
  }
  return result;
}

bool keeps_scores(double rows, double features, double memory) {
  constexpr double few_dimensions = 16;
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
  auto scores = std::make_shared<Matrix>(n, n);
  const TileScores tiles(bare);
  over_rows(n, tile_rows, context, "scores", [&](std::int64_t first, std::int64_t count) {
    Matrix tile;
    for (std::int64_t c = 0; c < first + count; c += tile_columns) {
      const std::int64_t width = std::min(tile_columns, first + count - c);
      tiles.scores(first, count, c, width, tile);
      scores->block(first, c, count, width) = tile;
      if (const std::int64_t left = std::min(width, first - c); left > 0) scores->block(c, first, left, count) = tile.leftCols(left).transpose();
    }
  });
  similarity.computed = std::move(scores);
}

void for_each_score_tile(const Similarity& similarity, const Context& context, const char* what,
                         const std::function<void(std::int64_t, std::int64_t, const Matrix&)>& visit) {
  const TileScores tiles(similarity);
  over_rows(similarity.rows, tile_rows, context, what, [&](std::int64_t first, std::int64_t count) {
    Matrix tile;
    for (std::int64_t c = 0; c < similarity.columns; c += tile_columns) {
      tiles.scores(first, count, c, std::min(tile_columns, similarity.columns - c), tile);
      visit(first, c, tile);
    }
  });
}

}  // namespace calor::engine
