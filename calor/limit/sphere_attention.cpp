// T5 for attention as it is used: dot products x'Ay with keys on a sphere of radius r, as normalisation layers give.  A token
// jumps to y* = r A'x / |A'x| and heat flows there for the time eps r / |A'x|:
//
//   H'(x) = H(y*) + eps r / |A'x| (Lap H + 2 <grad log p, grad H>)(y*) + O(eps^2)
#include <Eigen/Dense>
#include <cmath>
#include <fmt/format.h>

#include "calor/limit/attention.h"
#include "calor/limit/experiments.h"
#include "calor/limit/regression.h"

namespace calor::limit {
namespace {

using Eigen::Matrix3d;
using Eigen::Vector3d;

// Random orthogonal factors around fixed singular values, so that every query's |A'x| is of the radius's size.
Matrix3d random_scores(std::uint64_t seed, std::uint64_t index) {
  Random random(seed, Purpose::test, 3000000 + index);
  const auto orthogonal = [&] {
    const Matrix3d normal = Matrix3d::NullaryExpr([&] { return random.normal(); });
    return Matrix3d(normal.householderQr().householderQ());
  };
  const Matrix3d left = orthogonal(), right = orthogonal();
  return left * Vector3d(1.3, 1.0, 0.75).asDiagonal() * right.transpose();
}

std::vector<Row> rows_at(double radius, std::uint64_t index, const Settings& settings, const Context& context) {
  const Matrix3d a = random_scores(settings.seed, index);
  const std::unique_ptr<Manifold> sphere = make_ellipsoid({radius, radius, radius}, 0.5);
  const Sample tokens = sphere->queries(settings.queries);
  std::vector<double> projected, landed, closed;  // A'x; H(y*); time (L H)(y*)
  for (std::int64_t i = 0; i < tokens.count; ++i) {
    const Point x = tokens.point(i);
    const Vector3d q = a.transpose() * Vector3d(x[0], x[1], x[2]), target = radius * q.normalized();
    const Point y = {target[0], target[1], target[2]};
    projected.insert(projected.end(), {q[0], q[1], q[2]});
    landed.push_back(sphere->function(y));
    closed.push_back(settings.theory.jump_time(radius, q.norm()) * (sphere->laplacian(y) + settings.theory.drift(0) * sphere->drift(y)));
  }
  const std::vector<double> ladder = halved(0.03 * radius * radius, 5);
  std::vector<std::vector<double>> rate;  // (H'(x) - H(y*)) / eps
  for (const double epsilon : ladder) {
    // exp(x'Ay / (2 eps)) is the Gaussian kernel of width eps r / |A'x|, doubled; the narrowest has |A'x| = 1.3 r.
    const Sample keys = sphere->quadrature(2 * epsilon / 1.3);
    rate.push_back(attend(kernels::Score::dot, 0.5 / epsilon, projected, keys, functions_at(*sphere, keys), context));
    for (std::size_t i = 0; i < landed.size(); ++i) rate.back()[i] = (rate.back()[i] - landed[i]) / epsilon;
  }
  Series errors{"measured", ladder, {}, false};
  for (std::size_t k = 0; k < ladder.size(); ++k) errors.y.push_back(ladder[k] * root_mean_square_difference(rate[k], closed));
  const Estimate slope = order(errors.x, errors.y);
  const std::vector<double> limit = extrapolate(rate);
  const auto count = static_cast<Eigen::Index>(limit.size());
  const Estimate time = least_squares(Eigen::Map<const Eigen::VectorXd>(closed.data(), count),
                                      Eigen::Map<const Eigen::VectorXd>(limit.data(), count))[0];
  return {judged({fmt::format("dot-product attention remainder order, r = {}", radius), "attention", "T5",
                  "On a sphere dot-product attention jumps to r A'x / |A'x| and then lets heat flow; the remainder is of order eps^2.", 2,
                  slope.value, slope.low, slope.high, 0.02, false,
                  {{"Remainder against eps", "eps", "root mean square remainder", true, true, {errors, order_line(errors, 2, "order 2")}}}}),
          judged({fmt::format("dot-product attention time, r = {}", radius), "attention", "T5",
                  "Heat flows for the time eps r / |A'x| (measured over predicted).", 1, time.value, time.low, time.high, 0.005, false,
                  {{"First-order term", "closed form", "measured, extrapolated", false, false, {{"tokens", closed, limit, false}}}}})};
}

}  // namespace

std::vector<Row> sphere_attention_rows(const Settings& settings, const Context& context) {
  std::vector<Row> rows;
  std::uint64_t index = 0;
  for (const double radius : {0.5, 1.0, 2.0})
    for (Row& row : rows_at(radius, index++, settings, context)) rows.push_back(std::move(row));
  return rows;
}

}  // namespace calor::limit
