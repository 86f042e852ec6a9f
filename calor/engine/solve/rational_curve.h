// UMAP's curve: how alike two points of the map are by their distance.
#pragma once

namespace calor::engine {

struct RationalCurve {
  double a = 1, b = 1;  // 1 / (1 + a d^(2 b))
};

// The a and b by least squares against 1 up to min_dist and exp(-(d - min_dist) / spread) beyond, at 300 distances from 0 to 3 spread, as
// umap-learn's find_ab_params has it.  spread > 0, 0 <= min_dist <= 3 spread.  Levenberg's and Marquardt's method to rounding.
RationalCurve fit_curve(double spread, double min_dist);

}  // namespace calor::engine
