#include "calor/engine/lloyd.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/engine/cloud.h"
#include "calor/engine/first_centres.h"

namespace calor::engine {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
// Double rounding of a distance and of a bound's updates, with room to spare.
constexpr double slack = 1e-12;
// Starts that find the same clusters differ in inertia by rounding, and in the clusters' numbers: the first of them stays, whatever the order of sums.
constexpr double the_same = 1e-10;
// Of all squared distances to the mean: a squared distance that is 0 but for the rounding of centres.
constexpr double nothing = 1e-28;

kernels::PointsView view(const Matrix& points) { return {points.data(), points.rows(), points.cols(), nullptr}; }

// About the mean of all blocks' points.
kernels::Frame frame_of(const Matrix& points, const OtherBlocks& others, const Context& context) {
  kernels::Frame frame(view(points), view(points), false, context);
  const Matrix rows = others.each(Vector::Constant(1, static_cast<double>(points.rows())));
  if (rows.rows() == 1) return frame;
  const Eigen::Index dim = points.cols();
  Eigen::Map<Vector> centre(frame.centre.data(), dim);
  centre = others.sums(centre * static_cast<double>(points.rows())) / std::max(1.0, rows.sum());
  const double own = points.size() ? (points.rowwise() - centre.transpose()).cwiseAbs().maxCoeff() : 0, extent = others.each(Vector::Constant(1, own)).maxCoeff();
  frame.scale = extent > 0 ? std::ldexp(1.0, -std::ilogb(extent)) : 1;
  return frame;
}

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

// Sums of the points of each centre in all blocks; those of the own block are changed by the points that changed their centre.
class Sums {
 public:
  Sums(const Cloud& cloud, std::int64_t k, const OtherBlocks& others)
      : cloud_(cloud), others_(others), at_(static_cast<std::size_t>(cloud.size()), -1), sizes_(Vector::Zero(k)), all_sizes_(Vector::Zero(k)),
        sums_(Matrix::Zero(k, cloud.dim())), all_sums_(Matrix::Zero(k, cloud.dim())) {}

  // True when a point of any block changed its centre.
  bool follow(const std::vector<std::int64_t>& nearest, const Context& context) {
    const double changed = follow_own(nearest, context);
    Vector numbers(sums_.size() + sizes_.size() + 1);
    numbers << sums_.reshaped<Eigen::RowMajor>(), sizes_, changed;
    numbers = others_.sums(numbers);
    all_sums_ = Eigen::Map<const Matrix>(numbers.data(), sums_.rows(), sums_.cols());
    all_sizes_ = numbers.segment(sums_.size(), sizes_.size());
    return numbers[numbers.size() - 1] > 0;
  }

  // How many points each centre has in all blocks.
  const Vector& sizes() const { return all_sizes_; }
  void means(Matrix& centres) const {
    for (std::int64_t c = 0; c < centres.rows(); ++c)
      if (all_sizes_[c] > 0) centres.row(c) = all_sums_.row(c) / all_sizes_[c];
  }

 private:
  bool follow_own(const std::vector<std::int64_t>& nearest, const Context& context) {
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

  const Cloud& cloud_;
  const OtherBlocks& others_;
  std::vector<std::int64_t> at_;
  Vector sizes_, all_sizes_;
  Matrix sums_, all_sums_;
};

// The point of all blocks that is farthest from its centre, the first of equal ones.
struct Farthest {
  double distance = 0;
  std::int64_t centre = 0, row = -1;  // in the own block; -1: in another
};

Farthest farthest_of(const Vector& distance, const Assignment& assignment, const OtherBlocks& others) {
  Eigen::Index row = -1, block = 0;
  const double most = distance.size() ? distance.maxCoeff(&row) : -infinity;
  const Matrix all = others.each(Eigen::Vector2d(most, row < 0 ? 0 : static_cast<double>(assignment.nearest[static_cast<std::size_t>(row)])));
  Farthest found;
  found.distance = all.col(0).maxCoeff(&block);
  found.centre = static_cast<std::int64_t>(all(block, 1));
  if (block == others.own()) found.row = row;
  return found;
}

// An empty centre takes the farthest point, which leaves its own; none whose squared distance is within `rounding` of 0.
void fill_empty(const Matrix& centres, Assignment& assignment, Sums& sums, double rounding, const OtherBlocks& others, const Context& context) {
  Vector left = sums.sizes();
  if ((left.array() == 0).count() == 0) return;
  Vector distance = assignment.distances(centres, context);
  for (std::int64_t c = 0; c < centres.rows(); ++c) {
    if (left[c] > 0) continue;
    const Farthest farthest = farthest_of(distance, assignment, others);
    if (farthest.distance <= rounding || left[farthest.centre] < 2) continue;  // fewer places than centres
    --left[farthest.centre];
    left[c] = 1;
    if (farthest.row < 0) continue;
    assignment.give(farthest.row, c);
    distance[farthest.row] = 0;
  }
  sums.follow(assignment.nearest, context);
}

}  // namespace

Centres lloyd(const Matrix& points, const LloydOptions& options, const Context& context, const OtherBlocks& others) {
  const auto total = [&](double own) { return others.sums(Vector::Constant(1, own))[0]; };
  const auto n = static_cast<std::int64_t>(total(static_cast<double>(points.rows())));
  require(options.k <= n, Fault::input, "[centres] expected at most as many centres as points, found {} for {} points: give a smaller k, or more points",
          options.k, n);
  const Cloud cloud(points, frame_of(points, others, context), context);
  double squares = 0;
  for (std::int64_t i = 0; i < cloud.size(); ++i) squares += cloud.rows().square(i);
  squares = total(squares);
  StartsDone best = options.from ? *options.from : StartsDone();
  Centres result;
  for (std::int64_t start = best.starts; start < options.starts; ++start) {
    Random random(options.seed, Purpose::weights, static_cast<std::uint64_t>(start));
    Matrix centres = first_centres(cloud, options.k, random, others, context);
    Assignment assignment(cloud);
    Sums sums(cloud, options.k, others);
    for (std::int64_t step = 0;; ++step) {
      context.check_stop("centres");
      assignment.update(centres, context);
      if (step == options.most || !sums.follow(assignment.nearest, context)) break;
      fill_empty(centres, assignment, sums, nothing * squares, others, context);
      const Matrix before = centres;
      sums.means(centres);
      assignment.moved(before, centres, context);
    }
    const double inertia = total(assignment.distances(centres, context).sum());
    if (start == 0 || best.inertia - inertia > the_same * best.inertia + nothing * squares) {
      best.at = centres;
      best.inertia = inertia;
      result.nearest = std::move(assignment.nearest);
    }
    best.starts = start + 1;
    if (options.done) options.done(best);
    context.advance(static_cast<double>(start + 1), static_cast<double>(options.starts), "centres");
  }
  if (result.nearest.empty()) {  // no start of this run was better
    Assignment assignment(cloud);
    assignment.update(best.at, context);
    result.nearest = std::move(assignment.nearest);
  }
  result.at = cloud.outside(best.at);
  result.inertia = best.inertia / (cloud.scale() * cloud.scale());
  return result;
}

Centres assign_nearest(const Matrix& points, const Matrix& centres, const Context& context) {
  const Cloud cloud(points, kernels::Frame(view(points), view(centres), false, context), context);
  const Matrix inside = cloud.inside(centres);
  Assignment assignment(cloud);
  assignment.update(inside, context);
  Centres result{centres, {}, assignment.distances(inside, context).sum() / (cloud.scale() * cloud.scale())};
  result.nearest = std::move(assignment.nearest);
  return result;
}

}  // namespace calor::engine
