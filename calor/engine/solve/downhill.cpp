#include "calor/engine/solve/downhill.h"

#include <Eigen/Core>

#include <cmath>
#include <deque>

namespace calor::engine {

namespace {

using Numbers = Eigen::VectorXd;

struct Pair {
  Numbers moved, turned;  // of x and of its gradient
  double curvature;       // their product, positive
};

// -H gradient, H the inverse Hessian that the pairs tell of.
Numbers direction_of(const std::deque<Pair>& pairs, const Numbers& gradient, double scale) {
  Numbers direction = -gradient;
  std::vector<double> along;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    along.push_back(pair->moved.dot(direction) / pair->curvature);
    direction -= along.back() * pair->turned;
  }
  direction *= scale;
  for (const Pair& pair : pairs) {
    direction += (along.back() - pair.turned.dot(direction) / pair.curvature) * pair.moved;
    along.pop_back();
  }
  return direction;
}

}  // namespace

Downhill downhill(std::int64_t n, double* x, const SmoothLoss& loss, const DownhillOptions& options, const std::function<bool(std::int64_t step)>& each) {
  constexpr std::size_t most_pairs = 10, steps_together = 5;
  constexpr int most_halvings = 40;
  constexpr double enough = 1e-4;  // Armijo's share
  Eigen::Map<Numbers> at(x, n);
  Numbers gradient(n), next(n), next_gradient(n);
  Downhill result;
  double value = loss(x, gradient.data()), scale = 1;
  result.values.push_back(value);
  std::deque<Pair> pairs;
  for (std::int64_t step = 0; step < options.most_steps && !result.settled; ++step) {
    if (gradient.squaredNorm() == 0) {
      result.settled = true;
      break;
    }
    Numbers direction = direction_of(pairs, gradient, scale);
    double slope = direction.dot(gradient);
    if (!(slope < 0)) {
      pairs.clear();
      direction = -scale * gradient;
      slope = -scale * gradient.squaredNorm();
    }
    double length = 1, found = value;
    bool lower = false;
    for (int halving = 0; halving < most_halvings && !lower; ++halving) {
      if (halving > 0) length /= 2;
      next = at + length * direction;
      found = loss(next.data(), next_gradient.data());
      lower = std::isfinite(found) && found <= value + enough * length * slope;
    }
    if (!lower) {
      result.settled = pairs.empty();  // not even along the gradient: rounding is all that is left
      if (result.settled) break;
      pairs.clear();
      scale = 1;
      result.values.push_back(value);
      continue;
    }
    Pair pair{next - at, next_gradient - gradient, 0};
    pair.curvature = pair.moved.dot(pair.turned);
    if (pair.curvature > 1e-10 * pair.moved.norm() * pair.turned.norm()) {
      scale = pair.curvature / pair.turned.squaredNorm();
      pairs.push_back(std::move(pair));
      if (pairs.size() > most_pairs) pairs.pop_front();
    } else if (length == 1) {
      scale *= 2;  // the slope does not flatten: go on with longer steps
    }
    const double moved = (next - at).norm();
    at = next;
    gradient = next_gradient;
    value = found;
    result.values.push_back(value);
    if (each && !each(step + 1)) break;
    const std::size_t count = result.values.size();
    result.settled = moved <= options.still * (1 + at.norm()) ||
                     (count > steps_together && result.values[count - 1 - steps_together] - value <= options.tolerance * std::abs(value));
  }
  return result;
}

}  // namespace calor::engine
