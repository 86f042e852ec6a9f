#include "calor/engine/hnsw.h"

#include <hnswlib/hnswlib.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/nearest_list.h"
#include "calor/engine/points.h"

namespace calor::engine {

namespace {

constexpr std::size_t links = 16, candidates = 200;  // recall above 0.99 on digits and Fashion-MNIST

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

}  // namespace

ApproximateNeighbours neighbours_by_hnsw(const Matrix& points, const NeighbourOptions& options, std::uint64_t seed, const Context& context) {
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
      NearestList nearest(options.k);
      std::int64_t met = 0;
      for (; !queue.empty(); queue.pop())
        if (const auto to = static_cast<std::int64_t>(queue.top().second); options.may_be(i, to)) {
          nearest.offer(distance(points, i, points, to, options.metric), static_cast<std::int32_t>(to));
          ++met;
        }
      found[i].resize(static_cast<std::size_t>(options.k));
      // A corner of the graph that the search did not get out of is searched exactly.
      if (met < options.k) found[i] = neighbours_of_row(points, i, options);
      else nearest.take(found[i].data());
    }
    context.advance(static_cast<double>(n + (done += between_reports)), static_cast<double>(2 * n), "nearest neighbours");
  });

  return with_recall(graph_of_lists(n, found), points, options, seed, context);
}

}  // namespace calor::engine
