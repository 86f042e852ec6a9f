// Student's t distribution through the regularised incomplete beta function: for t < 0,
// P(T <= t) = I_x(v/2, 1/2) / 2 with x = v / (v + t^2).
#include <cmath>
#include <limits>

#include "calor/analyse/statistics.h"
#include "calor/core/error.h"

namespace calor::analyse {
namespace {

// The continued fraction of the incomplete beta function (DLMF 8.17.22), evaluated from the front by the modified Lentz
// method; converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr int most_terms = 10000;
  constexpr double tiny = 1e-300, precision = 1e-15;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m <= most_terms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double factor = 1;
    for (const double term : {even, odd}) {
      d = 1 / away_from_zero(1 + term * d);
      c = away_from_zero(1 + term / c);
      factor = c * d;
      fraction *= factor;
    }
    if (std::abs(factor - 1) < precision) break;
  }
  return fraction;
}

// I_x(a, b); `rest` is 1 - x, given apart so that neither tail loses digits.
double regularised_beta(double a, double b, double x, double rest) {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const double log_front = std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(rest);
  if (x < (a + 1) / (a + b + 2)) return std::exp(log_front) * beta_fraction(a, b, x) / a;
  return 1 - std::exp(log_front) * beta_fraction(b, a, rest) / b;
}

// P(T <= -t) for t >= 0.
double lower_tail(double t, double freedom) {
  const double square = t * t;
  return 0.5 * regularised_beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square));
}

}  // namespace

double student_t_cdf(double t, double degrees_of_freedom) {
  require(degrees_of_freedom > 0, Fault::internal, "[student_t] expected degrees of freedom above 0, found {}",
          degrees_of_freedom);
  return t < 0 ? lower_tail(-t, degrees_of_freedom) : 1 - lower_tail(t, degrees_of_freedom);
}

double student_t_quantile(double p, double degrees_of_freedom) {
  require(degrees_of_freedom > 0, Fault::internal, "[student_t] expected degrees of freedom above 0, found {}",
          degrees_of_freedom);
  require(p > 0 && p < 1, Fault::internal, "[student_t] expected a probability in (0, 1), found {}", p);
  if (p == 0.5) return 0;
  const double tail = p < 0.5 ? p : 1 - p;
  double low = 0, high = 1;
  while (lower_tail(high, degrees_of_freedom) > tail) {
    low = high;
    high *= 2;
  }
  // Bisection down to neighbouring doubles: always converges, and a quantile is asked for a few times a comparison.
  for (double middle = 0.5 * (low + high); middle > low && middle < high; middle = 0.5 * (low + high))
    (lower_tail(middle, degrees_of_freedom) > tail ? low : high) = middle;
  return p < 0.5 ? -high : high;
}

}  // namespace calor::analyse
