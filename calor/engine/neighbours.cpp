#include "calor/engine/neighbours.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <optional>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/leading_directions.h"
#include "calor/engine/nearest_list.h"
#include "calor/engine/reducers.h"
#include "calor/kernels/close_pairs.h"
#include "calor/kernels/neighbours.h"

namespace calor::engine {
namespace {

std::shared_ptr<const Matrix> borrow(const Matrix& points) {
  return {&points, [](const Matrix*) {}};
}

Points borrowed(const Matrix& points) { return {borrow(points), nullptr, nullptr}; }

// A record whose tiles are minus the distances.
Similarity distances(const Matrix& rows, const Matrix& columns, Metric metric) {
  Similarity record;
  record.rows = rows.rows();
  record.columns = columns.rows();
  record.row_points = borrow(rows);
  record.column_points = &rows == &columns ? record.row_points : borrow(columns);
  record.score = {Score::Kind::power_distance, 1, metric};
  return record;
}

std::vector<std::int32_t> listed(const std::vector<std::uint8_t>& allowed) {
  std::vector<std::int32_t> result;
  for (std::size_t j = 0; j < allowed.size(); ++j)
    if (allowed[j]) result.push_back(static_cast<std::int32_t>(j));
  return result;
}

Csr nearest_by_tiles(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context, Vector* farthest) {
  const bool cosine = options.metric == Metric::cosine, same = &rows == &columns;
  if (const double scale = cosine ? 1 : tame_scale(rows, columns); scale != 1) {
    const Matrix scaled = rows * scale;
    const Csr found = same ? nearest_by_tiles(scaled, scaled, options, context, nullptr) : nearest_by_tiles(scaled, columns * scale, options, context, nullptr);
    if (farthest) *farthest = farthest_neighbour(found, borrowed(rows), borrowed(columns), options.metric, context);
    return found;
  }
  const Matrix row_directions = cosine ? unit_rows(rows) : Matrix(), column_directions = cosine && !same ? unit_rows(columns) : Matrix();
  const Matrix& from = cosine ? row_directions : rows;
  const Matrix& to = cosine && !same ? column_directions : same ? from : columns;
  const std::vector<std::int32_t> allowed = options.allowed ? listed(*options.allowed) : std::vector<std::int32_t>();
  kernels::NeighboursProblem problem;
  problem.rows = {from.data(), from.rows(), from.cols(), nullptr};
  problem.columns = {to.data(), to.rows(), to.cols(), nullptr};
  if (options.allowed && static_cast<Eigen::Index>(allowed.size()) < to.rows())
    problem.columns = {to.data(), static_cast<std::int64_t>(allowed.size()), to.cols(), allowed.data()};
  problem.k = options.k;
  problem.leave_itself_out = options.leave_itself_out;
  problem.directions = cosine;
  problem.measure = [&](std::int64_t i, std::int64_t j) { return order_of(rows, i, columns, j, options.metric); };
  const std::optional<kernels::LeadingDirections> leading = leading_directions(problem);
  if (leading) problem.leading = &*leading;
  context.memory.require(kernels::neighbours_bytes(problem), "knn", "packed points and candidates", "give a smaller k, or raise --max-memory");
  kernels::Neighbours found = kernels::nearest_columns(problem, context);
  Csr graph = graph_of_nearest(rows.rows(), columns.rows(), options.k, std::move(found.columns));
  if (!found.order.empty()) graph.near = std::make_shared<const std::vector<std::int32_t>>(std::move(found.order));
  if (farthest) {
    *farthest = Eigen::Map<const Vector>(found.farthest.data(), rows.rows());
    if (cosine) *farthest *= 0.5;
    else *farthest = farthest->cwiseSqrt();
  }
  return graph;
}

// Sums of magnitudes are no product: the distances themselves, tile by tile.
Csr nearest_by_distance(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context) {
  struct Nearest {
    const NeighbourOptions& options;
    NearestList list;
    void offer(std::int64_t row, std::int64_t column, double score) {
      if (-score <= list.reach() && options.may_be(row, column)) list.offer(-score, static_cast<std::int32_t>(column));
    }
  };
  const std::size_t k = static_cast<std::size_t>(options.k);
  context.memory.require(static_cast<std::uint64_t>(rows.rows()) * 4 * k, "knn", "the neighbours", "give a smaller k, or raise --max-memory");
  std::vector<std::int32_t> result(static_cast<std::size_t>(rows.rows()) * k, -1);
  auto search = choose<Reads::scores>(Nearest{options, NearestList(options.k)}, [&](std::int64_t row, Nearest&& found) {
    found.list.take(result.data() + static_cast<std::size_t>(row) * k);
  });
  reduce_tiles(distances(rows, columns, options.metric), search, context, "nearest neighbours");
  return graph_of_nearest(rows.rows(), columns.rows(), options.k, std::move(result));
}

// A row of the table after the other.
Csr nearest_given(const Matrix& table, const NeighbourOptions& options, const Context& context) {
  std::vector<std::int32_t> result(static_cast<std::size_t>(table.rows() * options.k), -1);
  constexpr std::int64_t piece = 64;
  parallel_for((table.rows() + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    context.check_stop("knn");
    NearestList list(options.k);
    for (std::int64_t i = p * piece; i < std::min(table.rows(), (p + 1) * piece); ++i) {
      for (Eigen::Index j = 0; j < table.cols(); ++j)
        if (table(i, j) <= list.reach() && std::isfinite(table(i, j)) && options.may_be(i, j)) list.offer(table(i, j), static_cast<std::int32_t>(j));
      list.take(result.data() + i * options.k);
    }
  });
  return graph_of_nearest(table.rows(), table.cols(), options.k, std::move(result));
}

}  // namespace

Csr graph_of_nearest(std::int64_t rows, std::int64_t columns, std::int64_t k, std::vector<std::int32_t> nearest) {
  Csr graph;
  graph.rows = rows;
  graph.columns = columns;
  for (std::int64_t i = 0, edges = 0; i < rows; ++i) {
    edges += std::count_if(nearest.begin() + i * k, nearest.begin() + (i + 1) * k, [](std::int32_t j) { return j >= 0; });
    graph.begin.push_back(edges);
  }
  std::erase(nearest, -1);
  graph.column = std::move(nearest);
  return graph;
}

double tame_scale(const Matrix& rows, const Matrix& columns) {
  const double most = std::max(rows.size() ? rows.cwiseAbs().maxCoeff() : 0, columns.size() ? columns.cwiseAbs().maxCoeff() : 0);
  return most > 0x1p400 || (most > 0 && most < 0x1p-400) ? std::ldexp(1.0, -std::ilogb(most) - 1) : 1;
}

double order_of(const Matrix& rows, std::int64_t row, const Matrix& columns, std::int64_t column, Metric metric) {
  if (metric == Metric::euclidean) return kernels::squared_distance(rows.row(row).data(), columns.row(column).data(), rows.cols());
  return (metric == Metric::cosine ? 2 : 1) * distance(rows, row, columns, column, metric);
}

static Csr nearest_dense(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context, Vector* farthest) {
  require(std::max(rows.rows(), columns.rows()) <= std::numeric_limits<std::int32_t>::max(), Fault::input,
          "[knn] expected fewer than 2^31 points, found {}", std::max(rows.rows(), columns.rows()));
  if (options.metric != Metric::manhattan) return nearest_by_tiles(rows, columns, options, context, farthest);
  Csr graph = nearest_by_distance(rows, columns, options, context);
  if (farthest) *farthest = farthest_neighbour(graph, borrowed(rows), borrowed(columns), options.metric, context);
  return graph;
}

Csr nearest(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context) {
  return nearest_dense(rows, columns, options, context, nullptr);
}

Csr nearest(const Points& rows, const Points& columns, const NeighbourOptions& options, const Context& context, Vector* farthest) {
  if (!rows.distances && !rows.sparse) return nearest_dense(*rows.dense, *columns.dense, options, context, farthest);
  Csr graph = rows.distances ? nearest_given(*rows.distances, options, context) : nearest(*rows.sparse, *columns.sparse, options, context);
  if (farthest) *farthest = farthest_neighbour(graph, rows, columns, options.metric, context);
  return graph;
}

Vector farthest_neighbour(const Csr& graph, const Points& rows, const Points& columns, Metric metric, const Context& context) {
  Vector result = Vector::Zero(graph.rows);
  constexpr std::int64_t piece = 256;
  parallel_for((graph.rows + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    for (std::int64_t i = p * piece; i < std::min(graph.rows, (p + 1) * piece); ++i)
      for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
        result[i] = std::max(result[i], distance(rows, i, columns, graph.column[e], metric));
  });
  return result;
}

Csr common_edges(const Csr& a, const Csr& b) {
  Csr result;
  result.rows = a.rows;
  result.columns = a.columns;
  for (std::int64_t i = 0; i < a.rows; ++i) {
    std::int64_t other = b.begin[i];
    for (std::int64_t e = a.begin[i]; e < a.begin[i + 1]; ++e) {
      while (other < b.begin[i + 1] && b.column[other] < a.column[e]) ++other;
      if (other < b.begin[i + 1] && b.column[other] == a.column[e]) result.column.push_back(a.column[e]);
    }
    result.begin.push_back(result.edges());
  }
  return result;
}

Csr graph_of_lists(std::int64_t columns, const std::vector<std::vector<std::int32_t>>& lists) {
  Csr graph;
  graph.rows = static_cast<std::int64_t>(lists.size());
  graph.columns = columns;
  for (const auto& list : lists) {
    graph.column.insert(graph.column.end(), list.begin(), list.end());
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

namespace {

Csr within_by_distance(const Matrix& rows, const Matrix& columns, const Vector& reach, const ReachOptions& options, const Context& context) {
  struct Within {
    const Vector& reach;
    bool leave_itself_out;
    std::vector<std::int32_t> list;
    void offer(std::int64_t row, std::int64_t column, double score) {
      if (-score <= reach[column] && !(leave_itself_out && column == row)) list.push_back(static_cast<std::int32_t>(column));
    }
  };
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(rows.rows()));
  std::atomic<std::uint64_t> found{0};
  auto search = choose<Reads::scores>(Within{reach, options.leave_itself_out, {}}, [&](std::int64_t row, Within&& row_found) {
    options.check(found += row_found.list.size(), context);
    lists[static_cast<std::size_t>(row)] = std::move(row_found.list);
  });
  reduce_tiles(distances(rows, columns, options.metric), search, context, options.op);
  return graph_of_lists(columns.rows(), lists);
}

Csr within_given(const Matrix& table, const Vector& reach, const ReachOptions& options, const Context& context) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(table.rows()));
  std::uint64_t found = 0;
  for (Eigen::Index i = 0; i < table.rows(); ++i) {
    for (Eigen::Index j = 0; j < table.cols(); ++j)
      if (table(i, j) <= reach[j] && std::isfinite(table(i, j)) && !(options.leave_itself_out && i == j))
        lists[static_cast<std::size_t>(i)].push_back(static_cast<std::int32_t>(j));
    options.check(found += lists[static_cast<std::size_t>(i)].size(), context);
  }
  return graph_of_lists(table.cols(), lists);
}

}  // namespace

void ReachOptions::check(std::uint64_t pairs, const Context& context) const {
  context.memory.require(pairs * 2 * sizeof(std::int32_t), op, "the pairs within reach", "give a smaller reach, or raise --max-memory");
}

Csr within(const Matrix& rows, const Matrix& columns, const Vector& reach, const ReachOptions& options, const Context& context) {
  if (options.metric == Metric::manhattan) return within_by_distance(rows, columns, reach, options, context);
  const bool cosine = options.metric == Metric::cosine;
  if (const double scale = cosine ? 1 : tame_scale(rows, columns); scale != 1)
    return within(rows * scale, columns * scale, reach * scale, options, context);
  const Matrix row_directions = cosine ? unit_rows(rows) : Matrix(), column_directions = cosine ? unit_rows(columns) : Matrix();
  const Matrix &from = cosine ? row_directions : rows, &to = cosine ? column_directions : columns;
  kernels::ClosePairsProblem problem;
  problem.rows = {from.data(), from.rows(), from.cols(), nullptr};
  problem.columns = {to.data(), to.rows(), to.cols(), nullptr};
  for (Eigen::Index j = 0; j < reach.size(); ++j) problem.reach.push_back(cosine ? 2 * reach[j] : reach[j] * reach[j]);
  problem.leave_itself_out = options.leave_itself_out;
  problem.directions = cosine;
  problem.close = [&](std::int64_t i, std::int64_t j) { return distance(rows, i, columns, j, options.metric) <= reach[j]; };
  problem.grown = [&](std::uint64_t pairs) { options.check(pairs, context); };
  const std::optional<kernels::LeadingDirections> leading = leading_directions(problem);
  if (leading) problem.leading = &*leading;
  return graph_of_lists(columns.rows(), kernels::close_pairs(problem, context));
}

Csr within(const Points& rows, const Points& columns, const Vector& reach, const ReachOptions& options, const Context& context) {
  if (rows.distances) return within_given(*rows.distances, reach, options, context);
  return rows.sparse ? within(*rows.sparse, *columns.sparse, reach, options, context)
                     : within(*rows.dense, *columns.dense, reach, options, context);
}

Csr within(const Points& rows, const Points& columns, double radius, Metric metric, bool leave_itself_out, const Context& context) {
  return within(rows, columns, Vector::Constant(columns.rows(), radius), {metric, leave_itself_out, "radius"}, context);
}

}  // namespace calor::engine
