// T1 and T2 on quadrature point sets, where the operator has a bias and no noise:
//   bias order     |(2/eps)(S - I) h - L h| ~ eps^1
//   coefficients   the operator extrapolated to eps = 0, regressed on Lap h and <grad log p, grad h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "calor/limit/experiments.h"
#include "calor/limit/generator.h"
#include "calor/limit/regression.h"

namespace calor::limit {

std::vector<double> halved(double epsilon, int count) {
  std::vector<double> ladder;
  for (int k = 0; k < count; ++k) ladder.push_back(std::ldexp(epsilon, -k));
  return ladder;
}

namespace {

struct Measured {
  std::vector<double> epsilon;
  std::vector<std::vector<double>> values;  // one vector over the queries for each eps
};

// One for each alpha.
std::vector<Measured> measure(const Manifold& manifold, const Sample& queries, double epsilon, int levels, std::span<const double> alphas,
                              const Context& context) {
  std::vector<Measured> result(alphas.size(), {halved(epsilon, levels), {}});
  for (const double eps : halved(epsilon, levels)) {
    const Sample points = manifold.quadrature(eps);
    auto values = Generator(points).at(queries, functions_at(manifold, points), functions_at(manifold, queries), eps, alphas, context);
    for (std::size_t a = 0; a < alphas.size(); ++a) result[a].values.push_back(std::move(values[a]));
  }
  return result;
}

// The function, what the operator makes of it at the least eps, and the density: against the angle on the circle, else against the
// last coordinate.
std::vector<Plot> pictures(const DriftDiffusion& given, const Sample& queries, const std::vector<double>& measured,
                           const std::vector<double>& limit) {
  const bool circle = given.manifold->ambient() == 2;
  const std::vector<double> at = values_at(queries, [&](const Point& x) { return circle ? std::atan2(x[1], x[0]) : x.back(); });
  const std::vector<double> density = values_at(queries, [&](const Point& x) { return given.manifold->density(x); });
  const std::string axis = circle ? "angle" : "last coordinate";
  return {{"Function and operator at the queries", axis, "value", false, false,
           {{"function h", at, functions_at(*given.manifold, queries), false},
            {"measured operator", at, measured, false},
            {"closed form", at, limit, false}}},
          {"Density at the queries, up to a factor", axis, "density", false, false, {{"p", at, density, false}}}};
}

Row order_row(const DriftDiffusion& given, const Sample& queries, const Measured& measured, const ClosedForms& theory) {
  const std::vector<double> limit = values_at(queries, [&](const Point& x) {
    return given.manifold->laplacian(x) + theory.drift(0) * given.manifold->drift(x);
  });
  Series errors{"measured", measured.epsilon, {}, false};
  for (const auto& values : measured.values) errors.y.push_back(root_mean_square_difference(values, limit));
  const Estimate slope = order(errors.x, errors.y);
  Row row{given.name + " bias order", given.name, "T1",
          "The error of (2/eps)(S - I)h against Lap h + 2 <grad log p, grad h> falls like eps on points whose density is exact.",
          1, slope.value, slope.low, slope.high, 0.005, false, {}};
  row.plots.push_back({"Error against eps", "eps", "root mean square error", true, true, {errors, order_line(errors, 1, "order 1")}});
  for (Plot& plot : pictures(given, queries, measured.values.back(), limit)) row.plots.push_back(std::move(plot));
  return judged(row);
}

std::vector<Row> coefficient_rows(const DriftDiffusion& given, const Sample& queries, const Measured& measured, double alpha,
                                  const ClosedForms& theory) {
  const std::vector<double> limit = extrapolate(measured.values);
  Eigen::MatrixXd design(queries.count, 2);
  Eigen::VectorXd y(queries.count);
  for (std::int64_t i = 0; i < queries.count; ++i) {
    design.row(i) << given.manifold->laplacian(queries.point(i)), given.manifold->drift(queries.point(i));
    y[i] = limit[static_cast<std::size_t>(i)];
  }
  const std::vector<Estimate> fit = least_squares(design, y);
  const double expected = theory.drift(alpha);
  Series found{"queries", {}, {}, false};
  for (std::int64_t i = 0; i < queries.count; ++i) {
    found.x.push_back(design(i, 0) + expected * design(i, 1));
    found.y.push_back(y[i]);
  }
  const auto [low, high] = std::minmax_element(found.x.begin(), found.x.end());
  const Series line{"equal", {*low, *high}, {*low, *high}, true};
  const Plot plot{"Operator at eps -> 0", "closed form", "measured", false, false, {found, line}};
  Row drift{fmt::format("{} drift coefficient, alpha {}", given.name, alpha), given.name, alpha == 0 ? "T1" : "T2",
            fmt::format("After normalisation by q^alpha, alpha = {}, the drift along grad log p has the factor 2(1 - alpha).", alpha),
            expected, fit[1].value, fit[1].low, fit[1].high, 0.002, false, {plot}};
  if (alpha != 0) return {judged(drift)};
  Row laplacian{given.name + " Laplacian coefficient", given.name, "T1", "The diffusion is the Laplacian itself, with the factor 1.",
                1, fit[0].value, fit[0].low, fit[0].high, 0.002, false, {plot}};
  return {judged(laplacian), judged(drift)};
}

}  // namespace

std::vector<Row> drift_diffusion_rows(const DriftDiffusion& given, const Settings& settings, const Context& context) {
  const Sample queries = given.manifold->queries(settings.queries);
  constexpr std::array none{0.0};
  constexpr std::array normalisations{0.5, 1.0};
  const Measured measured = measure(*given.manifold, queries, given.epsilon, 5, none, context).front();
  std::vector<Row> rows{order_row(given, queries, measured, settings.theory)};
  for (Row& row : coefficient_rows(given, queries, measured, 0, settings.theory)) rows.push_back(std::move(row));
  if (given.normalised_epsilon == 0) return rows;
  const std::vector<Measured> normalised = measure(*given.manifold, queries, given.normalised_epsilon, 4, normalisations, context);
  for (std::size_t a = 0; a < normalisations.size(); ++a)
    for (Row& row : coefficient_rows(given, queries, normalised[a], normalisations[a], settings.theory)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace calor::limit
