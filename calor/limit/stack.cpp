// T3: depth.  Attention layers stacked to the time t against exp(t L) in eigenfunctions that are known: cosines on the circle,
// spherical harmonics, Hermite polynomials under a Gaussian density.  The error falls like eps at a fixed time.
#include <cmath>
#include <numbers>

#include "calor/limit/attention.h"
#include "calor/limit/experiments.h"
#include "calor/limit/quadrature.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

struct Stack {
  std::string name, meaning, coordinate;
  double time, extent;  // of the flow; of the picture, in its coordinate
  std::vector<int> depths;  // doubling
  std::function<Sample(double epsilon)> points;
  std::function<double(const Point&, double time)> exact;  // exp(t L) h
  std::function<double(const Point&)> position;            // for the picture
};

// h at the points, taken through `depth` layers.
std::vector<double> through(const Sample& points, std::vector<double> h, double epsilon, int depth, const Context& context) {
  for (int layer = 0; layer < depth; ++layer) h = attend(kernels::Score::squared_distance, 0.5 / epsilon, points.x, points, h, context);
  return h;
}

Plot picture(const Stack& stack, const Sample& points, const std::vector<double>& after) {
  Plot plot{"Function before and after the stack", stack.coordinate, "h", false, false,
            {{"before", {}, {}, false}, {"after " + std::to_string(stack.depths.back()) + " layers", {}, {}, false}, {"exp(tL) h", {}, {}, false}}};
  const std::int64_t stride = std::max<std::int64_t>(1, points.count / 200);
  for (std::int64_t i = 0; i < points.count; i += stride) {
    const Point x = points.point(i);
    if (std::abs(stack.position(x)) > stack.extent) continue;
    for (Series& series : plot.series) series.x.push_back(stack.position(x));
    plot.series[0].y.push_back(stack.exact(x, 0));
    plot.series[1].y.push_back(after[static_cast<std::size_t>(i)]);
    plot.series[2].y.push_back(stack.exact(x, stack.time));
  }
  return plot;
}

Row stack_row(const Stack& stack, const ClosedForms& theory, const Context& context) {
  Series errors{"measured", {}, {}, false};
  Plot last;
  for (const int depth : stack.depths) {
    const double epsilon = stack.time / (theory.step * depth);
    const Sample points = stack.points(epsilon);
    const auto start = values_at(points, [&](const Point& x) { return stack.exact(x, 0); });
    const std::vector<double> after = through(points, start, epsilon, depth, context);
    double squares = 0, total = 0;  // in the points' own measure, so that the norm is the same for every eps
    for (std::int64_t i = 0; i < points.count; ++i) {
      const auto k = static_cast<std::size_t>(i);
      squares += points.weight[k] * std::pow(after[k] - stack.exact(points.point(i), stack.time), 2);
      total += points.weight[k];
    }
    errors.x.push_back(epsilon);
    errors.y.push_back(std::sqrt(squares / total));
    last = picture(stack, points, after);
  }
  const Estimate slope = order(errors.x, errors.y);
  return judged({stack.name, "stack", "T3", stack.meaning, 1, slope.value, slope.low, slope.high, 0.02, false,
                 {{"Error of the stack at a fixed time", "eps", "root mean square error", true, true, {errors, order_line(errors, 1, "order 1")}},
                  last}});
}

Sample sphere_points(int dimension, double epsilon) {
  const SphereRule rule = sphere_rule(dimension, resolving_degree(epsilon));
  return make_sample(dimension + 1, rule.rows, rule.weight);
}

// Wide enough that the border, where rows see one side only, has no weight: exp(-7^2 / 2) = 2e-11.
Sample gaussian_points(double epsilon) {
  const double step = 0.8 * std::sqrt(epsilon), extent = 7;
  std::vector<double> x, weight;
  for (int k = -static_cast<int>(extent / step); k * step < extent; ++k) {
    x.push_back((k + 0.3) * step);
    weight.push_back(std::exp(-x.back() * x.back() / 2));
  }
  return make_sample(1, x, weight);
}

}  // namespace

std::vector<Row> stack_rows(const Settings& settings, const Context& context) {
  const Stack circle{"stack on the circle", "Stacked layers follow the heat equation: cos ka and sin ka fade like exp(-k^2 t).", "angle", 0.3, 4,
                     {8, 16, 32, 64, 128}, [](double epsilon) { return sphere_points(1, epsilon); },
                     [](const Point& x, double t) {  // cos a + sin 2a / 2
                       return std::exp(-t) * x[0] + std::exp(-4 * t) * x[0] * x[1];
                     },
                     [](const Point& x) { return std::atan2(x[1], x[0]); }};
  const Stack sphere{"stack on the sphere", "On the sphere harmonics of degree l fade like exp(-l(l + 1) t).", "z", 0.2, 1, {4, 8, 16, 32},
                     [](double epsilon) { return sphere_points(2, epsilon); },
                     [](const Point& x, double t) { return std::exp(-2 * t) * x[2] + std::exp(-6 * t) * (x[2] * x[2] - 1.0 / 3); },
                     [](const Point& x) { return x[2]; }};
  const Stack gaussian{"stack under a Gaussian density", "Under the density N(0, 1) Hermite polynomials of degree k fade like exp(-2kt).", "x",
                       0.3, 2.5, {8, 16, 32, 64, 128}, gaussian_points,
                       [](const Point& x, double t) { return std::exp(-2 * t) * x[0] + std::exp(-4 * t) * (x[0] * x[0] - 0.5); },
                       [](const Point& x) { return x[0]; }};
  std::vector<Row> rows;
  for (const Stack* stack : {&circle, &sphere, &gaussian}) rows.push_back(stack_row(*stack, settings.theory, context));
  return rows;
}

}  // namespace calor::limit
