// What stays: on a connected manifold only constants; with k clusters k slow modes, whose gaps say how deep a stack may be
// before clusters merge.
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "calor/core/random.h"
#include "calor/engine/solve/dense.h"
#include "calor/limit/experiments.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

MatrixXd kernel(const MatrixXd& points, double epsilon) {
  const VectorXd squared = points.rowwise().squaredNorm();
  MatrixXd distance = squared.replicate(1, points.rows()) + squared.transpose().replicate(points.rows(), 1) - 2 * points * points.transpose();
  return (distance.array().max(0) * (-0.5 / epsilon)).exp();
}

// Eigenvalues of S, descending: those of the symmetric D^(-1/2) W D^(-1/2).
VectorXd spectrum(const MatrixXd& weights) {
  const VectorXd root = weights.rowwise().sum().cwiseSqrt().cwiseInverse();
  return engine::symmetric_eigenvalues(root.asDiagonal() * weights * root.asDiagonal()).reverse();
}

// `each` uniform points of the disc of the given radius around every centre, one centre after the other.  Bounded, so that the
// clusters stay apart and no outlier is a cluster of its own.
MatrixXd discs(const std::vector<std::array<double, 2>>& centres, int each, double radius, std::uint64_t seed, std::uint64_t index) {
  Random random(seed, Purpose::test, 1000000 + index);
  MatrixXd points(static_cast<Eigen::Index>(centres.size()) * each, 2);
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const auto& centre = centres[static_cast<std::size_t>(i / each)];
    const double distance = radius * std::sqrt(random.uniform()), angle = random.uniform(0, 2 * std::numbers::pi);
    points.row(i) << centre[0] + distance * std::cos(angle), centre[1] + distance * std::sin(angle);
  }
  return points;
}

Series spectrum_series(const VectorXd& values, const std::string& name, Eigen::Index count) {
  Series series{name, {}, {}, false};
  for (Eigen::Index k = 0; k < count; ++k) {
    series.x.push_back(static_cast<double>(k + 1));
    series.y.push_back(values[k]);
  }
  return series;
}

Row constants_row(const Settings& settings) {
  Random random(settings.seed, Purpose::test, 2000000);
  const std::unique_ptr<Manifold> circle = make_ellipsoid({1, 1}, 0.5);
  const Sample sample = circle->random(400, random);
  const MatrixXd points = Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, 2, Eigen::RowMajor>>(sample.x.data(), sample.count, 2);
  const VectorXd values = spectrum(kernel(points, 0.05));
  const double stationary = static_cast<double>((values.array() > 1 - 1e-10).count());
  return judged({"stationary states of a connected manifold", "stationary", "stationary",
                 "On 400 random points of the circle exactly one function stays as it is: the constant.", 1, stationary, stationary, stationary, 0,
                 false, {{"Largest eigenvalues of S", "rank", "eigenvalue", false, false, {spectrum_series(values, "eigenvalues", 15)}}}});
}

// Modes before the largest relative gap of 1 - eigenvalue; the constant, whose 1 - eigenvalue is rounding, is one of them.
Eigen::Index slow_modes(const VectorXd& values) {
  Eigen::Index modes = 1;
  double largest = 0;
  for (Eigen::Index k = 1; k < 20; ++k) {
    const double gap = (1 - values[k + 1]) / std::max(1 - values[k], 1e-14);
    if (gap > largest) {
      largest = gap;
      modes = k + 1;
    }
  }
  return modes;
}

Row clusters_row(const Settings& settings, const Context& context) {
  const std::vector<std::array<double, 2>> centres = {{0, 0}, {1.6, 0.2}, {0.5, 1.7}, {2.3, 1.9}, {-1.4, 1.5}};
  double low = 1e9, high = 0, sum = 0;
  Plot plot{"Largest eigenvalues of S", "rank", "eigenvalue", false, false, {}};
  for (int k = 0; k < settings.seeds; ++k) {
    context.check_stop("limit");
    const VectorXd values = spectrum(kernel(discs(centres, 60, 0.4, settings.seed, static_cast<std::uint64_t>(k)), 0.02));
    const auto modes = static_cast<double>(slow_modes(values));
    low = std::min(low, modes);
    high = std::max(high, modes);
    sum += modes;
    if (k == 0) plot.series.push_back(spectrum_series(values, "first point set", 15));
  }
  return judged({"slow modes of five clusters", "stationary", "stationary",
                 "The eigenvalues near 1 count the clusters that are planted (interval: least and most over the point sets).",
                 static_cast<double>(centres.size()), sum / settings.seeds, low, high, 0, false, {plot}});
}

struct Merging {
  double near = 0, far = 0;                      // depths at which half of the difference is left
  double predicted_near = 0, predicted_far = 0;  // log 2 / -log eigenvalue
  Plot plot;
};

// The depth, with its fraction, at which the difference of two groups' means has fallen to half.
double half_depth(const MatrixXd& step, VectorXd h, const std::function<double(const VectorXd&)>& difference, Series& course) {
  const double begin = difference(h);
  double before = 1;
  for (int depth = 1; depth < 100000; ++depth) {
    h = step * h;
    const double left = difference(h) / begin;
    if (depth < 20 || depth % (depth / 20) == 0) {
      course.x.push_back(depth);
      course.y.push_back(left);
    }
    if (left < 0.5) return depth - (0.5 - left) / (before - left);
    before = left;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

// Clusters A and B near each other, C further away: A and B merge first, then C joins them.
Merging merge(std::uint64_t seed, std::uint64_t index) {
  constexpr int each = 60;
  const MatrixXd weights = kernel(discs({{0, 0}, {1.25, 0}, {2.7, 0}}, each, 0.4, seed, 1000 + index), 0.04);
  const VectorXd degree = weights.rowwise().sum();
  const MatrixXd step = degree.cwiseInverse().asDiagonal() * weights;
  const VectorXd values = spectrum(weights);
  Merging result;
  result.predicted_near = std::log(2.0) / -std::log(values[2]);
  result.predicted_far = std::log(2.0) / -std::log(values[1]);

  const auto mean = [&](const VectorXd& h, Eigen::Index from, Eigen::Index count) {
    return degree.segment(from, count).dot(h.segment(from, count)) / degree.segment(from, count).sum();
  };
  VectorXd near = VectorXd::Zero(3 * each), far = near;
  near.head(each).setConstant(1 / degree.head(each).sum());
  near.segment(each, each).setConstant(-1 / degree.segment(each, each).sum());
  far.tail(each).setOnes();
  Series near_course{"A - B", {}, {}, true}, far_course{"C - (A and B)", {}, {}, true};
  result.near = half_depth(step, near, [&](const VectorXd& h) { return mean(h, 0, each) - mean(h, each, each); }, near_course);
  result.far = half_depth(step, far, [&](const VectorXd& h) { return mean(h, 2 * each, each) - mean(h, 0, 2 * each); }, far_course);
  result.plot = {"Difference of cluster means against depth", "layers", "share left", true, false, {near_course, far_course}};
  return result;
}

std::vector<Row> merging_rows(const Settings& settings, const Context& context) {
  VectorXd near(settings.seeds), far(settings.seeds), wait(settings.seeds);
  Plot plot;
  for (int k = 0; k < settings.seeds; ++k) {
    context.check_stop("limit");
    const Merging one = merge(settings.seed, static_cast<std::uint64_t>(k));
    near[k] = one.near / one.predicted_near;
    far[k] = one.far / one.predicted_far;
    wait[k] = one.far > one.near ? 1 : 0;
    if (k == 0) plot = one.plot;
  }
  const MatrixXd ones = MatrixXd::Ones(settings.seeds, 1);
  const Estimate first = least_squares(ones, near)[0], second = least_squares(ones, far)[0];
  const double in_order = wait.sum();
  return {judged({"depth at which the near clusters merge", "stationary", "stationary",
                  "Two clusters keep their difference until log 2 / -log of their eigenvalue layers: the plateau (measured over predicted).", 1,
                  first.value, first.low, first.high, 0.1, false, {plot}}),
          judged({"depth at which the far cluster joins", "stationary", "stationary",
                  "The further cluster holds out longer, by its own eigenvalue (measured over predicted).", 1, second.value, second.low,
                  second.high, 0.1, false, {plot}}),
          judged({"clusters merge in the order of the gaps", "stationary", "stationary", "Point sets in which the near clusters merge first.",
                  static_cast<double>(settings.seeds), in_order, in_order, in_order, 0, false, {plot}})};
}

}  // namespace

std::vector<Row> stationary_rows(const Settings& settings, const Context& context) {
  std::vector<Row> rows{constants_row(settings), clusters_row(settings, context)};
  for (Row& row : merging_rows(settings, context)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace calor::limit
