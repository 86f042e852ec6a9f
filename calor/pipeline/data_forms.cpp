// Data that are no table of features: sparse points, distances, similarities.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/pipeline/data.h"

namespace calor::pipeline {
namespace {

constexpr double rounding = 1e-6;  // of the largest: what programs write with six digits, or computed in 32 bits
constexpr double none = std::numeric_limits<double>::infinity();

std::string name_of(const std::vector<std::string>& names, std::int64_t i) {
  return names.empty() ? fmt::format("row {}", i + 1) : fmt::format("\"{}\"", names[static_cast<std::size_t>(i)]);
}

void check_names(const std::vector<std::string>& names, std::int64_t count, const char* what) {
  require(names.empty() || static_cast<std::int64_t>(names.size()) == count, Fault::input, "[data] expected {} names of {}, found {}", count, what,
          names.size());
}

void check_square(std::int64_t rows, std::int64_t columns, const char* what) {
  require(rows == columns && rows > 0, Fault::input, "[data] expected a square table of {}, found {} x {}: a row and a column for each thing", what,
          rows, columns);
}

Data without_features(std::int64_t rows, std::vector<std::string> row_names) {
  check_names(row_names, rows, "rows");
  Data data;
  data.features = std::make_shared<const Matrix>(rows, 0);
  data.row_names = std::move(row_names);
  return data;
}

void check_sparse(const io::SparseMatrix& points) {
  const auto rows = static_cast<std::size_t>(std::max<std::int64_t>(0, points.rows));
  const bool shaped = points.rows >= 0 && points.columns > 0 && points.columns <= std::numeric_limits<std::int32_t>::max() &&
                      points.begin.size() == rows + 1 && points.begin.front() == 0 && points.begin.back() == points.entries() &&
                      points.column.size() == points.value.size() && std::is_sorted(points.begin.begin(), points.begin.end());
  require(shaped, Fault::input, "[data] expected {} x {} numbers in compressed rows, found {} entries in {} rows: is the file complete?", points.rows,
          points.columns, points.entries(), points.begin.size() - 1);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::int64_t e = points.begin[i], before = -1; e < points.begin[i + 1]; ++e) {
      const std::int64_t column = points.column[e];
      require(column > before && column < points.columns, Fault::input, "[data] expected ascending columns up to {}, found {} after {} (row {})",
              points.columns, column + 1, before + 1, i + 1);
      require(std::isfinite(points.value[e]), Fault::input, "[data] expected finite numbers, found {} (row {}, column {})", points.value[e], i + 1,
              column + 1);
      before = column;
    }
}

double largest_finite(const Matrix& table) {
  double most = 0;
  for (const double value : table.reshaped())
    if (std::isfinite(value)) most = std::max(most, std::abs(value));
  return most;
}

// Both directions of a pair become one.
void check_pair(Matrix& table, Eigen::Index i, Eigen::Index j, double slack, const std::vector<std::string>& names) {
  double &one = table(i, j), &other = table(j, i);
  if (std::isnan(one)) one = other;  // one triangle tells both
  if (std::isnan(other)) other = one;
  for (double* value : {&one, &other}) {
    const bool first = value == &one;
    if (std::isnan(*value)) *value = none;
    require(*value >= -slack, Fault::input, "[data] expected distances of at least 0, found {} from {} to {} (row {}, column {})", *value,
            name_of(names, first ? i : j), name_of(names, first ? j : i), (first ? i : j) + 1, (first ? j : i) + 1);
  }
  if (one != other) {
    require(std::abs(one - other) <= slack, Fault::input,
            "[data] expected the same distance both ways, found {} from {} to {} and {} back (row {}, column {}): give a symmetric table, or their mean",
            one, name_of(names, i), name_of(names, j), other, i + 1, j + 1);
    one = other = (one + other) / 2;
  }
  one = other = std::max(0.0, one);
}

Matrix empty_table(std::int64_t n, const Context& context) {
  context.memory.require(8 * static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(n), "data", fmt::format("the distances of {} x {} rows", n, n),
                         "give fewer rows, or raise --max-memory");
  Matrix table = Matrix::Constant(n, n, none);
  table.diagonal().setZero();
  return table;
}

Data graph_data(Csr graph, std::vector<std::string> row_names) {
  Data data = without_features(graph.rows, std::move(row_names));
  data.graph = std::make_shared<const Csr>(std::move(graph));
  return data;
}

double mean_of(double forward, double backward) { return (forward + backward) / 2; }
double difference_of(double forward, double backward) { return std::abs(forward - backward); }

// What is symmetric but for rounding is made exactly so.
Csr evened(Csr graph) {
  if (is_symmetric(graph)) return graph;
  const double most = graph.values.empty() ? 0 : *std::max_element(graph.values.begin(), graph.values.end());
  const Csr apart = combine_with_reverse(graph, difference_of);
  const bool symmetric = std::all_of(apart.values.begin(), apart.values.end(), [&](double value) { return value <= rounding * most; });
  return symmetric ? combine_with_reverse(graph, mean_of) : graph;
}

void check_similarity(double value, std::int64_t i, std::int64_t j) {
  require(std::isfinite(value) && value >= 0, Fault::input,
          "[data] expected similarities that are finite and at least 0, found {} (row {}, column {}): greater is more alike; of correlations give "
          "the absolute value or 1 + r, of distances say that they are distances",
          value, i + 1, j + 1);
}

}  // namespace

Data data_of(io::SparseMatrix points, std::vector<std::string> feature_names, std::vector<std::string> row_names) {
  check_sparse(points);
  check_names(feature_names, points.columns, "columns");
  Data data = without_features(points.rows, std::move(row_names));
  data.feature_names = std::move(feature_names);
  data.sparse = std::make_shared<const io::SparseMatrix>(std::move(points));
  return data;
}

Data data_of_distances(Matrix table, std::vector<std::string> row_names) {
  check_square(table.rows(), table.cols(), "distances");
  check_names(row_names, table.rows(), "rows");
  const double slack = rounding * largest_finite(table);
  for (Eigen::Index i = 0; i < table.rows(); ++i) {
    double& own = table(i, i);
    require(!(std::abs(own) > slack), Fault::input,
            "[data] expected a distance of 0 from every row to itself, found {} at {} (row {}): give distances, or say that they are similarities", own,
            name_of(row_names, i), i + 1);
    own = 0;
    for (Eigen::Index j = i + 1; j < table.cols(); ++j) check_pair(table, i, j, slack, row_names);
  }
  Data data = without_features(table.rows(), std::move(row_names));
  data.distances = std::make_shared<const Matrix>(std::move(table));
  return data;
}

Data data_of_distances(const std::vector<double>& condensed, std::vector<std::string> row_names, const Context& context) {
  const auto pairs = static_cast<double>(condensed.size());
  const auto n = static_cast<std::int64_t>(std::llround((1 + std::sqrt(1 + 8 * pairs)) / 2));
  require(static_cast<std::uint64_t>(n) * static_cast<std::uint64_t>(n - 1) / 2 == condensed.size() && n >= 2, Fault::input,
          "[data] expected N (N - 1) / 2 distances, one for every pair, found {}: give them row by row, the first row's to all later ones first",
          condensed.size());
  Matrix table = empty_table(n, context);
  std::size_t next = 0;
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = i + 1; j < n; ++j) table(i, j) = table(j, i) = condensed[next++];
  return data_of_distances(std::move(table), std::move(row_names));
}

Data data_of_distances(const io::EdgeList& pairs, const Context& context) {
  Matrix table = empty_table(static_cast<std::int64_t>(pairs.nodes.size()), context);
  for (const io::NamedEdge& pair : pairs.edges) {
    double& known = table(pair.from, pair.to);
    require(std::isinf(known) || known == pair.weight, Fault::input, "[data] expected one distance from {} to {}, found {} and {}: leave one out",
            name_of(pairs.nodes, pair.from), name_of(pairs.nodes, pair.to), known, pair.weight);
    known = pair.weight;
  }
  // A direction that is not given is the other one.
  for (Eigen::Index i = 0; i < table.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j) {
      if (std::isinf(table(i, j))) table(i, j) = table(j, i);
      if (std::isinf(table(j, i))) table(j, i) = table(i, j);
    }
  return data_of_distances(std::move(table), pairs.nodes);
}

Data data_of_similarities(const Matrix& table, std::vector<std::string> row_names, const Context& context) {
  check_square(table.rows(), table.cols(), "similarities");
  const auto edges = static_cast<std::uint64_t>((table.array() != 0).count());
  context.memory.require(4 * 12 * edges, "data", fmt::format("{} edges", edges), "give fewer rows or a sparse table, or raise --max-memory");
  Csr graph;
  graph.rows = graph.columns = table.rows();
  for (Eigen::Index i = 0; i < table.rows(); ++i) {
    for (Eigen::Index j = 0; j < table.cols(); ++j) {
      check_similarity(table(i, j), i, j);
      if (table(i, j) == 0) continue;
      graph.column.push_back(static_cast<std::int32_t>(j));
      graph.values.push_back(table(i, j));
    }
    graph.begin.push_back(graph.edges());
  }
  return graph_data(evened(std::move(graph)), std::move(row_names));
}

Data data_of_similarities(const io::SparseMatrix& table, std::vector<std::string> row_names) {
  check_square(table.rows, table.columns, "similarities");
  check_sparse(table);
  for (std::int64_t i = 0; i < table.rows; ++i)
    for (std::int64_t e = table.begin[i]; e < table.begin[i + 1]; ++e) check_similarity(table.value[e], i, table.column[e]);
  Csr graph;
  graph.rows = table.rows;
  graph.columns = table.columns;
  graph.begin = table.begin;
  graph.column = table.column;
  graph.values = table.value;
  return graph_data(evened(std::move(graph)), std::move(row_names));
}

}  // namespace calor::pipeline
