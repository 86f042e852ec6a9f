#include "calor/engine/record.h"

#include <fmt/format.h>

#include <algorithm>

#include "calor/core/error.h"

namespace calor::engine {
namespace {

const char* metric_name(Metric metric) {
  switch (metric) {
    case Metric::euclidean: return "euclidean";
    case Metric::cosine: return "cosine";
    case Metric::manhattan: return "manhattan";
  }
  return "";
}

std::string score_text(const Similarity& similarity) {
  const Score& score = similarity.score;
  switch (score.kind) {
    case Score::Kind::power_distance:
      return fmt::format("{} {} distance ^ {}", score.power > 0 ? "minus the" : "the",
                         similarity.distances ? "given" : metric_name(score.metric), score.power);
    case Score::Kind::dot: return "dot product";
    case Score::Kind::cosine: return "cosine";
    case Score::Kind::indicator: return "1 on every pair";
    case Score::Kind::stored: return "stored values";
  }
  return "";
}

std::string strengthen_text(const Strengthen& strengthen) {
  switch (strengthen.kind) {
    case Strengthen::Kind::none: return "";
    case Strengthen::Kind::exponential:
      return strengthen.scale.size() == 1 ? fmt::format(", exp(score / {:.6g})", strengthen.scale[0])
                                          : ", exp(score / scale), a scale for each row";
    case Strengthen::Kind::power:
      return strengthen.gain == 1 && strengthen.offset == 0
                 ? fmt::format(", to the power {}", strengthen.exponent)
                 : fmt::format(", times {:.4g} plus {:.4g}, to the power {}", strengthen.gain, strengthen.offset, strengthen.exponent);
    case Strengthen::Kind::sigmoid: return fmt::format(", tanh({:.4g} score + {:.4g})", strengthen.gain, strengthen.offset);
  }
  return "";
}

}  // namespace

Similarity stored_similarity(std::shared_ptr<const Matrix> values) {
  Similarity record;
  record.rows = values->rows();
  record.columns = values->cols();
  record.dense = std::move(values);
  return record;
}

Similarity stored_similarity(Csr graph) {
  Similarity record;
  record.rows = graph.rows;
  record.columns = graph.columns;
  record.support = std::make_shared<const Csr>(std::move(graph));
  return record;
}

std::string describe(const Similarity& similarity) {
  std::string text = similarity.all_pairs()
                         ? fmt::format("all {} x {} pairs{}", similarity.rows, similarity.columns,
                                       similarity.leave_diagonal_out ? " but the diagonal" : "")
                         : fmt::format("{} edges of {} x {}", similarity.support->edges(), similarity.rows, similarity.columns);
  text += ": " + score_text(similarity) + strengthen_text(similarity.strengthen);
  if (!similarity.normalised.empty()) {
    text += ", normalised by";
    for (const Normaliser::Kind step : similarity.normalised) text += fmt::format(" {}", name_of(step));
  }
  return text + (similarity.symmetric ? "; symmetric up to factors" : "; not symmetric");
}

static bool equal(const Vector& a, const Vector& b) { return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin()); }

static bool equal(const Strengthen& a, const Strengthen& b) {
  return a.kind == b.kind && equal(a.scale, b.scale) && a.by_column == b.by_column && a.exponent == b.exponent && a.gain == b.gain && a.offset == b.offset;
}

bool same_values(const Similarity& a, const Similarity& b) {
  return a.rows == b.rows && a.columns == b.columns && a.row_points == b.row_points && a.column_points == b.column_points && a.row_sparse == b.row_sparse &&
         a.column_sparse == b.column_sparse && a.distances == b.distances && a.distances_turned == b.distances_turned && a.support == b.support &&
         a.dense == b.dense && a.score == b.score && equal(a.strengthen, b.strengthen) && equal(a.log_row, b.log_row) && equal(a.log_column, b.log_column) &&
         a.leave_diagonal_out == b.leave_diagonal_out && a.normalised == b.normalised && a.rows_deferred == b.rows_deferred && a.row_rows == b.row_rows &&
         a.column_rows == b.column_rows;
}

std::uint64_t stored_bytes(const Similarity& similarity) {
  std::uint64_t bytes = 8 * static_cast<std::uint64_t>(similarity.log_row.size() + similarity.log_column.size() +
                                                       similarity.strengthen.scale.size());
  if (similarity.support)
    bytes += 8 * (similarity.support->begin.size() + similarity.support->values.size()) + 4 * similarity.support->column.size();
  if (similarity.computed) bytes += 8 * static_cast<std::uint64_t>(similarity.computed->size());
  if (similarity.dense) bytes += 8 * static_cast<std::uint64_t>(similarity.dense->size());
  return bytes;
}

Similarity among_columns(const Similarity& similarity) {
  Similarity result;
  result.rows = result.columns = similarity.columns;
  result.row_points = result.column_points = similarity.column_points;
  result.row_rows = result.column_rows = similarity.column_rows;
  result.score = similarity.score;
  result.strengthen = similarity.strengthen;
  result.leave_diagonal_out = result.symmetric = true;
  return result;
}

namespace {

using Listed = std::vector<std::int64_t>;

std::int64_t count_of(const Listed* listed, std::int64_t all) { return listed ? static_cast<std::int64_t>(listed->size()) : all; }
std::int64_t at(const Listed* listed, std::int64_t i) { return listed ? (*listed)[i] : i; }

std::shared_ptr<const Matrix> chosen(const std::shared_ptr<const Matrix>& points, const Listed* listed) {
  if (!listed || !points) return points;
  auto result = std::make_shared<Matrix>(count_of(listed, 0), points->cols());
  for (Eigen::Index i = 0; i < result->rows(); ++i) result->row(i) = points->row((*listed)[i]);
  return result;
}

std::shared_ptr<const io::SparseMatrix> chosen(const std::shared_ptr<const io::SparseMatrix>& points, const Listed* listed) {
  if (!listed || !points) return points;
  auto result = std::make_shared<io::SparseMatrix>();
  result->rows = count_of(listed, 0);
  result->columns = points->columns;
  for (const std::int64_t i : *listed) {
    result->column.insert(result->column.end(), points->column.begin() + points->begin[i], points->column.begin() + points->begin[i + 1]);
    result->value.insert(result->value.end(), points->value.begin() + points->begin[i], points->value.begin() + points->begin[i + 1]);
    result->begin.push_back(result->entries());
  }
  return result;
}

Vector chosen(const Vector& numbers, const Listed* listed) {
  if (!listed || numbers.size() <= 1) return numbers;
  Vector result(count_of(listed, 0));
  for (Eigen::Index i = 0; i < result.size(); ++i) result[i] = numbers[(*listed)[i]];
  return result;
}

std::shared_ptr<const Matrix> chosen(const std::shared_ptr<const Matrix>& values, const Listed* rows, const Listed* columns) {
  if (!values || (!rows && !columns)) return values;
  auto result = std::make_shared<Matrix>(count_of(rows, values->rows()), count_of(columns, values->cols()));
  for (Eigen::Index i = 0; i < result->rows(); ++i)
    for (Eigen::Index j = 0; j < result->cols(); ++j) (*result)(i, j) = (*values)(at(rows, i), at(columns, j));
  return result;
}

// A column that is listed twice has its edges twice.
std::shared_ptr<const Csr> chosen(const std::shared_ptr<const Csr>& graph, const Listed* rows, const Listed* columns) {
  if (!graph || (!rows && !columns)) return graph;
  std::vector<std::vector<std::int32_t>> places(static_cast<std::size_t>(graph->columns));
  const std::int64_t width = count_of(columns, graph->columns);
  for (std::int64_t j = 0; j < width; ++j) places[at(columns, j)].push_back(static_cast<std::int32_t>(j));
  std::vector<Edge> edges;
  const std::int64_t height = count_of(rows, graph->rows);
  for (std::int64_t i = 0; i < height; ++i)
    for (std::int64_t e = graph->begin[at(rows, i)]; e < graph->begin[at(rows, i) + 1]; ++e)
      for (const std::int32_t j : places[graph->column[e]]) edges.push_back({i, j, graph->values.empty() ? 1 : graph->values[e]});
  return std::make_shared<const Csr>(from_edges(height, width, std::move(edges)));
}

std::shared_ptr<const Listed> numbers_of(const std::shared_ptr<const Listed>& numbers, const Listed* listed) {
  if (!listed) return numbers;
  auto result = std::make_shared<Listed>();
  for (const std::int64_t i : *listed) result->push_back(numbers ? (*numbers)[i] : i);
  return result;
}

}  // namespace

Similarity restricted(const Similarity& similarity, const Listed* rows, const Listed* columns) {
  require(!similarity.rows_deferred, Fault::internal, "[restricted] expected settled row sums, found deferred ones");
  Similarity result = similarity;
  const bool same = (rows == columns || (rows && columns && *rows == *columns)) && similarity.square();
  result.rows = count_of(rows, similarity.rows);
  result.columns = count_of(columns, similarity.columns);
  result.row_points = chosen(similarity.row_points, rows);
  result.column_points = same ? result.row_points : chosen(similarity.column_points, columns);
  result.row_sparse = chosen(similarity.row_sparse, rows);
  result.column_sparse = same && similarity.row_sparse == similarity.column_sparse ? result.row_sparse : chosen(similarity.column_sparse, columns);
  result.support = chosen(similarity.support, rows, columns);
  result.dense = chosen(similarity.dense, rows, columns);
  result.computed = chosen(similarity.computed, rows, columns);
  result.strengthen.scale = chosen(similarity.strengthen.scale, similarity.strengthen.by_column ? columns : rows);
  result.log_row = chosen(similarity.log_row, rows);
  result.log_column = chosen(similarity.log_column, columns);
  result.row_rows = numbers_of(similarity.row_rows, rows);
  result.column_rows = numbers_of(similarity.column_rows, columns);
  result.leave_diagonal_out = false;
  result.symmetric = same && similarity.symmetric;
  result.components = nullptr;
  return result;
}

Similarity transpose(const Similarity& similarity) {
  require(!similarity.rows_deferred, Fault::internal, "[transpose] expected settled row sums, found deferred ones");
  Similarity result = similarity;
  std::swap(result.rows, result.columns);
  std::swap(result.row_points, result.column_points);
  std::swap(result.row_sparse, result.column_sparse);
  result.distances_turned = !similarity.distances_turned;
  std::swap(result.log_row, result.log_column);
  if (result.strengthen.scale.size() > 1) result.strengthen.by_column = !result.strengthen.by_column;
  if (similarity.support) result.support = std::make_shared<const Csr>(transpose(*similarity.support));
  if (similarity.dense && !similarity.symmetric) result.dense = std::make_shared<const Matrix>(similarity.dense->transpose());
  std::swap(result.row_rows, result.column_rows);
  result.normalised.clear();
  for (const Normaliser::Kind step : similarity.normalised)
    result.normalised.push_back(step == Normaliser::Kind::row      ? Normaliser::Kind::column
                                : step == Normaliser::Kind::column ? Normaliser::Kind::row
                                                                : step);
  return result;
}

}  // namespace calor::engine
