#include "calor/pipeline/neighbours.h"

#include <algorithm>
#include <limits>
#include <mutex>

#include "calor/core/error.h"
#include "calor/pipeline/engine.h"
#include "calor/pipeline/score.h"

namespace calor::pipeline {
namespace {

struct Candidate {
  double distance;
  std::int32_t column;
  bool operator<(const Candidate& other) const {
    return distance != other.distance ? distance < other.distance : column < other.column;
  }
};

// A record whose tiles are minus the squared (or plain) distances.
Similarity distances(const Matrix& rows, const Matrix& columns, Metric metric) {
  Similarity record;
  record.rows = rows.rows();
  record.columns = columns.rows();
  const auto borrowed = [](const Matrix& points) { return std::shared_ptr<const Matrix>(&points, [](const Matrix*) {}); };
  record.row_points = borrowed(rows);
  record.column_points = &rows == &columns ? record.row_points : borrowed(columns);
  record.score = {Score::Kind::power_distance, metric == Metric::euclidean ? 2.0 : 1.0, metric};
  return record;
}

// Candidates beyond k that rounding could have kept out: the products err by a few ulps of |x|^2 only.
constexpr std::size_t spare = 4;

void settle(std::vector<Candidate>& candidates, std::size_t keep) {
  if (candidates.size() <= keep) return;
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(keep), candidates.end());
  candidates.resize(keep);
}

}  // namespace

Csr nearest(const Matrix& rows, const Matrix& columns, const NeighbourOptions& options, const Context& context) {
  require(columns.rows() <= std::numeric_limits<std::int32_t>::max(), Fault::input,
          "[knn] expected fewer than 2^31 points, found {}", columns.rows());
  const std::size_t k = static_cast<std::size_t>(options.k), keep = k + spare;
  context.memory.require(static_cast<std::uint64_t>(rows.rows()) * keep * 2 * sizeof(Candidate), "knn", "candidates",
                         "give a smaller k, or raise --max-memory");
  const Similarity record = distances(rows, columns, options.metric);
  std::vector<std::vector<Candidate>> lists(static_cast<std::size_t>(rows.rows()));
  for_each_score_tile(record, context, "nearest neighbours", [&](std::int64_t row, std::int64_t column, const Matrix& tile) {
    for (Eigen::Index a = 0; a < tile.rows(); ++a) {
      std::vector<Candidate>& list = lists[row + a];
      // Past `keep` the list's front holds the bound; new ones gather behind it until it has doubled.
      double bound = list.size() >= keep ? std::max_element(list.begin(), list.end())->distance
                                         : std::numeric_limits<double>::infinity();
      for (Eigen::Index b = 0; b < tile.cols(); ++b) {
        const double distance = -tile(a, b);
        if (distance > bound || (list.size() >= keep && distance == bound)) continue;
        const std::int64_t j = column + b;
        if ((options.leave_itself_out && j == row + a) || (options.allowed && !(*options.allowed)[j])) continue;
        list.push_back({distance, static_cast<std::int32_t>(j)});
        if (list.size() < 2 * keep && !(list.size() == keep)) continue;
        settle(list, keep);
        bound = std::max_element(list.begin(), list.end())->distance;
      }
      settle(list, keep);
      if (column + tile.cols() == columns.rows()) {
        for (Candidate& candidate : list) candidate.distance = calor::pipeline::distance(rows, row + a, columns, candidate.column, options.metric);
        std::sort(list.begin(), list.end());
        if (list.size() > k) list.resize(k);
        std::sort(list.begin(), list.end(), [](const Candidate& x, const Candidate& y) { return x.column < y.column; });
        list.shrink_to_fit();
      }
    }
  });
  Csr graph;
  graph.rows = rows.rows();
  graph.columns = columns.rows();
  for (const auto& list : lists) {
    for (const Candidate& candidate : list) graph.column.push_back(candidate.column);
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

Vector farthest_neighbour(const Csr& graph, const Matrix& rows, const Matrix& columns, Metric metric) {
  Vector result = Vector::Zero(graph.rows);
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
      result[i] = std::max(result[i], distance(rows, i, columns, graph.column[e], metric));
  return result;
}

Csr within(const Matrix& rows, const Matrix& columns, double radius, Metric metric, bool leave_itself_out, const Context& context) {
  const Similarity record = distances(rows, columns, metric);
  const double bound = metric == Metric::euclidean ? radius * radius : radius;
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(rows.rows()));
  std::mutex guard;
  std::uint64_t found = 0;
  for_each_score_tile(record, context, "radius", [&](std::int64_t row, std::int64_t column, const Matrix& tile) {
    std::uint64_t more = 0;
    for (Eigen::Index a = 0; a < tile.rows(); ++a)
      for (Eigen::Index b = 0; b < tile.cols(); ++b) {
        if (-tile(a, b) > bound || (leave_itself_out && column + b == row + a)) continue;
        lists[row + a].push_back(static_cast<std::int32_t>(column + b));
        ++more;
      }
    const std::lock_guard lock(guard);
    found += more;
    context.memory.require(found * 2 * sizeof(std::int32_t), "radius", "the pairs within the radius",
                           "give a smaller radius, or raise --max-memory");
  });
  Csr graph;
  graph.rows = rows.rows();
  graph.columns = columns.rows();
  for (const auto& list : lists) {
    graph.column.insert(graph.column.end(), list.begin(), list.end());
    graph.begin.push_back(graph.edges());
  }
  return graph;
}

}  // namespace calor::pipeline
