#include "calor/engine/solve/rational_curve.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"

namespace calor::engine {

namespace {

// Half of the sum of squares, with the normal equations' matrix and right side.
struct Squares {
  double sum = 0, aa = 0, ab = 0, bb = 0, to_a = 0, to_b = 0;
};

Squares squares_at(RationalCurve curve, double spread, double min_dist) {
  constexpr int count = 300;
  Squares result;
  for (int k = 0; k < count; ++k) {
    const double x = 3 * spread * k / (count - 1), wanted = x < min_dist ? 1 : std::exp(-(x - min_dist) / spread);
    const double power = x > 0 ? std::pow(x, 2 * curve.b) : 0, value = 1 / (1 + curve.a * power), error = value - wanted;
    const double by_a = -value * value * power, by_b = x > 0 ? by_a * curve.a * 2 * std::log(x) : 0;
    result.sum += error * error / 2;
    result.aa += by_a * by_a;
    result.ab += by_a * by_b;
    result.bb += by_b * by_b;
    result.to_a -= by_a * error;
    result.to_b -= by_b * error;
  }
  return result;
}

}  // namespace

RationalCurve fit_curve(double spread, double min_dist) {
  require(spread > 0 && min_dist >= 0 && min_dist <= 3 * spread, Fault::usage,
          "[match] expected a min_dist between 0 and three times the spread, found {} and {}: give others", min_dist, spread);
  RationalCurve curve{std::pow(spread, -2), 1};  // alike at the scale of the spread
  Squares at = squares_at(curve, spread, min_dist);
  double damping = 1e-3;
  for (int step = 0; step < 500 && damping < 1e12; ++step) {
    const double aa = at.aa * (1 + damping), bb = at.bb * (1 + damping), determinant = aa * bb - at.ab * at.ab;
    const double move_a = (bb * at.to_a - at.ab * at.to_b) / determinant, move_b = (aa * at.to_b - at.ab * at.to_a) / determinant;
    const RationalCurve next{curve.a + move_a, curve.b + move_b};
    const Squares there = next.a > 0 && next.b > 0 ? squares_at(next, spread, min_dist) : Squares{};
    if (next.a > 0 && next.b > 0 && there.sum <= at.sum) {
      curve = next;
      at = there;
      damping = std::max(damping / 10, 1e-15);
      if (std::abs(move_a) <= 1e-14 * curve.a && std::abs(move_b) <= 1e-14 * curve.b) break;
    } else {
      damping *= 10;
    }
  }
  return curve;
}

}  // namespace calor::engine
