// match(student, kl): t-SNE's map.  q_ij proportional to (1 + |y_i - y_j|^2 / freedom)^-freedom over all pairs, and the divergence of Q
// from the given P, which must be symmetric and add up to 1.  O(edges + sums) a step; O(edges + N dims) memory and the grid's.
// van der Maaten & Hinton 2008; Linderman et al. 2019; Belkina et al. 2019; Kobak & Berens 2019 (the start).
// A new point stands where KL(p_i || q_i) against the fixed points is least, p_i and q_i each adding up to 1 (openTSNE's transform).
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/solve/start.h"
#include "calor/engine/solve/student_descent.h"
#include "calor/propagate/match_families.h"

namespace calor::propagate {

using namespace pipeline;

namespace {

constexpr std::int64_t usual_most = 750;
constexpr double start_deviation = 1e-4, shake_share = 0.01;  // openTSNE's

StudentOptions options_of(const Arguments& arguments) {
  StudentOptions options;
  options.freedom = arguments.number("freedom");
  options.exaggeration = arguments.number("exaggeration");
  options.early_steps = arguments.integer("early");
  options.steps = match_steps(arguments, usual_most);
  options.rate = arguments.is_number("rate") ? arguments.number("rate") : 0;
  const std::string& sums = arguments.word("sums");
  options.sums = sums == "exact" ? StudentSums::exact : sums == "grid" ? StudentSums::grid : StudentSums::automatic;
  return options;
}

void run(State& state, const Arguments& arguments, Kept& kept, const Context& context) {
  const Csr p = symmetric_weights(state.similarity, context);
  double sum = 0;
  for (const double value : p.values) sum += value;
  match_student(state, arguments, kept, p, sum, match_start(state, arguments, &p, false, context), context);
}

}  // namespace

void match_student(State& state, const Arguments& arguments, Kept& kept, const Csr& p, double sum, Matrix start, const Context& context, const MapShare& share) {
  require(std::abs(sum - 1) < 1e-6, Fault::usage, "[match] expected values that add up to 1 without a point's own, found {:.6g}: put mean | global before it", sum);
  scale_to(start, start_deviation);
  shake(start, arguments.word("start") == "random" ? start_deviation : shake_share * start_deviation, state.seed);
  DescentResult found = student_descent(p, start, options_of(arguments), context, share);
  state.figures["kl"] = found.loss;
  state.series["kl"] = std::move(found.losses);
  kept.keep_rows("points", found.points);
  state.points = std::make_shared<const Matrix>(std::move(found.points));
}

namespace {

// sum_j p_j log(p_j / q_j) but for the entropy of p: -sum_j p_j log w_j + log sum_k w_k.
double place_loss(const PlacedPoint& point, const Arguments& arguments, const Kept&, const double* y, double* gradient) {
  const std::int64_t dims = point.fixed.cols();
  const double freedom = arguments.number("freedom");
  const auto square_to = [&](const auto& other) {
    double square = 0;
    for (std::int64_t c = 0; c < dims; ++c) square += (y[c] - other(c)) * (y[c] - other(c));
    return square;
  };
  Vector push = Vector::Zero(dims), pull = Vector::Zero(dims);
  double sum = 0, logs = 0;
  for (std::int64_t j = 0; j < point.others.count(); ++j) {
    const auto other = [&](std::int64_t c) { return point.others.at[j * dims + c]; };
    const double base = 1 / (1 + square_to(other) / freedom), weight = point.others.number[j] * (freedom == 1 ? base : std::pow(base, freedom));
    sum += weight;
    for (std::int64_t c = 0; c < dims; ++c) push[c] += weight * base * (y[c] - other(c));
  }
  for (std::int64_t e = 0; e < point.count; ++e) {
    const auto other = [&](std::int64_t c) { return point.fixed(point.columns[e], c); };
    const double ratio = 1 + square_to(other) / freedom;
    logs -= point.shares[e] * freedom * std::log(ratio);
    for (std::int64_t c = 0; c < dims; ++c) pull[c] += point.shares[e] / ratio * (y[c] - other(c));
  }
  for (std::int64_t c = 0; c < dims; ++c) gradient[c] = 2 * (pull[c] - push[c] / sum);
  return std::log(sum) - logs;
}

void place(State& state, const Arguments& arguments, const Kept& kept, const Context& context) { place_each(state, arguments, kept, place_loss, seen_angle / std::max(1.0, arguments.number("freedom")), context); }

void estimate(Estimate& estimate, const Arguments& arguments) {
  const double steps = static_cast<double>(match_steps(arguments, usual_most)), n = estimate.rows, edges = estimate.edges > 0 ? estimate.edges : n * n;
  const bool exact = arguments.word("sums") == "exact" || arguments.integer("dims") != 2 || (arguments.word("sums") == "auto" && n <= StudentLoss::most_exact);
  constexpr double pair_cost = 30, grid_cost = 3e7;  // multiply-adds; a grid of some 300 nodes an axis
  constexpr double wide_nodes = 400, wide_rows = 12000;  // an axis: maps of 1,797 digits and of 12,000 normal points come to 320 and 370
  const double nodes = wide_nodes * std::max(1.0, std::pow(n / wide_rows, 0.25));
  estimate.use((exact ? 32 : 36) * edges + 8 * n * arguments.number("dims") * (exact ? 24 : 9) + (exact ? 0 : 4 * 15 * nodes * nodes));
  estimate.visits += steps * 2 * edges;
  estimate.operations += steps * (exact ? pair_cost * n * n / 2 : grid_cost + 100 * n);
}

void outline(Outline& outline, const Arguments& arguments) {
  require_strengthened(outline, "exp(perplexity=..) | row | mean | global");
  require_square(outline, "match", "compare the points with themselves");
  require(outline.may(outline.symmetric), Fault::usage, "[match] expected a symmetric similarity, found one that is not: put mean | global before it");
  require(arguments.word("sums") != "grid" || arguments.integer("dims") == 2, Fault::usage,
          "[match] expected 2 dimensions for sums=grid, found {}: give sums=exact", arguments.integer("dims"));
}

}  // namespace

const MatchFamily student_family{"student", "kl", run, place, estimate, outline};

}  // namespace calor::propagate
