// match(rational, cross_entropy): UMAP's map.  Points are alike by 1 / (1 + a d^(2 b)), a and b fitted to min_dist and spread, and match
// weights in (0, 1] of a symmetric graph in the fuzzy cross-entropy, by stochastic descent.  O(epochs edges) time, O(edges) memory.
// McInnes, Healy & Melville 2018.
// A new point stands where its own cross-entropy against the fixed points is least, pulls and pushes in the proportion of the descent's
// (Damrich & Hamprecht 2021, theorem 1): nothing is drawn, and no point's place depends on others that come with it.
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/solve/rational_descent.h"
#include "calor/engine/solve/start.h"
#include "calor/propagate/match_families.h"

namespace calor::propagate {

using namespace pipeline;

namespace {

constexpr double many_points = 10000, shake_deviation = 1e-4, start_width = 10;  // umap-learn's

std::int64_t epochs_of(const Arguments& arguments, double n) { return match_steps(arguments, n <= many_points ? 500 : 200); }

// Each column over [0, start_width].
void stretch(Matrix& points) {
  for (Eigen::Index c = 0; c < points.cols(); ++c) {
    const double low = points.col(c).minCoeff(), extent = points.col(c).maxCoeff() - low;
    points.col(c).array() -= low;
    if (extent > 0) points.col(c) *= start_width / extent;
  }
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const Csr weights = symmetric_weights(state.similarity, context);
  match_rational(state, arguments, kept, weights, match_start(state, arguments, &weights, true, context), context);
}

}  // namespace

void match_rational(State& state, const Arguments& arguments, Kept& kept, const Csr& weights, Matrix start, const Context& context, const MoveShare& share) {
  const double greatest = *std::max_element(weights.values.begin(), weights.values.end());
  require(greatest <= 1 + 1e-9, Fault::usage, "[match] expected values of at most 1, found {:.6g}: put exp(cardinality=..) | union before it", greatest);
  RationalOptions options;
  options.curve = fit_curve(arguments.number("spread"), arguments.number("min_dist"));
  options.epochs = epochs_of(arguments, static_cast<double>(weights.rows));
  options.negatives = arguments.integer("negatives");
  options.rate = arguments.is_number("rate") ? arguments.number("rate") : 1;
  options.seed = state.seed;
  const double most = start.cwiseAbs().maxCoeff();
  if (most > 0) start *= start_width / most;
  shake(start, most > 0 ? shake_deviation : start_width, state.seed);
  stretch(start);
  Matrix points = rational_descent(weights, start, options, context, share);
  state.figures["a"] = options.curve.a;
  state.figures["b"] = options.curve.b;
  kept.keep_number("a", options.curve.a);
  kept.keep_number("b", options.curve.b);
  kept.keep_rows("points", points);
  state.points = std::make_shared<const Matrix>(std::move(points));
}

namespace {

// -sum_j s_j log w_j - (negatives / 2 N) sum_k log(1 - w_k + near): the descent's expectation for a pull of weight 1.
double place_loss(const PlacedPoint& point, const Arguments& arguments, const Kept& kept, const double* y, double* gradient) {
  constexpr double near = 1e-3;
  const std::int64_t dims = point.fixed.cols();
  const double a = kept.number("a"), b = kept.number("b"), push = arguments.number("negatives") / (2 * static_cast<double>(point.fixed.rows()));
  std::fill_n(gradient, dims, 0.0);
  double loss = 0;
  // Adds weight * value(power = d^(2 b)), whose derivative by log d^2 is slope(power).
  const auto add = [&](double weight, const auto& other, auto value, auto slope) {
    double square = 0;
    for (std::int64_t c = 0; c < dims; ++c) square += (y[c] - other(c)) * (y[c] - other(c));
    const double power = square > 0 ? std::pow(square, b) : 0;
    loss += weight * value(power);
    if (square == 0) return;
    for (std::int64_t c = 0; c < dims; ++c) gradient[c] += 2 * weight * slope(power) / square * (y[c] - other(c));
  };
  for (std::int64_t e = 0; e < point.count; ++e)
    add(point.shares[e], [&](std::int64_t c) { return point.fixed(point.columns[e], c); }, [&](double power) { return std::log1p(a * power); },
        [&](double power) { return a * b * power / (1 + a * power); });
  for (std::int64_t j = 0; j < point.others.count(); ++j)
    add(push * point.others.number[j], [&](std::int64_t c) { return point.others.at[j * dims + c]; }, [&](double power) { return -std::log(1 - 1 / (1 + a * power) + near); },
        [&](double power) {
          const double below = 1 + a * power;
          return -a * b * power / (below * below * (1 - 1 / below + near));
        });
  return loss;
}

void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) { place_each(state, arguments, kept, place_loss, seen_angle / std::max(1.0, kept.number("b")), context); }

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double n = estimate.rows, edges = estimate.edges > 0 ? estimate.edges : n * n, epochs = static_cast<double>(epochs_of(arguments, n));
  constexpr double move_cost = 180;  // multiply-adds, sixteen moves at once
  estimate.use(48 * edges + 24 * n * arguments.number("dims"));
  estimate.operations += epochs * (edges + 0.5 * edges * (2 + arguments.number("negatives")) * move_cost);
}

void outline(Outline& outline, const Arguments&) {
  require_strengthened(outline, "exp(cardinality=..) | union");
  require_square(outline, "match", "compare the points with themselves");
  require(outline.may(outline.equal_both_ways), Fault::usage, "[match] expected a symmetric similarity, found one that is not: put union before it");
}

}  // namespace

const MatchFamily rational_family{"rational", "cross_entropy", run, place, estimate, outline};

}  // namespace calor::propagate
