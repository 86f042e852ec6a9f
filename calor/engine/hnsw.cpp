#include "calor/engine/hnsw.h"

#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/values.h"

namespace calor::engine {

namespace {

constexpr std::size_t links = 16, candidates = 200;  // recall above 0.99 on digits and Fashion-MNIST
constexpr std::int64_t sample_rows = 100;

// Centred and scaled to fit float; of unit length for cosines, whose order is that of the distances then.
Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> as_float(const Matrix& points, Metric metric) {
  Matrix scaled = points;
  if (metric == Metric::cosine) {
    for (Eigen::Index i = 0; i < scaled.rows(); ++i)
      if (const double norm = scaled.row(i).norm(); norm > 0) scaled.row(i) /= norm;
  } else {
    scaled.rowwise() -= points.colwise().mean();
    if (const double greatest = scaled.cwiseAbs().maxCoeff(); greatest > 0) scaled /= greatest;
  }
  return scaled.cast<float>();
}

struct Neighbour {
  double distance;
  std::int32_t column;
  bool operator<(const Neighbour& other) const {
    return distance != other.distance ? distance < other.distance : column < other.column;
  }
};

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

std::vector<double> distances_to(const Matrix& points, std::int64_t row, const std::vector<std::int32_t>& columns, Metric metric) {
  std::vector<double> distances;
  for (const std::int32_t j : columns) distances.push_back(distance(points, row, points, j, metric));
  std::sort(distances.begin(), distances.end());
  return distances;
}

std::vector<std::int32_t> nearest_of(std::vector<Neighbour> found, std::int64_t k) {
  const auto keep = std::min<std::size_t>(found.size(), static_cast<std::size_t>(k));
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(keep), found.end());
  std::vector<std::int32_t> columns;
  for (std::size_t e = 0; e < keep; ++e) columns.push_back(found[e].column);
  std::sort(columns.begin(), columns.end());
  return columns;
}

bool allowed(const NeighbourOptions& options, std::int64_t row, std::int64_t column) {
  return column != row && (!options.allowed || (*options.allowed)[static_cast<std::size_t>(column)]);
}

std::vector<std::int32_t> exact_row(const Matrix& points, const NeighbourOptions& options, std::int64_t row) {
  std::vector<Neighbour> all;
  for (std::int64_t j = 0; j < points.rows(); ++j)
    if (allowed(options, row, j)) all.push_back({distance(points, row, points, j, options.metric), static_cast<std::int32_t>(j)});
  return nearest_of(std::move(all), options.k);
}

double measured_recall(const Matrix& points, const NeighbourOptions& options, const std::vector<std::vector<std::int32_t>>& found,
                       const std::vector<std::int64_t>& rows, const Context& context) {
  std::vector<std::int64_t> hits(rows.size(), 0), total(rows.size(), 0);
  parallel_for(static_cast<std::int64_t>(rows.size()), context.threads, [&](std::int64_t s) {
    context.check_stop("knn");
    const std::vector<std::int32_t> exact = exact_row(points, options, rows[s]);
    const auto far = [&](const std::vector<std::int32_t>& columns) { return distances_to(points, rows[s], columns, options.metric); };
    hits[s] = met(far(exact), far(found[rows[s]]), options.metric);
    total[s] = static_cast<std::int64_t>(exact.size());
  });
  double hit = 0, all = 0;
  for (std::size_t s = 0; s < rows.size(); ++s) hit += static_cast<double>(hits[s]), all += static_cast<double>(total[s]);
  return all > 0 ? hit / all : 1;
}

}  // namespace

ApproximateNeighbours approximate_neighbours(const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context) {
  const std::int64_t n = points.rows();
  const auto width = static_cast<std::size_t>(points.cols());
  context.memory.require(static_cast<std::uint64_t>(n) * (12 * width + 8 * links + 32 + 8 * static_cast<std::uint64_t>(options.k)), "knn",
                         fmt::format("the index of {} points", n), "give fewer points, or raise --max-memory");
  const auto values = as_float(points, options.metric);
  hnswlib::L2Space space(width);
  hnswlib::HierarchicalNSW<float> index(&space, static_cast<std::size_t>(std::max<std::int64_t>(1, n)), links, candidates, seed);
  constexpr std::int64_t between_reports = 256;
  for (std::int64_t i = 0; i < n; ++i) {
    if (i % between_reports == 0) {
      context.check_stop("knn");
      context.advance(static_cast<double>(i), static_cast<double>(2 * n), "nearest neighbours");
    }
    if (!options.allowed || (*options.allowed)[static_cast<std::size_t>(i)]) index.addPoint(values.row(i).data(), static_cast<std::size_t>(i));
  }
  index.setEf(std::max(candidates, static_cast<std::size_t>(2 * options.k + 2)));

  std::vector<std::vector<std::int32_t>> found(static_cast<std::size_t>(n));
  std::atomic<std::int64_t> done{0};
  parallel_for((n + between_reports - 1) / between_reports, context.threads, [&](std::int64_t p) {
    context.check_stop("knn");
    for (std::int64_t i = p * between_reports; i < std::min(n, (p + 1) * between_reports); ++i) {
      auto queue = index.searchKnn(values.row(i).data(), static_cast<std::size_t>(options.k + 1));
      std::vector<Neighbour> candidates_of_row;
      for (; !queue.empty(); queue.pop())
        if (const auto to = static_cast<std::int64_t>(queue.top().second); allowed(options, i, to))
          candidates_of_row.push_back({distance(points, i, points, to, options.metric), static_cast<std::int32_t>(to)});
      // A corner of the graph that the search did not get out of is searched exactly.
      found[i] = static_cast<std::int64_t>(candidates_of_row.size()) < options.k ? exact_row(points, options, i)
                                                                                : nearest_of(std::move(candidates_of_row), options.k);
    }
    context.advance(static_cast<double>(n + (done += between_reports)), static_cast<double>(2 * n), "nearest neighbours");
  });

  Random random(seed, Purpose::permutation);
  std::vector<std::int64_t> rows = permutation(n, random);
  rows.resize(static_cast<std::size_t>(std::min(n, sample_rows)));
  ApproximateNeighbours result;
  result.sampled = static_cast<std::int64_t>(rows.size());
  result.recall = measured_recall(points, options, found, rows, context);
  result.graph.rows = result.graph.columns = n;
  for (const std::vector<std::int32_t>& columns : found) {
    result.graph.column.insert(result.graph.column.end(), columns.begin(), columns.end());
    result.graph.begin.push_back(result.graph.edges());
  }
  return result;
}

}  // namespace calor::engine
