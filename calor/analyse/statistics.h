// Statistics for comparing runs over the same seeds.  All on doubles, all deterministic for a seed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace calor::analyse {

struct Interval {
  double low = 0, high = 0;
};

double mean(std::span<const double> values);                // NaN for none
double deviation(std::span<const double> values);           // sample deviation (n - 1); NaN for fewer than 2
double quantile(std::span<const double> values, double p);  // linear between order statistics (Hyndman & Fan type 7)
double median(std::span<const double> values);              // both NaN for none

// Percentile bootstrap interval of the sample deviation (2,000 resamples).  NaN for fewer than 3 values.
Interval bootstrap_deviation(std::span<const double> values, double level, std::uint64_t seed);

// Wilcoxon's signed-rank test that the differences are symmetric about 0, two-sided.  Zeros are dropped, ties get mean
// ranks.  Exact distribution (of the ranks as they are, ties included) up to 50 differences, else the normal
// approximation with tie correction and no continuity correction.  Only exactly equal sizes are ties: round differences
// that carry rounding errors first.
struct SignedRank {
  double statistic = 0;  // the smaller of the sums of positive and of negative ranks
  double p = 1;
  double smallest_p = 1;  // the least p that so many non-zero differences can give: 2^(1-n)
  std::int64_t used = 0;  // non-zero differences
  bool exact = true;
};
SignedRank wilcoxon_signed_rank(std::span<const double> differences);

// Holm's step-down adjustment, in the order given.
std::vector<double> holm(std::span<const double> p);

// Mean of paired differences with Student's t interval; NaN limits for fewer than 2.
struct PairedDifference {
  double mean = 0;
  Interval interval;
  // The true mean difference that a two-sided t test at 5 % would have found with 80 % power, for this many pairs and
  // this deviation: what the run could have seen.  (t(.975) + t(.8)) deviation / sqrt(n), n - 1 degrees of freedom.
  double detectable = 0;
};
PairedDifference paired_difference(std::span<const double> differences, double level);

// Student's t distribution; degrees of freedom > 0, p in (0, 1); relative error below 1e-10 in either tail.
double student_t_quantile(double p, double degrees_of_freedom);
double student_t_cdf(double t, double degrees_of_freedom);

}  // namespace calor::analyse
