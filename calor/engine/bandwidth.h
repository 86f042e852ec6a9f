// Choosing the scale of an exponential from the data.
#pragma once

#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/record.h"

namespace calor::engine {

struct Bandwidth {
  double scale = 0;      // of exp(score / scale)
  double dimension = 0;  // all pairs: twice the steepest slope; 0 on a support
  bool clear = true;     // false: the slope has no single maximum
  // All pairs: what the choice was made from.  log_sum[i] is log sum_ij exp(score_ij / scales[i]), slope[i] its derivative by
  // log scale.  Empty on a support.
  std::vector<double> scales, log_sums, slopes;
};

// All pairs: the scale at which log sum_ij exp(score_ij / scale) rises steepest against log scale; the slope there is half
// the dimension of the data when the score is minus a squared distance (Coifman, Shkolnisky, Sigworth & Singer 2008).
// One pass over the pairs fills a histogram of the scores with 64 bins per octave (relative width 1 to 1.6 %, whose second
// order is below 1e-4 of the slope); the sums are then taken over its bins.
// On a support, where the slope rule fails: the median over the rows of minus the least score, for distance(2) the median
// squared distance to the k-th neighbour.
// Throws Fault::usage for anything but distances, Fault::input when all points coincide, or half of the rows have only coinciding neighbours.
Bandwidth automatic_bandwidth(const Similarity& similarity, const Context& context);

// All pairs: the scale at which points climb to one place in each group that they fall into, and groups stay apart.  On the same curve,
// groups are where log sum is flat between two rises: that of a group's own points, and that of the points between groups.  Flat is a
// slope of at most half of the steepest on either side, with groups of at least 4 rows and at least 1.1 of them on the average
// (sum / rows, pairs / sum); of several places the flattest; without one all points are a group.  The scale is where the rise within
// groups has passed and its slope has fallen to three quarters of its steepest: of normal groups of deviation s about 2 s^2.
// Throws Fault::usage for anything but distances over all pairs, Fault::input when all points coincide.
Bandwidth bandwidth_of_groups(const Similarity& similarity, const Context& context);

// The two steps of automatic_bandwidth, for whoever has the pairs in parts.
// All pairs: how often minus the score comes in each bin, of a fixed number of bins; counts of parts add up to those of the whole.
std::vector<std::int64_t> count_distances(const Similarity& similarity, const Context& context);
Bandwidth bandwidth_of_counts(const std::vector<std::int64_t>& counts);
// On a support: minus the least score of each row that has edges, in order of the rows.
std::vector<double> farthest_of_rows(const Similarity& similarity, const Context& context);
Bandwidth bandwidth_of_farthest(std::vector<double> farthest);

// The scale for each row at which the entropy of its normalised values is log(perplexity), within 1e-5; the diagonal
// counts only where the record has it.  Throws Fault::input for a row with fewer than `perplexity` values.
Vector perplexity_scales(const Similarity& similarity, double perplexity, const Context& context);

}  // namespace calor::engine
