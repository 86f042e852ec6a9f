#include "calor/analyse/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::analyse {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Of sorted, non-empty values.
double quantile_of_sorted(std::span<const double> sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

}  // namespace

double mean(std::span<const double> values) {
  if (values.empty()) return not_a_number;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double deviation(std::span<const double> values) {
  if (values.size() < 2) return not_a_number;
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double quantile(std::span<const double> values, double p) {
  require(p >= 0 && p <= 1, Fault::internal, "[quantile] expected a probability in [0, 1], found {}", p);
  if (values.empty()) return not_a_number;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return quantile_of_sorted(sorted, p);
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

Interval bootstrap_deviation(std::span<const double> values, double level, std::uint64_t seed) {
  constexpr int resamples = 2000;
  require(level > 0 && level < 1, Fault::internal, "[bootstrap] expected a level in (0, 1), found {}", level);
  if (values.size() < 3) return {not_a_number, not_a_number};
  Random random(seed, Purpose::bootstrap);
  std::vector<double> resample(values.size()), deviations(resamples);
  for (double& result : deviations) {
    for (double& value : resample) value = values[random.below(values.size())];
    result = deviation(resample);
  }
  std::sort(deviations.begin(), deviations.end());
  return {quantile_of_sorted(deviations, (1 - level) / 2), quantile_of_sorted(deviations, (1 + level) / 2)};
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, p[order[rank]] * static_cast<double>(order.size() - rank));
    adjusted[order[rank]] = std::min(1.0, largest);
  }
  return adjusted;
}

PairedDifference paired_difference(std::span<const double> differences, double level) {
  require(level > 0 && level < 1, Fault::internal, "[paired_difference] expected a level in (0, 1), found {}", level);
  constexpr double size = 0.05, power = 0.8;
  PairedDifference result;
  result.mean = mean(differences);
  if (differences.size() < 2) {
    result.interval = {not_a_number, not_a_number};
    result.detectable = not_a_number;
    return result;
  }
  const auto n = static_cast<double>(differences.size());
  const double error = deviation(differences) / std::sqrt(n);
  const double half = student_t_quantile((1 + level) / 2, n - 1) * error;
  result.interval = {result.mean - half, result.mean + half};
  result.detectable = (student_t_quantile(1 - size / 2, n - 1) + student_t_quantile(power, n - 1)) * error;
  return result;
}

}  // namespace calor::analyse
