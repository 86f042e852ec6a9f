// Wilcoxon's signed-rank test.  Under the hypothesis every rank is positive or negative with probability 1/2, whatever the
// ranks are; so the exact distribution with ties is a convolution over the mean ranks, which are whole when doubled.
#include <algorithm>
#include <cmath>
#include <vector>

#include "calor/analyse/statistics.h"
#include "calor/core/error.h"

namespace calor::analyse {
namespace {

constexpr std::int64_t largest_exact = 50;

// P(sum of the positive doubled ranks <= sum): O(n * total).
double probability_at_most(const std::vector<std::int64_t>& doubled_ranks, std::int64_t sum) {
  std::vector<double> probability(static_cast<std::size_t>(sum) + 1, 0.0);
  probability[0] = 1;
  for (const std::int64_t rank : doubled_ranks)
    for (std::int64_t s = sum; s >= 0; --s) {
      const auto at = static_cast<std::size_t>(s);
      const double from_below = s >= rank ? probability[static_cast<std::size_t>(s - rank)] : 0.0;
      probability[at] = 0.5 * (probability[at] + from_below);
    }
  double total = 0;
  for (const double p : probability) total += p;
  return total;
}

}  // namespace

SignedRank wilcoxon_signed_rank(std::span<const double> differences) {
  std::vector<double> used;
  for (const double difference : differences) {
    require(std::isfinite(difference), Fault::internal, "[wilcoxon] expected finite differences, found {}", difference);
    if (difference != 0) used.push_back(difference);
  }
  SignedRank result;
  result.used = static_cast<std::int64_t>(used.size());
  if (used.empty()) return result;
  std::sort(used.begin(), used.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });

  const auto n = static_cast<double>(used.size());
  std::vector<std::int64_t> doubled_ranks(used.size());
  std::int64_t positive = 0, negative = 0;
  double tie_correction = 0;
  for (std::size_t begin = 0; begin < used.size();) {
    std::size_t end = begin + 1;
    while (end < used.size() && std::abs(used[end]) == std::abs(used[begin])) ++end;
    const auto doubled_mean_rank = static_cast<std::int64_t>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) {
      doubled_ranks[i] = doubled_mean_rank;
      (used[i] > 0 ? positive : negative) += doubled_mean_rank;
    }
    const auto tied = static_cast<double>(end - begin);
    tie_correction += tied * tied * tied - tied;
    begin = end;
  }

  const std::int64_t smaller = std::min(positive, negative);
  result.statistic = static_cast<double>(smaller) / 2;
  result.smallest_p = std::exp2(1 - n);
  result.exact = result.used <= largest_exact;
  if (result.exact) {
    result.p = std::min(1.0, 2 * probability_at_most(doubled_ranks, smaller));
  } else {
    const double variance = n * (n + 1) * (2 * n + 1) / 24 - tie_correction / 48;
    const double z = (result.statistic - n * (n + 1) / 4) / std::sqrt(variance);
    result.p = std::min(1.0, std::erfc(-z / std::sqrt(2.0)));
  }
  return result;
}

}  // namespace calor::analyse
