// The inner loops of sequential minimal optimisation: the step of two variables felt by all others, and the choice of the next two.
//
// Of each variable t: pulls[t] = -y_t G_t, G the gradient of the dual objective; may_rise[t] is 0 where y_t alpha_t can grow and minus
// infinity where it cannot, may_fall[t] is 0 where it can shrink and infinity where it cannot.  Of equals the last is chosen, as
// libsvm does.  Fan, Chen & Lin 2005, WSS 2.
#pragma once

#include <cstdint>

namespace calor::kernels {

struct Extremes {
  double greatest = 0, least = 0;  // of those that can rise, and of those that can fall; infinite where none can
  std::int64_t first = -1;         // where the greatest is; -1: none can rise
};

// What the second choice is made by: row[t] = K(first, t), diagonal[t] = K(t, t).
struct SecondChoice {
  const double* pulls;
  const float *may_fall, *row;
  const double* diagonal;
  double greatest, own;  // the first's pull and diagonal
};

struct WorkingSet {
  // pulls[t] -= a left[t] + b right[t], then the extremes over all t.
  Extremes (*step)(double* pulls, const float* left, double a, const float* right, double b, const float* may_rise, const float* may_fall,
                   std::int64_t count);
  // The t that can fall, with a pull below the first's, of greatest (greatest - pull)^2 / (own + diagonal - 2 row); -1 where none is.
  // A curvature that is not positive counts as least_curvature.
  std::int64_t (*second)(const SecondChoice& choice, std::int64_t count);
};

inline constexpr double least_curvature = 1e-12;  // libsvm's tau

}  // namespace calor::kernels
