#include "calor/analyse/islands.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/neighbours.h"

namespace calor::analyse {
namespace {

using engine::Csr;
using engine::Matrix;

Csr neighbours(const Matrix& points, std::int64_t k, const Context& context) {
  engine::NeighbourOptions options;
  options.k = k;
  return engine::nearest(points, points, options, context);
}

bool has(const Csr& graph, std::int64_t row, std::int64_t column) {
  const auto begin = graph.column.begin() + graph.begin[row], end = graph.column.begin() + graph.begin[row + 1];
  return std::binary_search(begin, end, column);
}

// Other columns than its own that every row has at least.
std::int64_t fewest(const Csr& graph) {
  std::int64_t least = graph.columns;
  for (std::int64_t i = 0; i < graph.rows; ++i) least = std::min(least, graph.begin[i + 1] - graph.begin[i] - (has(graph, i, i) ? 1 : 0));
  return least;
}

// The k nearest of each row's columns.
Csr nearest_of(const Csr& graph, const Matrix& points, std::int64_t k) {
  std::vector<std::vector<std::int32_t>> lists(static_cast<std::size_t>(graph.rows));
  std::vector<std::pair<double, std::int32_t>> by_distance;
  for (std::int64_t i = 0; i < graph.rows; ++i) {
    by_distance.clear();
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
      if (graph.column[e] != i) by_distance.emplace_back((points.row(i) - points.row(graph.column[e])).squaredNorm(), graph.column[e]);
    const auto kept = std::min(static_cast<std::ptrdiff_t>(k), static_cast<std::ptrdiff_t>(by_distance.size()));
    std::partial_sort(by_distance.begin(), by_distance.begin() + kept, by_distance.end());
    for (std::ptrdiff_t p = 0; p < kept; ++p) lists[static_cast<std::size_t>(i)].push_back(by_distance[static_cast<std::size_t>(p)].second);
    std::sort(lists[static_cast<std::size_t>(i)].begin(), lists[static_cast<std::size_t>(i)].end());
  }
  return engine::graph_of_lists(graph.columns, lists);
}

// Pairs that are among each other's nearest and pass the test.
template <class Test>
Csr mutual(const Csr& graph, const Test& test) {
  const Csr both = engine::common_edges(graph, engine::transpose(graph));
  Csr kept;
  kept.rows = kept.columns = graph.rows;
  for (std::int64_t i = 0; i < both.rows; ++i) {
    for (std::int64_t e = both.begin[i]; e < both.begin[i + 1]; ++e)
      if (test(i, both.column[e])) kept.column.push_back(both.column[e]);
    kept.begin.push_back(kept.edges());
  }
  return kept;
}

// Components of at least `least` members, the largest first, equal ones by their first member.
std::vector<std::vector<std::int64_t>> large_components(const Csr& graph, std::int64_t least) {
  std::vector<std::vector<std::int64_t>> found = engine::connected_components(graph).members();
  std::erase_if(found, [&](const auto& members) { return static_cast<std::int64_t>(members.size()) < least; });
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return found;
}

double median_of(const engine::Vector& values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2), sorted.end());
  return sorted[sorted.size() / 2];
}

// The share of each row's columns that the other graph's row has too.
std::vector<double> shares(const Csr& graph, const Csr& among) {
  std::vector<double> found(static_cast<std::size_t>(graph.rows));
  for (std::int64_t i = 0; i < graph.rows; ++i) {
    const auto begin = graph.column.begin() + graph.begin[i], end = graph.column.begin() + graph.begin[i + 1];
    const auto both = std::count_if(begin, end, [&](std::int32_t column) { return has(among, i, column); });
    found[static_cast<std::size_t>(i)] = static_cast<double>(both) / static_cast<double>(end - begin);
  }
  return found;
}

void find_torn(const Csr& data, double from, Islands& result) {
  const auto count = static_cast<std::int64_t>(result.sizes.size());
  Matrix across = Matrix::Zero(count, count);
  engine::Vector all = engine::Vector::Zero(count);
  for (std::int64_t i = 0; i < data.rows; ++i) {
    const std::int64_t a = result.island[static_cast<std::size_t>(i)];
    if (a < 0) continue;
    for (std::int64_t e = data.begin[i]; e < data.begin[i + 1]; ++e) {
      all[a] += 1;
      if (const std::int64_t b = result.island[static_cast<std::size_t>(data.column[e])]; b >= 0) across(a, b) += 1;
    }
  }
  for (std::int64_t smaller = 1; smaller < count; ++smaller)
    for (std::int64_t other = 0; other < smaller; ++other)
      if (const double share = across(smaller, other) / all[smaller]; share >= from) result.torn.push_back({smaller, other, share});
  std::stable_sort(result.torn.begin(), result.torn.end(), [](const auto& a, const auto& b) { return a.share > b.share; });
}

void find_glued(const Csr& data, std::int64_t least, Islands& result) {
  const auto of = [&](std::int64_t i) { return result.island[static_cast<std::size_t>(i)]; };
  const Csr within = mutual(data, [&](std::int64_t i, std::int64_t j) { return of(i) >= 0 && of(i) == of(j); });
  std::vector<std::vector<std::int64_t>> parts(result.sizes.size());
  for (const auto& members : large_components(within, least)) parts[static_cast<std::size_t>(of(members.front()))].push_back(static_cast<std::int64_t>(members.size()));
  for (std::size_t island = 0; island < parts.size(); ++island)
    if (parts[island].size() > 1) result.glued.push_back({static_cast<std::int64_t>(island), parts[island]});
}

}  // namespace

std::vector<double> neighbours_shared(const Matrix& embedding, const std::vector<Matrix>& others, std::int64_t k, const Context& context) {
  const Csr own = neighbours(embedding, k, context);
  std::vector<double> shared(static_cast<std::size_t>(embedding.rows()));
  for (const Matrix& other : others) {
    require(other.rows() == embedding.rows(), Fault::internal, "[stability] expected embeddings of the same points, found {} and {}", embedding.rows(), other.rows());
    const std::vector<double> found = shares(own, neighbours(other, k, context));
    for (std::size_t i = 0; i < shared.size(); ++i) shared[i] += found[i];
  }
  for (double& share : shared) share /= static_cast<double>(others.size());
  return shared;
}

bool serves_islands(const Csr& graph) { return fewest(graph) >= least_neighbours; }

Islands islands(const Matrix& input, const Matrix& embedding, const Csr* graph, const IslandOptions& options, const Context& context) {
  require(input.rows() == embedding.rows(), Fault::internal, "[islands] expected as many embedded as given points, found {} and {}", embedding.rows(), input.rows());
  const std::int64_t n = input.rows(), k = std::min(options.neighbours, (n - 1) / 2);
  Islands result;
  result.island.assign(static_cast<std::size_t>(n), -1);
  if (k < 1 || input.cols() == 0 || embedding.cols() == 0) return result;
  const Csr near = neighbours(embedding, k, context), data = graph ? nearest_of(*graph, input, std::min(k, fewest(*graph))) : neighbours(input, k, context);
  result.kept = shares(data, near);
  double farthest = options.reach;
  {
    engine::Vector radius(n);
    for (std::int64_t i = 0; i < n; ++i) {
      radius[i] = 0;
      for (std::int64_t e = near.begin[i]; e < near.begin[i + 1]; ++e) radius[i] = std::max(radius[i], (embedding.row(i) - embedding.row(near.column[e])).norm());
    }
    farthest *= median_of(radius);
  }
  const std::int64_t least = std::max<std::int64_t>(k + 1, static_cast<std::int64_t>(std::ceil(options.least_share * static_cast<double>(n))));
  const Csr joined = mutual(near, [&](std::int64_t i, std::int64_t j) { return (embedding.row(i) - embedding.row(j)).norm() <= farthest; });
  for (const std::vector<std::int64_t>& members : large_components(joined, least)) {
    for (const std::int64_t point : members) result.island[static_cast<std::size_t>(point)] = static_cast<std::int64_t>(result.sizes.size());
    result.sizes.push_back(static_cast<std::int64_t>(members.size()));
  }
  find_torn(data, options.torn_from, result);
  find_glued(data, least, result);
  return result;
}

}  // namespace calor::analyse
