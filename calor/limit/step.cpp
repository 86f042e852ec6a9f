// T3: an attention layer with squared distances is one Euler step of dH/dt = L H, of length eps/2; the layer is computed by
// the engine, its limit by the closed form, and the engine is held against the definition of generator.h.
#include <algorithm>
#include <cmath>

#include "calor/limit/attention.h"
#include "calor/limit/experiments.h"
#include "calor/limit/generator.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

struct Layer {
  Sample queries;
  std::vector<double> h, flow;              // at the queries: h and L h
  std::vector<double> epsilon;
  std::vector<std::vector<double>> change;  // S h - h for each eps
  std::vector<double> engine_error;         // largest difference to the definition for each eps
};

Layer measure(const Manifold& manifold, double epsilon, const Settings& settings, const Context& context) {
  Layer layer;
  layer.queries = manifold.queries(settings.queries);
  layer.h = functions_at(manifold, layer.queries);
  layer.flow = values_at(layer.queries, [&](const Point& x) { return manifold.laplacian(x) + settings.theory.drift(0) * manifold.drift(x); });
  layer.epsilon = halved(epsilon, 5);
  for (const double eps : layer.epsilon) {
    const Sample points = manifold.quadrature(eps);
    const std::vector<double> values = functions_at(manifold, points);
    std::vector<double> change = attend(kernels::Score::squared_distance, 0.5 / eps, layer.queries.x, points, values, context);
    const std::vector<double> definition = generator(points, values, layer.queries, layer.h, eps, 0, context);
    double& error = layer.engine_error.emplace_back(0);
    for (std::size_t i = 0; i < change.size(); ++i) {
      change[i] -= layer.h[i];
      error = std::max(error, std::abs(change[i] - 0.5 * eps * definition[i]));
    }
    layer.change.push_back(std::move(change));
  }
  return layer;
}

Row remainder_row(const Layer& layer, const ClosedForms& theory) {
  Series errors{"measured", layer.epsilon, {}, false};
  for (std::size_t k = 0; k < layer.epsilon.size(); ++k) {
    std::vector<double> step = layer.flow;
    for (double& value : step) value *= theory.step * layer.epsilon[k];
    errors.y.push_back(root_mean_square_difference(layer.change[k], step));
  }
  const Estimate slope = order(errors.x, errors.y);
  return judged({"step remainder order", "step", "T3", "One attention layer is H + (eps/2) L H up to a remainder of order eps^2.", 2,
                 slope.value, slope.low, slope.high, 0.005, false,
                 {{"Layer less Euler step", "eps", "root mean square difference", true, true, {errors, order_line(errors, 2, "order 2")}}}});
}

Row length_row(const Layer& layer, const ClosedForms& theory) {
  std::vector<std::vector<double>> rate = layer.change;
  for (std::size_t k = 0; k < rate.size(); ++k)
    for (double& value : rate[k]) value /= layer.epsilon[k];
  const std::vector<double> limit = extrapolate(rate);
  const auto count = static_cast<Eigen::Index>(limit.size());
  const Estimate fit = least_squares(Eigen::Map<const Eigen::VectorXd>(layer.flow.data(), count),
                                     Eigen::Map<const Eigen::VectorXd>(limit.data(), count))[0];
  return judged({"step length", "step", "T3", "The Euler step has the length eps/2: attention itself, with eps = 1/2, takes a step of 1/4.",
                 theory.step, fit.value, fit.low, fit.high, 0.001, false,
                 {{"Change in a layer over eps, extrapolated", "L h", "(S h - h) / eps", false, false, {{"queries", layer.flow, limit, false}}}}});
}

// softmax(-|x - y|^2), eps = 1/2, on points stretched by m: the metric is multiplied by m^2 and the step shrinks.
Row metric_row(const Manifold& manifold, const Settings& settings, const Context& context) {
  const ClosedForms& theory = settings.theory;
  const Sample queries = manifold.queries(settings.queries);
  const std::vector<double> own = functions_at(manifold, queries);
  Series sizes{"measured", {}, {}, false};
  std::vector<double> shrink;
  for (const double m : {6.0, 8.5, 12.0, 17.0, 24.0}) {
    const Sample points = manifold.quadrature(0.5 / (m * m));
    Sample stretched = points, from = queries;
    for (double& value : stretched.x) value *= m;
    for (double& value : from.x) value *= m;
    const std::vector<double> out =
        attend(kernels::Score::squared_distance, 1, from.x, stretched, functions_at(manifold, points), context);
    shrink.push_back(1 / m);
    sizes.x.push_back(m);
    sizes.y.push_back(root_mean_square_difference(out, own));
  }
  const Estimate slope = order(shrink, sizes.y, 2);  // in 1/m
  return judged({"step under a scaled metric", "step", "T3",
                 "Lengths multiplied by m divide the step by m^2: temperature and scale of the points are one thing.", theory.metric_power,
                 -slope.value, -slope.high, -slope.low, 0.005, false,
                 {{"Change in a layer of softmax(-|x - y|^2)", "m", "root mean square change", true, true,
                   {sizes, order_line(sizes, theory.metric_power, "order -2")}}}});
}

Row engine_row(const Layer& layer) {
  const double most = *std::max_element(layer.engine_error.begin(), layer.engine_error.end());
  // Differences of values of size 1 that each carry a few units of the last place times the logarithm of the keys.
  return judged({"engine against definition", "step", "T3",
                 "The streamed engine's attention and the sum of differences are the same operator to rounding.", 0, most, most, most, 1e-13, false,
                 {{"Difference between engine and definition", "eps", "largest difference", true, false,
                   {{"measured", layer.epsilon, layer.engine_error, false}}}}});
}

}  // namespace

std::vector<Row> step_rows(const Settings& settings, const Context& context) {
  const std::unique_ptr<Manifold> manifold = make_ellipsoid({1, 1, 1}, 0.5);
  const Layer layer = measure(*manifold, 0.016, settings, context);
  return {remainder_row(layer, settings.theory), length_row(layer, settings.theory), metric_row(*manifold, settings, context),
          engine_row(layer)};
}

}  // namespace calor::limit
