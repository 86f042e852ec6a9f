#include "calor/engine/bandwidth.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/median.h"
#include "calor/engine/passes.h"
#include "calor/engine/reducers.h"

namespace calor::engine {

namespace {

constexpr int bin_bits = 6;  // of the mantissa: 64 bins per octave
constexpr int shift = 52 - bin_bits;

// Distances between points of a lattice lie on the bins' edges: what rounding makes of them must not choose the bin.
constexpr double beyond_rounding = 1 + 0x1p-20;

std::size_t bin_of(double value) { return static_cast<std::size_t>(std::bit_cast<std::uint64_t>(value * beyond_rounding) >> shift); }
double bin_middle(std::size_t bin) {
  const double low = std::bit_cast<double>(static_cast<std::uint64_t>(bin) << shift);
  const double high = std::bit_cast<double>(static_cast<std::uint64_t>(bin + 1) << shift);
  return (low + high) / 2;
}

struct Binned {
  std::vector<double> value, count;  // of the filled bins; the first is 0
};

Binned binned(const std::vector<std::int64_t>& counts) {
  Binned histogram;
  const std::size_t infinite = bin_of(std::numeric_limits<double>::infinity());
  for (std::size_t bin = 0; bin < infinite; ++bin)
    if (counts[bin]) {
      histogram.value.push_back(bin == 0 ? 0 : bin_middle(bin));
      histogram.count.push_back(static_cast<double>(counts[bin]));
    }
  return histogram;
}

struct Steepness {
  double log_sum, slope;
};

// log S and d log S / d log scale, S = sum count exp(-value / scale).
Steepness steepness(const Binned& histogram, double scale) {
  double sum = 0, moment = 0;
  const double least = histogram.value.front();
  for (std::size_t b = 0; b < histogram.value.size(); ++b) {
    const double weight = histogram.count[b] * std::exp(-(histogram.value[b] - least) / scale);
    sum += weight;
    moment += weight * histogram.value[b] / scale;
  }
  return {std::log(sum) - least / scale, moment / sum};
}

// Eight scales an octave, from which every value counts for nothing to where all count alike.
Bandwidth curve_of(const Binned& histogram) {
  double smallest = 0;
  for (const double value : histogram.value)
    if (value > 0) {
      smallest = value;
      break;
    }
  require(smallest > 0, Fault::input, "[exp] expected points at different places, found all at one: give a bandwidth");
  const double from = std::log2(smallest) - 2, to = std::log2(histogram.value.back()) + 4;
  const int steps = std::max(8, static_cast<int>(std::ceil((to - from) * 8)));
  Bandwidth result;
  for (int s = 0; s <= steps; ++s) {
    result.scales.push_back(std::exp2(from + (to - from) * s / steps));
    const Steepness here = steepness(histogram, result.scales.back());
    result.log_sums.push_back(here.log_sum);
    result.slopes.push_back(here.slope);
  }
  return result;
}

// The scale at a place between two of the curve's.
double scale_at(const Bandwidth& curve, double step) {
  const auto before = std::min(static_cast<std::size_t>(step), curve.scales.size() - 2);
  const double rest = step - static_cast<double>(before);
  return std::exp2((1 - rest) * std::log2(curve.scales[before]) + rest * std::log2(curve.scales[before + 1]));
}

Bandwidth steepest(const Binned& histogram) {
  Bandwidth result = curve_of(histogram);
  const std::vector<double>& slopes = result.slopes;
  const auto steps = static_cast<int>(slopes.size()) - 1;
  const auto slope = [&](double step) { return steepness(histogram, scale_at(result, step)).slope; };
  const auto top = static_cast<int>(std::max_element(slopes.begin(), slopes.end()) - slopes.begin());
  // Golden-section search about the best step.
  double low = std::max(0, top - 1), high = std::min(steps, top + 1);
  for (int i = 0; i < 40; ++i) {
    const double third = (high - low) * 0.381966011250105;
    if (slope(low + third) < slope(high - third)) low += third;
    else high -= third;
  }
  result.scale = scale_at(result, (low + high) / 2);
  result.dimension = 2 * slope((low + high) / 2);
  // Unclear: another peak nearly as high beyond a real dip, or the top at an end of the range.
  result.clear = top > 0 && top < steps;
  for (const int direction : {-1, 1}) {
    double dip = slopes[top];
    for (int s = top + direction; s >= 0 && s <= steps; s += direction) {
      dip = std::min(dip, slopes[s]);
      if (dip < 0.8 * slopes[top] && slopes[s] > 0.9 * slopes[top]) result.clear = false;
    }
  }
  return result;
}

// Where the curve is flattest between two rises; its end where it is not.
std::size_t flattest(const Bandwidth& curve, double rows, double pairs) {
  constexpr double flat = 0.5, least_rows = 4, least_groups = 1.1;
  const std::vector<double>& slopes = curve.slopes;
  std::size_t best = slopes.size();
  double before = 0;
  for (std::size_t s = 1; s + 1 < slopes.size(); ++s) {
    before = std::max(before, slopes[s - 1]);
    if (slopes[s] > slopes[s - 1] || slopes[s] >= slopes[s + 1]) continue;
    if (curve.log_sums[s] < std::log(least_rows * rows) || curve.log_sums[s] > std::log(pairs / least_groups)) continue;
    const double after = *std::max_element(slopes.begin() + static_cast<std::ptrdiff_t>(s), slopes.end());
    if (slopes[s] <= flat * std::min(before, after) && (best == slopes.size() || slopes[s] < slopes[best])) best = s;
  }
  return best;
}

}  // namespace

std::vector<std::int64_t> count_distances(const Similarity& similarity, const Context& context) {
  Histogram counted(std::size_t{1} << (11 + bin_bits), [](double score) { return static_cast<std::uint32_t>(bin_of(std::max(0.0, -score))); });
  return std::move(reduce_tiles(similarity, counted, context, "bandwidth").result);
}

Bandwidth bandwidth_of_counts(const std::vector<std::int64_t>& counts) { return steepest(binned(counts)); }

std::vector<double> farthest_of_rows(const Similarity& similarity, const Context& context) {
  const Csr scores = scores_on_support(similarity, context);
  std::vector<double> farthest;
  for (std::int64_t i = 0; i < scores.rows; ++i)
    if (const auto begin = scores.values.begin() + scores.begin[i], end = scores.values.begin() + scores.begin[i + 1]; begin != end)
      farthest.push_back(-std::min(0.0, *std::min_element(begin, end)));
  return farthest;
}

Bandwidth bandwidth_of_farthest(std::vector<double> farthest) {
  require(!farthest.empty(), Fault::input, "[exp] expected a graph with edges, found none");
  const double middle = upper_median(std::move(farthest));
  require(middle > 0, Fault::input,
          "[exp] expected neighbours at other places, found that half of the points have only coinciding ones: give a bandwidth or a larger k");
  Bandwidth result;
  result.scale = middle;
  return result;
}

Bandwidth automatic_bandwidth(const Similarity& similarity, const Context& context) {
  require(similarity.score.kind == Score::Kind::power_distance && similarity.score.power > 0, Fault::usage,
          "[exp] expected distances for bandwidth=auto, found stored values: give a number, or begin with distance(2)");
  return similarity.all_pairs() ? bandwidth_of_counts(count_distances(similarity, context)) : bandwidth_of_farthest(farthest_of_rows(similarity, context));
}

Bandwidth bandwidth_of_groups(const Similarity& similarity, const Context& context) {
  require(similarity.score.kind == Score::Kind::power_distance && similarity.score.power > 0 && similarity.all_pairs(), Fault::usage,
          "[exp] expected distances over all pairs for bandwidth=groups, found {}: give a number, or begin with distance(2)", describe(similarity));
  constexpr double passed = 0.75;
  Bandwidth result = curve_of(binned(count_distances(similarity, context)));
  const auto rows = static_cast<double>(similarity.rows), columns = static_cast<double>(similarity.columns);
  const std::vector<double>& slopes = result.slopes;
  const auto end = slopes.begin() + static_cast<std::ptrdiff_t>(flattest(result, rows, rows * columns));
  const auto top = std::max_element(slopes.begin(), end);
  const double level = passed * *top;
  const auto below = std::find_if(top, slopes.end(), [&](double slope) { return slope <= level; });
  if (below == slopes.end()) result.scale = result.scales.back();
  else result.scale = scale_at(result, static_cast<double>(below - slopes.begin()) - (level - *below) / (*(below - 1) - *below));
  return result;
}

namespace {

// Entropy of exp(score / scale) normalised, for scores shifted so that the greatest is 0.
double entropy(const Vector& scores, double scale) {
  double sum = 0, moment = 0;
  for (Eigen::Index e = 0; e < scores.size(); ++e) {
    const double logarithm = scores[e] / scale, weight = std::exp(logarithm);
    sum += weight;
    if (weight > 0) moment += weight * logarithm;
  }
  return std::log(sum) - moment / sum;
}

double scale_for(Vector scores, double perplexity, std::int64_t row) {
  require(static_cast<double>(scores.size()) >= perplexity, Fault::input,
          "[exp] expected at least {} values in a row for that perplexity, found {} in row {}: give a smaller perplexity or a larger k",
          perplexity, scores.size(), row + 1);
  constexpr double tie = 1e-6;  // relative to the greatest number: closer ones may differ by the rounding of their squares alone
  const double apart = tie * scores.cwiseAbs().maxCoeff();
  scores.array() -= scores.maxCoeff();
  const double target = std::log(perplexity), spread = -scores.minCoeff();
  if (spread == 0) return 1;  // all alike: every scale gives the same
  double next = spread;  // how far the scores that are not tied with the greatest lie below it
  for (const double score : scores)
    if (-score > apart) next = std::min(next, -score);
  constexpr double nothing_left = 750;  // exp(-750) is 0
  double low = 0, high = 0, scale = spread;
  for (int step = 0; step < 200; ++step) {
    const double found = entropy(scores, scale);
    if (std::abs(found - target) < 1e-9) break;
    (found < target ? low : high) = scale;
    scale = high == 0 ? 2 * scale : low == 0 ? scale / 2 : (low + high) / 2;
    if (scale > 1e9 * spread || scale < next / nothing_left) break;  // ties: the entropy cannot be reached any closer
  }
  return scale;
}

}  // namespace

Vector perplexity_scales(const Similarity& similarity, double perplexity, const Context& context) {
  RowScores scales(similarity.rows, [&](std::int64_t row, const Vector& scores) { return scale_for(scores, perplexity, row); });
  return std::move(reduce(similarity, scales, context, "perplexity").result);
}

}  // namespace calor::engine
