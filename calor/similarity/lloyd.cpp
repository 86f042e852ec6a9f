#include "calor/similarity/lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"

namespace calor::similarity {

using namespace pipeline;

namespace {

constexpr std::int64_t piece = 256;

struct Cloud {
  Matrix points;  // centred, so that products keep their digits
  Vector squares;
};

// The nearest centre and its squared distance for each point; |x - c|^2 from one product a piece.
void nearest_centres(const Cloud& cloud, const Matrix& centres, std::vector<std::int64_t>& nearest, Vector& distance, const Context& context) {
  const Vector squares = centres.rowwise().squaredNorm();
  const std::int64_t n = cloud.points.rows();
  parallel_for((n + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    const std::int64_t first = p * piece, count = std::min(piece, n - first);
    Matrix tile(count, centres.rows());
    tile.noalias() = cloud.points.middleRows(first, count) * centres.transpose();
    for (std::int64_t a = 0; a < count; ++a) {
      Eigen::Index best = 0;
      (squares.transpose() - 2 * tile.row(a)).minCoeff(&best);
      nearest[first + a] = best;
      distance[first + a] = std::max(0.0, cloud.squares[first + a] + squares[best] - 2 * tile(a, best));
    }
  });
}

Vector squared_distances_to(const Cloud& cloud, std::int64_t row) {
  const Vector products = cloud.points * cloud.points.row(row).transpose();
  return ((cloud.squares.array() + cloud.squares[row]) - 2 * products.array()).cwiseMax(0);
}

Matrix first_centres(const Cloud& cloud, std::int64_t k, Random& random) {
  const std::int64_t n = cloud.points.rows();
  const int trials = 2 + static_cast<int>(std::log(static_cast<double>(k)));
  Matrix centres(k, cloud.points.cols());
  std::int64_t chosen = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  Vector nearest = squared_distances_to(cloud, chosen);
  nearest[chosen] = 0;
  centres.row(0) = cloud.points.row(chosen);
  for (std::int64_t c = 1; c < k; ++c) {
    const double total = nearest.sum();
    Vector best = nearest;
    double least = std::numeric_limits<double>::infinity();
    for (int trial = 0; trial < trials; ++trial) {
      double left = random.uniform() * total;
      std::int64_t candidate = 0;
      while (candidate + 1 < n && left >= nearest[candidate]) left -= nearest[candidate++];
      Vector next = nearest.cwiseMin(squared_distances_to(cloud, candidate));
      next[candidate] = 0;
      if (const double sum = next.sum(); sum < least) {
        least = sum;
        best = std::move(next);
        chosen = candidate;
      }
    }
    nearest = std::move(best);
    centres.row(c) = cloud.points.row(chosen);
  }
  return centres;
}

// Means of the points of each centre; an empty one takes the farthest point, which leaves its own.
void move_centres(const Cloud& cloud, Matrix& centres, std::vector<std::int64_t>& nearest, Vector& distance) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(centres.rows()), 0);
  for (const std::int64_t c : nearest) ++sizes[c];
  for (std::int64_t c = 0; c < centres.rows(); ++c) {
    if (sizes[c] > 0) continue;
    Eigen::Index farthest = 0;
    if (distance.maxCoeff(&farthest) <= 0 || sizes[nearest[farthest]] < 2) continue;  // fewer places than centres
    --sizes[nearest[farthest]];
    nearest[farthest] = c;
    distance[farthest] = 0;
    sizes[c] = 1;
  }
  Matrix sums = Matrix::Zero(centres.rows(), centres.cols());
  for (std::int64_t i = 0; i < cloud.points.rows(); ++i) sums.row(nearest[i]) += cloud.points.row(i);
  for (std::int64_t c = 0; c < centres.rows(); ++c)
    if (sizes[c] > 0) centres.row(c) = sums.row(c) / static_cast<double>(sizes[c]);
}

}  // namespace

Centres lloyd(const Matrix& points, const LloydOptions& options, const Context& context) {
  const std::int64_t n = points.rows();
  require(options.k <= n, Fault::input, "[centres] expected at most as many centres as points, found {} for {} points", options.k, n);
  const Eigen::RowVectorXd middle = points.colwise().mean();
  Cloud cloud{points.rowwise() - middle, {}};
  cloud.squares = cloud.points.rowwise().squaredNorm();
  Centres best;
  best.inertia = std::numeric_limits<double>::infinity();
  for (std::int64_t start = 0; start < options.starts; ++start) {
    context.check_stop("centres");
    Random random(options.seed, Purpose::weights, static_cast<std::uint64_t>(start));
    Centres run;
    run.at = first_centres(cloud, options.k, random);
    run.nearest.assign(static_cast<std::size_t>(n), -1);
    Vector distance(n);
    std::vector<std::int64_t> before;
    for (std::int64_t step = 0;; ++step) {
      context.check_stop("centres");
      nearest_centres(cloud, run.at, run.nearest, distance, context);
      if (run.nearest == before || step == options.most) break;
      before = run.nearest;
      move_centres(cloud, run.at, run.nearest, distance);
    }
    run.inertia = distance.sum();
    if (run.inertia < best.inertia) best = std::move(run);
    context.advance(static_cast<double>(start + 1), static_cast<double>(options.starts), "centres");
  }
  best.at.rowwise() += middle;
  return best;
}

Centres assign_nearest(const Matrix& points, const Matrix& centres, const Context& context) {
  const Eigen::RowVectorXd middle = centres.colwise().mean();
  Cloud cloud{points.rowwise() - middle, {}};
  cloud.squares = cloud.points.rowwise().squaredNorm();
  Centres result;
  result.at = centres;
  result.nearest.assign(static_cast<std::size_t>(points.rows()), -1);
  Vector distance(points.rows());
  nearest_centres(cloud, centres.rowwise() - middle, result.nearest, distance, context);
  result.inertia = distance.sum();
  return result;
}

}  // namespace calor::similarity
