// match(gaussian, kl): SNE's map.  q_j|i proportional to exp(-|y_i - y_j|^2) within each row, and the divergence of Q from the given P, whose
// rows add up to 1.  The loss never rises.  O(N^2 dims) a step, 8 N^2 bytes over all pairs.  Hinton & Roweis 2002.
// A new point stands where KL(p_i || q_i) against the fixed points is least.
#include <algorithm>
#include <cmath>

#include "calor/engine/solve/gaussian_descent.h"
#include "calor/engine/solve/start.h"
#include "calor/propagate/match_families.h"

namespace calor::propagate {

using namespace pipeline;

namespace {

constexpr std::int64_t usual_most = 1000;
constexpr double start_deviation = 1e-2, shake_share = 0.01;

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const GaussianLoss loss(state.similarity, context);
  Matrix y = match_start(state, arguments, nullptr, false, context);
  scale_to(y, start_deviation);
  shake(y, arguments.word("start") == "random" ? start_deviation : shake_share * start_deviation, state.seed);
  DownhillOptions options;
  options.most_steps = match_steps(arguments, usual_most);
  options.tolerance = arguments.number("tolerance");
  Downhill found = gaussian_descent(loss, y, options, context);
  if (!found.settled) state.note("match", fmt::format("the divergence was still falling after {} steps: raise max_iterations", options.most_steps));
  state.figures["kl"] = found.values.back();
  state.figures["steps"] = static_cast<double>(found.values.size() - 1);
  state.series["kl"] = std::move(found.values);
  kept.keep_rows("points", y);
  state.points = std::make_shared<const Matrix>(std::move(y));
}

// sum_j p_j |y - y_j|^2 + log sum_k exp(-|y - y_k|^2).
double place_loss(const PlacedPoint& point, const Arguments&, const Kept&, const double* y, double* gradient) {
  using Rows = Eigen::Map<const Matrix>;
  const std::int64_t dims = point.fixed.cols();
  const Eigen::Map<const Eigen::RowVectorXd> at(y, dims);
  const Rows others(point.others.at.data(), point.others.count(), dims);
  const Eigen::Map<const Vector> number(point.others.number.data(), point.others.count());
  const Vector squares = (others.rowwise() - at).rowwise().squaredNorm();
  const double nearest = squares.minCoeff();
  const Vector weights = (nearest - squares.array()).exp() * number.array();
  const double sum = weights.sum();
  Eigen::RowVectorXd slope = (weights.transpose() * others) / sum;
  double loss = std::log(sum) - nearest;
  for (std::int64_t e = 0; e < point.count; ++e) {
    const auto similar = point.fixed.row(point.columns[e]);
    loss += point.shares[e] * (similar - at).squaredNorm();
    slope -= point.shares[e] * similar;
  }
  Eigen::Map<Eigen::RowVectorXd>(gradient, dims) = 2 * slope;
  return loss;
}

void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) { place_each(state, arguments, kept, place_loss, 0, context); }

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double n = estimate.rows, usual_steps = std::min(300.0, static_cast<double>(match_steps(arguments, usual_most)));
  constexpr double pair_cost = 60;  // multiply-adds: three exponentials
  estimate.use((estimate.edges > 0 ? 48 * estimate.edges : 8 * n * n) + 8 * n * arguments.number("dims") * 30);
  estimate.operations += usual_steps * n * n * pair_cost;
}

void outline(Outline& outline, const Arguments&) {
  require_strengthened(outline, "exp(perplexity=..) | row");
  require_square(outline, "match", "compare the points with themselves");
}

}  // namespace

const MatchFamily gaussian_family{"gaussian", "kl", run, place, estimate, outline};

}  // namespace calor::propagate
