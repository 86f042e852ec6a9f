#include <cmath>
#include <limits>

#include "calor/kernels/scalar/tables.h"

namespace calor::kernels::scalar {

static Extremes step(double* pulls, const float* left, double a, const float* right, double b, const float* may_rise, const float* may_fall,
                     std::int64_t count) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Extremes found{-infinity, infinity, -1};
  for (std::int64_t t = 0; t < count; ++t) {
    pulls[t] -= a * static_cast<double>(left[t]) + b * static_cast<double>(right[t]);
    if (const double rising = pulls[t] + static_cast<double>(may_rise[t]); rising > -infinity && rising >= found.greatest) {
      found.greatest = rising;
      found.first = t;
    }
    found.least = std::fmin(found.least, pulls[t] + static_cast<double>(may_fall[t]));
  }
  return found;
}

static std::int64_t second(const SecondChoice& choice, std::int64_t count) {
  double best = 0;
  std::int64_t at = -1;
  for (std::int64_t t = 0; t < count; ++t) {
    const double distance = choice.greatest - (choice.pulls[t] + static_cast<double>(choice.may_fall[t]));
    if (!(distance > 0)) continue;
    const double curvature = choice.own + choice.diagonal[t] - 2 * static_cast<double>(choice.row[t]);
    const double gain = distance * distance / (curvature > 0 ? curvature : least_curvature);
    if (gain < best) continue;
    best = gain;
    at = t;
  }
  return at;
}

const WorkingSet* working_set() {
  static const WorkingSet table{step, second};
  return &table;
}

}  // namespace calor::kernels::scalar
