// T6: a score with a whole curve of minimisers.  Attention averages over it with the weight p m0, where m0 is what a Gaussian
// across the curve leaves, the integral of exp(-v'Cv / 4):
//   (|x|^2 - |y|^2)^2    the circle |y| = |x|; m0 is constant on it
//   (|x|^2 - y'By)^2     the ellipse y'By = |x|^2; across it f is 4 |By|^2 v^2, so m0 ~ 1 / |By|
// Measured on a lattice of the plane that knows nothing of the curve.
#include <array>
#include <cmath>
#include <numbers>

#include "calor/core/threads.h"
#include "calor/limit/experiments.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

using std::numbers::pi;

double density(double y0, double y1) { return std::exp(0.3 * y0 - 0.25 * (y0 * y0 + y1 * y1)); }
double value(double y0, double y1) { return y0 * y0 + 0.5 * y0 * y1 + 0.4 * y1; }

struct Set {
  std::string name;
  double stretch;  // B = diag(1, stretch)
};

const std::array<double, 8> sizes = {0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15};  // |x| of the queries

// The softmax(-f / (2 eps)) average on a lattice.  Across the curve the weight is a Gaussian of deviation at least
// sqrt(eps) / (2 |By|), and the step is 0.8 of the least.
double attended(double stretch, double size, double epsilon) {
  const double step = 0.8 * 0.5 * std::sqrt(epsilon / stretch) / sizes.back();
  const int half = static_cast<int>(2.0 / step);
  double sum = 0, total = 0;
  for (int i = -half; i <= half; ++i)
    for (int j = -half; j <= half; ++j) {
      const double y0 = i * step, y1 = j * step, gap = size * size - y0 * y0 - stretch * y1 * y1;
      const double weight = std::exp(-gap * gap / (2 * epsilon)) * density(y0, y1);
      total += weight;
      sum += weight * value(y0, y1);
    }
  return sum / total;
}

// The average over the curve with weight p |By|^-power and arc length.
double average(double stretch, double size, double power) {
  constexpr int count = 400;
  double sum = 0, total = 0;
  for (int k = 0; k < count; ++k) {
    const double angle = 2 * pi * k / count, minor = size / std::sqrt(stretch);
    const double y0 = size * std::cos(angle), y1 = minor * std::sin(angle);
    const double arc = std::hypot(size * std::sin(angle), minor * std::cos(angle));
    const double weight = arc * density(y0, y1) * std::pow(std::hypot(y0, stretch * y1), -power);
    total += weight;
    sum += weight * value(y0, y1);
  }
  return sum / total;
}

// The power that fits the measured averages best: Gauss-Newton with a difference quotient.
Estimate fitted_power(double stretch, const std::vector<double>& measured) {
  double power = 0.5;
  Estimate change;
  for (int step = 0; step < 20; ++step) {
    constexpr double h = 1e-5;
    Eigen::VectorXd slope(measured.size()), rest(measured.size());
    for (std::size_t i = 0; i < measured.size(); ++i) {
      const auto at = static_cast<Eigen::Index>(i);
      rest[at] = measured[i] - average(stretch, sizes[i], power);
      slope[at] = (average(stretch, sizes[i], power + h) - average(stretch, sizes[i], power - h)) / (2 * h);
    }
    change = least_squares(slope, rest)[0];
    power += change.value;
  }
  return {power, power + change.low - change.value, power + change.high - change.value};
}

std::vector<Row> rows_of(const Set& set, const ClosedForms& theory, const Context& context) {
  const std::vector<double> ladder = halved(0.04, 5);
  std::vector<std::vector<double>> measured(ladder.size(), std::vector<double>(sizes.size()));
  parallel_for(static_cast<std::int64_t>(ladder.size() * sizes.size()), context.threads, [&](std::int64_t piece) {
    context.check_stop("limit");
    const auto k = static_cast<std::size_t>(piece) / sizes.size(), i = static_cast<std::size_t>(piece) % sizes.size();
    measured[k][i] = attended(set.stretch, sizes[i], ladder[k]);
  });
  Series errors{"measured", ladder, {}, false};
  std::vector<double> closed;
  for (const double size : sizes) closed.push_back(average(set.stretch, size, theory.set_power));
  for (const auto& values : measured) errors.y.push_back(root_mean_square_difference(values, closed));
  const Estimate slope = order(errors.x, errors.y);
  std::vector<Row> rows{judged({set.name + " order", "minimiser-set", "T6",
                                "Where many keys are equally near attention averages over them with the weight p m0, up to order eps.", 1,
                                slope.value, slope.low, slope.high, 0.05, false,
                                {{"Error against eps", "eps", "root mean square error", true, true, {errors, order_line(errors, 1, "order 1")}}}})};
  if (set.stretch == 1) return rows;  // |By| is constant: every power gives the same average
  const std::vector<double> limit = extrapolate(measured);
  const Estimate power = fitted_power(set.stretch, limit);
  rows.push_back(judged({set.name + " weight's power", "minimiser-set", "T6", "The weight on the ellipse is p / |By|: flat stretches count more.",
                         theory.set_power, power.value, power.low, power.high, 0.01, false,
                         {{"Average over the set", "closed form", "measured, extrapolated", false, false, {{"queries", closed, limit, false}}}}}));
  return rows;
}

}  // namespace

std::vector<Row> minimiser_set_rows(const Settings& settings, const Context& context) {
  std::vector<Row> rows;
  for (const Set& set : {Set{"circle of minimisers", 1}, Set{"ellipse of minimisers", 2.5}})
    for (Row& row : rows_of(set, settings.theory, context)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace calor::limit
