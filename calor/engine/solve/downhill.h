// The nearest minimum of a smooth function.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace calor::engine {

// Gives the value at x and fills the gradient, n numbers each.
using SmoothLoss = std::function<double(const double* x, double* gradient)>;

struct DownhillOptions {
  std::int64_t most_steps = 100;
  double tolerance = 0;  // settled where five steps lower the value by less than this share of it
  double still = 1e-9;   // or where a step is shorter than this share of 1 + |x|
};

struct Downhill {
  std::vector<double> values;  // at the beginning and after each step: never rising
  bool settled = false;
};

// Moves x (n numbers) by L-BFGS with ten pairs (Nocedal & Wright 2006, algorithm 7.4); a step is halved until it lowers the value by Armijo's
// share.  The loss must be bounded from below.  O(n) and a few losses a step.  `each` is called after every step and says whether to go on; null: always.
Downhill downhill(std::int64_t n, double* x, const SmoothLoss& loss, const DownhillOptions& options, const std::function<bool(std::int64_t step)>& each);

}  // namespace calor::engine
