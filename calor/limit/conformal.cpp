// T4: the flow as a heat equation.  For n != 2 under the metric p^(4/(n-2)) g with heat capacity p^(-4/(n-2)), shown on S^3;
// in every dimension, n = 2 among them, in divergence form p^-2 div(p^2 grad), so that the integral of p^2 h is conserved.
#include <cmath>

#include "calor/limit/experiments.h"
#include "calor/limit/generator.h"
#include "calor/limit/quadrature.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

std::vector<std::vector<double>> operators(const Manifold& manifold, const Sample& queries, const std::vector<double>& ladder,
                                           const Context& context) {
  std::vector<std::vector<double>> values;
  for (const double epsilon : ladder) {
    const Sample points = manifold.quadrature(epsilon);
    values.push_back(generator(points, functions_at(manifold, points), queries, functions_at(manifold, queries), epsilon, 0, context));
  }
  return values;
}

// Lap of the metric p^(4/(n-2)) g.  For e^(2u) g it is e^(-2u) (Lap + (n-2) <grad u, grad>), and u = 2/(n-2) log p.
double conformal_laplacian(const Manifold& manifold, const Point& x) {
  const int n = manifold.dimension();
  return std::pow(manifold.density(x), -4.0 / (n - 2)) * (manifold.laplacian(x) + 2 * manifold.drift(x));
}

std::vector<Row> heat_rows(const Settings& settings, const Context& context) {
  const ClosedForms& theory = settings.theory;
  const std::unique_ptr<Manifold> manifold = make_ellipsoid({1, 1, 1, 1}, 0.5);
  const int n = manifold->dimension();
  const Sample queries = manifold->queries(settings.queries);
  const std::vector<double> ladder = halved(0.08, 5);
  const auto values = operators(*manifold, queries, ladder, context);

  const std::vector<double> heat =
      values_at(queries, [&](const Point& x) { return conformal_laplacian(*manifold, x) / theory.capacity(manifold->density(x), n); });
  Series errors{"measured", ladder, {}, false};
  for (const auto& value : values) errors.y.push_back(root_mean_square_difference(value, heat));
  const Estimate slope = order(errors.x, errors.y);
  const Row order_row = judged({"heat equation order, n = 3", "conformal", "T4",
                                "On S^3 the operator is the Laplacian of p^(4/(n-2)) g over the heat capacity p^(-4/(n-2)), up to order eps.", 1,
                                slope.value, slope.low, slope.high, 0.005, false,
                                {{"Error against eps", "eps", "root mean square error", true, true, {errors, order_line(errors, 1, "order 1")}}}});

  // The power of p that takes the conformal Laplacian to the operator, from their ratio where neither is near zero.
  const std::vector<double> limit = extrapolate(values);
  const double typical = root_mean_square(limit);
  std::vector<double> x, y;
  for (std::int64_t i = 0; i < queries.count; ++i) {
    const double at = limit[static_cast<std::size_t>(i)];
    if (std::abs(at) < 0.2 * typical) continue;
    x.push_back(std::log(manifold->density(queries.point(i))));
    y.push_back(std::log(at / conformal_laplacian(*manifold, queries.point(i))));
  }
  Eigen::MatrixXd design(static_cast<Eigen::Index>(x.size()), 2);
  for (Eigen::Index i = 0; i < design.rows(); ++i) design.row(i) << 1, x[static_cast<std::size_t>(i)];
  const Estimate power = least_squares(design, Eigen::Map<const Eigen::VectorXd>(y.data(), design.rows()))[1];
  const double expected = -std::log2(theory.capacity(2, n));
  const Row power_row = judged({"heat capacity's power of p, n = 3", "conformal", "T4",
                                "The inverse of the heat capacity is the density to the power 4/(n - 2).", expected, power.value, power.low,
                                power.high, 0.01, false,
                                {{"Operator over conformal Laplacian", "log p", "log ratio", false, false, {{"queries", x, y, false}}}}});
  return {order_row, power_row};
}

// The power b for which sum_i w_i p_i^b L_i vanishes; w is the volume.
double conserved_power(const Manifold& manifold, const Sample& nodes, const std::vector<double>& flow) {
  const auto drift = [&](double power) {
    double sum = 0;
    for (std::int64_t i = 0; i < nodes.count; ++i)
      sum += nodes.weight[static_cast<std::size_t>(i)] * std::pow(manifold.density(nodes.point(i)), power) * flow[static_cast<std::size_t>(i)];
    return sum;
  };
  double low = 1, high = 3;  // secant
  for (int step = 0; step < 50 && std::abs(high - low) > 1e-12; ++step) {
    const double at_low = drift(low), at_high = drift(high), next = high - at_high * (high - low) / (at_high - at_low);
    low = high;
    high = next;
  }
  return high;
}

Row conserved_row(int dimension, double epsilon, int degree, const ClosedForms& theory, const Context& context) {
  const std::unique_ptr<Manifold> manifold = make_ellipsoid(std::vector<double>(static_cast<std::size_t>(dimension + 1), 1.0), 0.5);
  const SphereRule rule = sphere_rule(dimension, degree);
  const Sample nodes = make_sample(dimension + 1, rule.rows, rule.weight);
  const auto values = operators(*manifold, nodes, halved(epsilon, 4), context);
  const double power = conserved_power(*manifold, nodes, extrapolate(values));
  // How far one level of the ladder less would have led: the uncertainty of the extrapolation.
  const double coarser = conserved_power(*manifold, nodes, extrapolate({values.begin() + 1, values.end()}));
  const double half = std::abs(power - coarser);
  Series density{"density", {}, {}, false}, flow{"L h", {}, {}, false};
  for (std::int64_t i = 0; i < nodes.count; ++i) {
    density.x.push_back(nodes.at(i, dimension));
    density.y.push_back(manifold->density(nodes.point(i)));
  }
  flow.x = density.x;
  flow.y = values.back();
  return judged({"conserved power of p, n = " + std::to_string(dimension), "conformal", "T4",
                 "The flow conserves the integral of p^2 h: conductivity and heat capacity are p^2 in every dimension, n = 2 too.",
                 theory.conserved_power, power, power - half, power + half, 0.01, false,
                 {{"Density and flow on the sphere", "last coordinate", "value", false, false, {density, flow}}}});
}

}  // namespace

std::vector<Row> conformal_rows(const Settings& settings, const Context& context) {
  std::vector<Row> rows = heat_rows(settings, context);
  rows.push_back(conserved_row(2, 0.032, 24, settings.theory, context));
  rows.push_back(conserved_row(3, 0.16, 14, settings.theory, context));
  return rows;
}

}  // namespace calor::limit
