#include "calor/engine/lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/kernels/neighbours.h"
#include "calor/kernels/packed_centres.h"

namespace calor::engine {

namespace {

constexpr std::int64_t piece = 256;
constexpr double infinity = std::numeric_limits<double>::infinity();
// Double rounding of a distance and of a bound's updates, with room to spare.
constexpr double slack = 1e-12;

// Points seen from a frame, (x - centre) scale: exactly, row by row, and as floats.
class Cloud {
 public:
  Cloud(const Matrix& points, const kernels::PointsView& about, const Context& context)
      : points_(points), frame_(view(points), about, false, context), rows_(view(points), frame_, context) {}

  static kernels::PointsView view(const Matrix& points) { return {points.data(), points.rows(), points.cols(), nullptr}; }

  std::int64_t size() const { return points_.rows(); }
  std::int64_t dim() const { return points_.cols(); }
  const kernels::PackedRows& rows() const { return rows_; }
  // How far an estimate from float products may be off, for squares that sum to `squares`.
  double error(double squares) const { return frame_.relative * squares + frame_.absolute; }
  double scale() const { return frame_.scale; }

  void place(std::int64_t i, Vector& z) const {
    z.resize(dim());
    for (std::int64_t c = 0; c < dim(); ++c) z[c] = (points_(i, c) - frame_.centre[c]) * frame_.scale;
  }
  Matrix inside(const Matrix& points) const { return ((points.rowwise() - middle()) * frame_.scale); }
  Matrix outside(const Matrix& centres) const { return (centres / frame_.scale).rowwise() + middle(); }

  void for_pieces(const Context& context, const std::function<void(std::int64_t, std::int64_t)>& visit) const {
    parallel_for((size() + piece - 1) / piece, context.threads, [&](std::int64_t p) {
      context.check_stop("centres");
      visit(p * piece, std::min(size(), (p + 1) * piece));
    });
  }

 private:
  Eigen::Map<const Eigen::RowVectorXd> middle() const { return {frame_.centre.data(), dim()}; }

  const Matrix& points_;
  kernels::Frame frame_;
  kernels::PackedRows rows_;
};

// The nearest centre of every point, kept from step to step with bounds on its distance and on that of every other: while the
// first is below the second the point need not be looked at (Hamerly 2010, "Making k-means even faster").
class Assignment {
 public:
  explicit Assignment(const Cloud& cloud)
      : nearest(static_cast<std::size_t>(cloud.size()), -1), cloud_(cloud), upper_(cloud.size()), lower_(cloud.size()) {
    upper_.setConstant(infinity);
    lower_.setZero();
  }

  std::vector<std::int64_t> nearest;

  void update(const Matrix& centres, const Context& context) {
    const kernels::PackedCentres packed(centres.data(), centres.rows(), centres.cols());
    cloud_.for_pieces(context, [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::int64_t> which;
      for (std::int64_t i = begin; i < end; ++i)
        if (!(upper_[i] < lower_[i])) which.push_back(i);
      std::vector<float> products(which.size() * static_cast<std::size_t>(packed.stride()));
      packed.products(cloud_.rows(), which.data(), static_cast<std::int64_t>(which.size()), products.data());
      Vector z;
      for (std::size_t n = 0; n < which.size(); ++n)
        decide(which[n], products.data() + n * static_cast<std::size_t>(packed.stride()), packed, centres, z);
    });
  }

  // The centres have moved from `before` to `after`.
  void moved(const Matrix& before, const Matrix& after, const Context& context) {
    const Vector moves = (after - before).rowwise().norm() * (1 + slack);
    Eigen::Index farthest = 0;
    const double most = moves.maxCoeff(&farthest);
    double second = 0;
    for (Eigen::Index c = 0; c < moves.size(); ++c)
      if (c != farthest) second = std::max(second, moves[c]);
    cloud_.for_pieces(context, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        upper_[i] = (upper_[i] + moves[nearest[i]]) * (1 + slack);
        lower_[i] = (lower_[i] - (nearest[i] == farthest ? second : most)) * (1 - slack);
      }
    });
  }

  void give(std::int64_t i, std::int64_t centre) {
    nearest[i] = centre;
    upper_[i] = infinity;
    lower_[i] = 0;
  }

  // Squared distances to the nearest centres.
  Vector distances(const Matrix& centres, const Context& context) const {
    Vector result(cloud_.size());
    cloud_.for_pieces(context, [&](std::int64_t begin, std::int64_t end) {
      Vector z;
      for (std::int64_t i = begin; i < end; ++i) {
        cloud_.place(i, z);
        result[i] = kernels::squared_distance(z.data(), centres.row(nearest[i]).data(), cloud_.dim());
      }
    });
    return result;
  }

 private:
  // From products where they tell the two least apart, else from differences; equal distances go to the lower centre.
  void decide(std::int64_t i, const float* products, const kernels::PackedCentres& packed, const Matrix& centres, Vector& z) {
    const double square = cloud_.rows().square(i);
    const auto choose = [&](const auto& distance) {
      double least = infinity, second = infinity;
      for (std::int64_t c = 0; c < centres.rows(); ++c) {
        const double far = distance(c);
        if (far < least) {
          second = least;
          least = far;
          nearest[i] = c;
        } else {
          second = std::min(second, far);
        }
      }
      return std::pair{least, second};
    };
    double error = cloud_.error(square + packed.greatest_square());
    auto [least, second] = choose([&](std::int64_t c) { return square + packed.square(c) - 2 * static_cast<double>(products[c]); });
    if (second - least <= 2 * error) {
      cloud_.place(i, z);
      std::tie(least, second) =
          choose([&](std::int64_t c) { return kernels::squared_distance(z.data(), centres.row(c).data(), cloud_.dim()); });
      error = 0;
    }
    upper_[i] = std::sqrt(std::max(0.0, least + error)) * (1 + slack);
    lower_[i] = std::sqrt(std::max(0.0, second - error)) * (1 - slack);
  }

  const Cloud& cloud_;
  Vector upper_, lower_;
};

// Sums of the points of each centre, changed by the points that changed their centre.
class Sums {
 public:
  Sums(const Cloud& cloud, std::int64_t k)
      : cloud_(cloud), at_(static_cast<std::size_t>(cloud.size()), -1), sizes_(static_cast<std::size_t>(k), 0),
        sums_(Matrix::Zero(k, cloud.dim())) {}

  // True when a point changed its centre.
  bool follow(const std::vector<std::int64_t>& nearest, const Context& context) {
    // Each part has its own sums, added in order: few enough that they stay smaller than the points.
    const std::int64_t n = cloud_.size(), parts = std::clamp<std::int64_t>(n / (4 * sums_.rows()), 1, 16), length = (n + parts - 1) / parts;
    std::vector<Matrix> changes(static_cast<std::size_t>(parts));
    parallel_for(parts, context.threads, [&](std::int64_t p) {
      Vector z;
      for (std::int64_t i = p * length; i < std::min(n, (p + 1) * length); ++i) {
        if (nearest[i] == at_[i]) continue;
        Matrix& change = changes[p];
        if (change.size() == 0) change.setZero(sums_.rows(), sums_.cols());
        cloud_.place(i, z);
        change.row(nearest[i]) += z;
        if (at_[i] >= 0) change.row(at_[i]) -= z;
      }
    });
    bool changed = false;
    for (const Matrix& change : changes)
      if (change.size()) {
        sums_ += change;
        changed = true;
      }
    for (std::int64_t i = 0; i < n; ++i) {
      if (nearest[i] == at_[i]) continue;
      ++sizes_[nearest[i]];
      if (at_[i] >= 0) --sizes_[at_[i]];
      at_[i] = nearest[i];
    }
    return changed;
  }

  std::vector<std::int64_t>& sizes() { return sizes_; }
  void means(Matrix& centres) const {
    for (std::int64_t c = 0; c < centres.rows(); ++c)
      if (sizes_[c] > 0) centres.row(c) = sums_.row(c) / static_cast<double>(sizes_[c]);
  }

 private:
  const Cloud& cloud_;
  std::vector<std::int64_t> at_, sizes_;
  Matrix sums_;
};

// Squared distances of all points to some of them, one row each; 0 for coinciding points.
Matrix squared_distances_to(const Cloud& cloud, const std::vector<std::int64_t>& chosen, const Context& context) {
  const auto count = static_cast<std::int64_t>(chosen.size());
  Matrix centres(count, cloud.dim()), result(count, cloud.size());
  Vector z;
  for (std::int64_t c = 0; c < count; ++c) {
    cloud.place(chosen[c], z);
    centres.row(c) = z;
  }
  const kernels::PackedCentres packed(centres.data(), count, cloud.dim());
  cloud.for_pieces(context, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> which(static_cast<std::size_t>(end - begin));
    std::iota(which.begin(), which.end(), begin);
    std::vector<float> products(which.size() * static_cast<std::size_t>(packed.stride()));
    packed.products(cloud.rows(), which.data(), end - begin, products.data());
    Vector point;
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t c = 0; c < count; ++c) {
        const double squares = cloud.rows().square(i) + packed.square(c);
        const double product = products[(i - begin) * packed.stride() + c];
        result(c, i) = squares - 2 * product;
        if (result(c, i) > 8 * cloud.error(squares)) continue;
        cloud.place(i, point);
        result(c, i) = kernels::squared_distance(point.data(), centres.row(c).data(), cloud.dim());
      }
  });
  return result;
}

Matrix first_centres(const Cloud& cloud, std::int64_t k, Random& random, const Context& context) {
  const std::int64_t n = cloud.size();
  const int trials = 2 + static_cast<int>(std::log(static_cast<double>(k)));
  Matrix centres(k, cloud.dim());
  Vector z;
  std::int64_t chosen = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  Vector nearest = squared_distances_to(cloud, {chosen}, context).row(0);
  cloud.place(chosen, z);
  centres.row(0) = z;
  for (std::int64_t c = 1; c < k; ++c) {
    const double total = nearest.sum();
    std::vector<std::int64_t> candidates;
    for (int trial = 0; trial < trials; ++trial) {
      double left = random.uniform() * total;
      std::int64_t candidate = 0;
      while (candidate + 1 < n && left >= nearest[candidate]) left -= nearest[candidate++];
      candidates.push_back(candidate);
    }
    Matrix distances = squared_distances_to(cloud, candidates, context);
    for (Eigen::Index t = 0; t < distances.rows(); ++t) distances.row(t) = distances.row(t).cwiseMin(nearest.transpose());
    Eigen::Index best = 0;
    distances.rowwise().sum().minCoeff(&best);
    nearest = distances.row(best);
    cloud.place(candidates[best], z);
    centres.row(c) = z;
  }
  return centres;
}

// An empty centre takes the farthest point, which leaves its own.
void fill_empty(const Matrix& centres, Assignment& assignment, Sums& sums, const Context& context) {
  std::vector<std::int64_t>& sizes = sums.sizes();
  if (std::count(sizes.begin(), sizes.end(), 0) == 0) return;
  Vector distance = assignment.distances(centres, context);
  std::vector<std::int64_t> left = sizes;
  for (std::int64_t c = 0; c < centres.rows(); ++c) {
    if (left[c] > 0) continue;
    Eigen::Index farthest = 0;
    if (distance.maxCoeff(&farthest) <= 0 || left[assignment.nearest[farthest]] < 2) continue;  // fewer places than centres
    --left[assignment.nearest[farthest]];
    assignment.give(farthest, c);
    distance[farthest] = 0;
    left[c] = 1;
  }
  sums.follow(assignment.nearest, context);
}

}  // namespace

Centres lloyd(const Matrix& points, const LloydOptions& options, const Context& context) {
  const std::int64_t n = points.rows();
  require(options.k <= n, Fault::input, "[centres] expected at most as many centres as points, found {} for {} points: give a smaller k, or more points",
          options.k, n);
  const Cloud cloud(points, Cloud::view(points), context);
  Centres best;
  best.inertia = infinity;
  for (std::int64_t start = 0; start < options.starts; ++start) {
    Random random(options.seed, Purpose::weights, static_cast<std::uint64_t>(start));
    Matrix centres = first_centres(cloud, options.k, random, context);
    Assignment assignment(cloud);
    Sums sums(cloud, options.k);
    for (std::int64_t step = 0;; ++step) {
      context.check_stop("centres");
      assignment.update(centres, context);
      if (step == options.most || !sums.follow(assignment.nearest, context)) break;
      fill_empty(centres, assignment, sums, context);
      const Matrix before = centres;
      sums.means(centres);
      assignment.moved(before, centres, context);
    }
    const double inertia = assignment.distances(centres, context).sum() / (cloud.scale() * cloud.scale());
    if (inertia < best.inertia) best = {centres, std::move(assignment.nearest), inertia};
    context.advance(static_cast<double>(start + 1), static_cast<double>(options.starts), "centres");
  }
  best.at = cloud.outside(best.at);
  return best;
}

Centres assign_nearest(const Matrix& points, const Matrix& centres, const Context& context) {
  const Cloud cloud(points, Cloud::view(centres), context);
  const Matrix inside = cloud.inside(centres);
  Assignment assignment(cloud);
  assignment.update(inside, context);
  Centres result{centres, {}, assignment.distances(inside, context).sum() / (cloud.scale() * cloud.scale())};
  result.nearest = std::move(assignment.nearest);
  return result;
}

}  // namespace calor::engine
