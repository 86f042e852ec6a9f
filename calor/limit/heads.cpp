// Several heads: H' = sum_h S_h H W_h is the sum of one Euler step a head, each with its own metric and density.  Tokens on
// the unit sphere; head 1 sees them as they are, head 2 through a linear map onto an ellipsoid, each with a key bias that makes
// its density 1 + tilt z there.  H holds the three coordinates.
#include <Eigen/Core>
#include <cmath>

#include "calor/limit/attention.h"
#include "calor/limit/experiments.h"
#include "calor/limit/quadrature.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

using Eigen::Matrix3d;
using Eigen::MatrixXd;

struct Head {
  std::vector<double> axes;  // the map is diagonal
  double tilt;
  Matrix3d values;           // W_h
};

// Coordinate c of the tokens as a function on the head's ellipsoid.
std::unique_ptr<Manifold> coordinate(const Head& head, std::size_t c) {
  TestFunction function{{0, 0, 0}, 0};
  function.linear[c] = 1 / head.axes[c];
  return make_ellipsoid(head.axes, head.tilt, function);
}

// The points of the head: tokens mapped by its axes.
Sample mapped(const Sample& tokens, const Head& head) {
  Sample points = tokens;
  for (std::int64_t i = 0; i < tokens.count; ++i)
    for (int c = 0; c < 3; ++c) points.x[static_cast<std::size_t>(3 * i + c)] *= head.axes[static_cast<std::size_t>(c)];
  return points;
}

MatrixXd layer(const std::vector<Head>& heads, const Sample& queries, double epsilon, const Context& context) {
  MatrixXd out = MatrixXd::Zero(queries.count, 3);
  const SphereRule rule = sphere_rule(2, 2 * resolving_degree(epsilon));  // the ellipsoid's kernel is narrower on the sphere
  const Sample tokens = make_sample(3, rule.rows, rule.weight);
  for (const Head& head : heads) {
    Sample keys = mapped(tokens, head);
    for (std::int64_t j = 0; j < keys.count; ++j) {
      double squared = 0;  // the volume of the ellipsoid over the sphere's, up to a constant
      for (int c = 0; c < 3; ++c) squared += std::pow(tokens.at(j, c) / head.axes[static_cast<std::size_t>(c)], 2);
      keys.weight[static_cast<std::size_t>(j)] *= std::sqrt(squared) * (1 + head.tilt * tokens.at(j, 2));
    }
    MatrixXd mixed(queries.count, 3);
    for (int c = 0; c < 3; ++c) {
      const std::vector<double> column = values_at(tokens, [&](const Point& x) { return x[static_cast<std::size_t>(c)]; });
      const std::vector<double> values =
          attend(kernels::Score::squared_distance, 0.5 / epsilon, mapped(queries, head).x, keys, column, context);
      mixed.col(c) = Eigen::Map<const Eigen::VectorXd>(values.data(), queries.count);
    }
    out += mixed * head.values;
  }
  return out;
}

}  // namespace

std::vector<Row> heads_rows(const Settings& settings, const Context& context) {
  const ClosedForms& theory = settings.theory;
  Random random(settings.seed, Purpose::test, 4000000);
  const auto weights = [&] { return Matrix3d(Matrix3d::NullaryExpr([&] { return random.normal(); })); };
  const std::vector<Head> heads = {{{1, 1, 1}, 0.5, weights()}, {{1.0, 1.25, 0.85}, -0.3, weights()}};
  const Sample queries = make_ellipsoid({1, 1, 1}, 0)->queries(settings.queries);
  MatrixXd start = MatrixXd::Zero(queries.count, 3), flow = start;
  for (const Head& head : heads) {
    MatrixXd h(queries.count, 3), change(queries.count, 3);
    for (int c = 0; c < 3; ++c) {
      const std::unique_ptr<Manifold> manifold = coordinate(head, static_cast<std::size_t>(c));
      const Sample at = mapped(queries, head);
      for (std::int64_t i = 0; i < at.count; ++i) {
        const Point x = at.point(i);
        h(i, c) = manifold->function(x);
        change(i, c) = manifold->laplacian(x) + theory.drift(0) * manifold->drift(x);
      }
    }
    start += h * head.values;
    flow += change * head.values;
  }
  const std::vector<double> ladder = halved(0.032, 5);
  Series errors{"measured", ladder, {}, false};
  for (const double epsilon : ladder) {
    const MatrixXd rest = layer(heads, queries, epsilon, context) - start - theory.step * epsilon * flow;
    errors.y.push_back(std::sqrt(rest.squaredNorm() / static_cast<double>(rest.size())));
  }
  const Estimate slope = order(errors.x, errors.y);
  return {judged({"two heads remainder order", "heads", "multi-head",
                  "Two heads take the sum of two Euler steps, one metric and one density each, up to a remainder of order eps^2.", 2, slope.value,
                  slope.low, slope.high, 0.01, false,
                  {{"Remainder against eps", "eps", "root mean square remainder", true, true, {errors, order_line(errors, 2, "order 2")}}}})};
}

}  // namespace calor::limit
