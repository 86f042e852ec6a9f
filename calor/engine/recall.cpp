#include "calor/engine/recall.h"

#include <algorithm>
#include <span>
#include <utility>

#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/nearest_list.h"
#include "calor/engine/points.h"

namespace calor::engine {
namespace {

constexpr std::int64_t sample_rows = 100;

// Of the exact distances how many are met by one found, each once: which of several copies was found does not matter, nor which of
// several at the distance of the farthest.  Both ascending.  Cosines of copies at several lengths agree up to rounding.
std::int64_t met(const std::vector<double>& exact, const std::vector<double>& found, Metric metric) {
  constexpr double rounding = 1e-12;
  std::int64_t hits = 0;
  for (std::size_t e = 0, f = 0; e < exact.size() && f < found.size(); ++e)
    if (found[f] <= exact[e] + rounding * (metric == Metric::cosine ? 1 : exact[e])) {
      ++hits;
      ++f;
    }
  return hits;
}

template <class Columns>
std::vector<double> distances_to(const Matrix& points, std::int64_t row, const Columns& columns, Metric metric) {
  std::vector<double> distances;
  for (const std::int32_t j : columns) distances.push_back(distance(points, row, points, j, metric));
  std::sort(distances.begin(), distances.end());
  return distances;
}

}  // namespace

std::vector<std::int32_t> neighbours_of_row(const Matrix& points, std::int64_t row, const NeighbourOptions& options) {
  NearestList list(options.k);
  for (std::int64_t j = 0; j < points.rows(); ++j)
    if (options.may_be(row, j)) list.offer(order_of(points, row, points, j, options.metric), static_cast<std::int32_t>(j));
  std::vector<std::int32_t> columns(static_cast<std::size_t>(options.k), -1);
  list.take(columns.data());
  std::erase(columns, -1);
  return columns;
}

ApproximateNeighbours with_recall(Csr graph, const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context) {
  Random random(seed, Purpose::permutation);
  std::vector<std::int64_t> rows = permutation(points.rows(), random);
  rows.resize(static_cast<std::size_t>(std::min(points.rows(), sample_rows)));
  std::vector<std::int64_t> hits(rows.size(), 0), total(rows.size(), 0);
  parallel_for(static_cast<std::int64_t>(rows.size()), context.threads, [&](std::int64_t s) {
    context.check_stop("knn");
    const std::int64_t row = rows[s];
    const std::vector<double> exact = distances_to(points, row, neighbours_of_row(points, row, options), options.metric);
    const std::span found(graph.column.data() + graph.begin[row], graph.column.data() + graph.begin[row + 1]);
    hits[s] = met(exact, distances_to(points, row, found, options.metric), options.metric);
    total[s] = static_cast<std::int64_t>(exact.size());
  });
  double hit = 0, all = 0;
  for (std::size_t s = 0; s < rows.size(); ++s) hit += static_cast<double>(hits[s]), all += static_cast<double>(total[s]);
  return {std::move(graph), all > 0 ? hit / all : 1, static_cast<std::int64_t>(rows.size())};
}

}  // namespace calor::engine
