#include "calor/limit/own_points.h"

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>

#include "calor/analyse/statistics.h"
#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"

namespace calor::limit {
namespace {

using Eigen::ArrayXd;
using Eigen::MatrixXd;

constexpr std::int64_t least_points = 10, most_queries = 1000, most_pairs = 20'000'000;
constexpr int ladder_size = 40, most_neighbours = 20;
constexpr double order_tolerance = 0.2, least_seen = 5;  // below 5 effective neighbours the order is one of single distances
const double nan = std::numeric_limits<double>::quiet_NaN();

// What a query contributes at one eps; primes are derivatives in log eps.
struct Part {
  double sum = 0, sum_slope = 0;        // of w over the other points
  double flow = 0, flow_slope = 0;      // S h - h
  double neighbours = 0, mean_value = 0;  // 1 / sum S^2; S h
};

class Measurement {
 public:
  Measurement(std::span<const double> rows, std::int64_t columns, std::span<const double> h, std::uint64_t seed)
      : points_(Eigen::Map<const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
            rows.data(), static_cast<Eigen::Index>(rows.size()) / columns, columns)),
        h_(Eigen::Map<const ArrayXd>(h.data(), static_cast<Eigen::Index>(h.size()))) {
    const std::int64_t count = points_.rows();
    Random random(seed, Purpose::permutation);
    queries_ = permutation(count, random);
    queries_.resize(static_cast<std::size_t>(std::min({count, most_queries, std::max<std::int64_t>(64, most_pairs / count)})));
    std::sort(queries_.begin(), queries_.end());
  }

  const std::vector<std::int64_t>& queries() const { return queries_; }

  ArrayXd squared_distances(std::size_t query) const {
    ArrayXd sum = ArrayXd::Zero(points_.rows());
    for (Eigen::Index c = 0; c < points_.cols(); ++c) sum += (points_.col(c).array() - points_(queries_[query], c)).square();
    return sum;
  }

  Part part(std::size_t query, const ArrayXd& squared, double epsilon) const {
    const double own = h_[queries_[query]];
    const ArrayXd scaled = squared * (0.5 / epsilon), w = (-scaled).exp(), rise = h_ - own;
    Part part;
    const double sum = w.sum(), flow = (w * rise).sum() / sum;
    part.sum = sum - 1;  // less the query itself
    part.sum_slope = (w * scaled).sum();
    part.flow = flow;
    part.flow_slope = (w * scaled * rise).sum() / sum - flow * part.sum_slope / sum;
    part.neighbours = sum * sum / w.square().sum();
    part.mean_value = own + flow;
    return part;
  }

  // parts[query][k] at each eps.
  std::vector<std::vector<Part>> parts(const std::vector<double>& ladder, const Context& context) const {
    std::vector<std::vector<Part>> all(queries_.size());
    std::atomic<std::int64_t> done{0};
    parallel_for(static_cast<std::int64_t>(queries_.size()), context.threads, [&](std::int64_t i) {
      context.check_stop("limit");
      const auto query = static_cast<std::size_t>(i);
      const ArrayXd squared = squared_distances(query);
      for (const double epsilon : ladder) all[query].push_back(part(query, squared, epsilon));
      context.advance(static_cast<double>(++done), static_cast<double>(queries_.size()), "bandwidths");
    });
    return all;
  }

  AtEpsilon summary(const std::vector<std::vector<Part>>& parts, std::size_t k, double epsilon) const {
    double sum = 0, slope = 0, squares = 0, product = 0;
    std::vector<double> neighbours;
    for (const auto& query : parts) {
      sum += query[k].sum;
      slope += query[k].sum_slope;
      squares += query[k].flow * query[k].flow;
      product += query[k].flow * query[k].flow_slope;
      neighbours.push_back(query[k].neighbours);
    }
    const double deviation = std::sqrt((h_ - h_.mean()).square().mean());
    const auto count = static_cast<double>(parts.size());
    return {epsilon, sum > 0 ? 2 * slope / sum : nan, std::sqrt(squares / count) / deviation, squares > 0 ? product / squares : nan,
            analyse::median(neighbours)};
  }

 private:
  MatrixXd points_;
  ArrayXd h_;
  std::vector<std::int64_t> queries_;
};

struct Scales {
  double nearest = 0, farthest = 0;  // squared distances: median of the nearest, greatest
  Estimate dimension;
};

// Levina & Bickel's estimate with the inverse averaged over the queries; points at distance 0 are left out.
Scales scales(const Measurement& measurement, const Context& context) {
  const std::size_t count = measurement.queries().size();
  std::vector<double> nearest(count, nan), farthest(count), inverse(count, nan);
  parallel_for(static_cast<std::int64_t>(count), context.threads, [&](std::int64_t i) {
    context.check_stop("limit");
    const auto query = static_cast<std::size_t>(i);
    const ArrayXd squared = measurement.squared_distances(query);
    farthest[query] = squared.maxCoeff();
    std::vector<double> others;
    for (const double value : squared)
      if (value > 0) others.push_back(value);
    if (others.empty()) return;
    const std::size_t near = std::min<std::size_t>(most_neighbours, others.size());
    std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(near), others.end());
    nearest[query] = others[0];
    double sum = 0;
    for (std::size_t k = 0; k + 1 < near; ++k) sum += 0.5 * std::log(others[near - 1] / others[k]);
    inverse[query] = near > 1 ? sum / static_cast<double>(near - 1) : nan;
  });
  std::erase_if(nearest, [](double value) { return std::isnan(value); });
  std::erase_if(inverse, [](double value) { return std::isnan(value); });
  Scales result{nearest.empty() ? 0 : analyse::median(nearest), *std::max_element(farthest.begin(), farthest.end()), {nan, nan, nan}};
  if (inverse.size() < 3) return result;
  const auto size = static_cast<double>(inverse.size());
  const double mean = analyse::mean(inverse);
  const double half = analyse::student_t_quantile(0.975, size - 1) * analyse::deviation(inverse) / std::sqrt(size);
  result.dimension = {1 / mean, 1 / (mean + half), mean > half ? 1 / (mean - half) : std::numeric_limits<double>::infinity()};
  return result;
}

// The stretch of the ladder around the order nearest 1 in which the order is within the tolerance and rows see neighbours.
void find_linear(OwnPoints& found) {
  const auto off = [&](std::size_t k) {
    const double distance = std::abs(found.curve[k].order - 1);
    return std::isnan(distance) || found.curve[k].neighbours < least_seen ? std::numeric_limits<double>::infinity() : distance;
  };
  std::size_t best = 0;
  for (std::size_t k = 1; k < found.curve.size(); ++k)
    if (off(k) < off(best)) best = k;
  found.linear_low = found.linear_high = nan;
  if (off(best) > order_tolerance) return;
  std::size_t low = best, high = best;
  while (low > 0 && off(low - 1) <= order_tolerance) --low;
  while (high + 1 < found.curve.size() && off(high + 1) <= order_tolerance) ++high;
  found.linear_low = found.curve[low].epsilon;
  found.linear_high = found.curve[high].epsilon;
}

}  // namespace

OwnPoints own_points(std::span<const double> rows, std::int64_t columns, std::span<const double> h, std::uint64_t seed, const Context& context) {
  const auto count = static_cast<std::int64_t>(h.size());
  require(count >= least_points, Fault::input, "[limit] expected at least {} points, found {}", least_points, count);
  context.memory.require(static_cast<std::uint64_t>(8 * count * (columns + 8)), "limit", "a copy of the points",
                         "give fewer of them, or fewer columns");
  const Measurement measurement(rows, columns, h, seed);
  const Scales scale = scales(measurement, context);
  require(scale.farthest > 0, Fault::input, "[limit] expected points that differ, found {} times the same", count);
  const auto [least, most] = std::minmax_element(h.begin(), h.end());
  require(*most > *least, Fault::input, "[limit] expected a function that is not constant, found {} at every point: name another --function",
          *least);

  std::vector<double> ladder;
  const double low = scale.nearest / 8, high = scale.farthest;
  for (int k = 0; k < ladder_size; ++k) ladder.push_back(low * std::pow(high / low, static_cast<double>(k) / (ladder_size - 1)));
  ladder.push_back(0.5);
  const auto parts = measurement.parts(ladder, context);

  OwnPoints found;
  found.points = count;
  found.columns = columns;
  found.queries = static_cast<std::int64_t>(measurement.queries().size());
  found.dimension_by_neighbours = scale.dimension;
  for (std::size_t k = 0; k < ladder_size; ++k) found.curve.push_back(measurement.summary(parts, k, ladder[k]));
  std::size_t steepest = ladder_size - 1;  // where rows see all points
  for (std::size_t k = 0; k < ladder_size; ++k)
    if (found.curve[k].neighbours >= least_seen && found.curve[k].dimension > found.curve[steepest].dimension) steepest = k;
  found.half = measurement.summary(parts, ladder_size, 0.5);
  found.steepest = found.curve[steepest];
  find_linear(found);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    found.density.push_back(parts[i][steepest].sum + 1);
    found.before.push_back(h[static_cast<std::size_t>(measurement.queries()[i])]);
    found.after.push_back(parts[i][ladder_size].mean_value);
  }
  const double median = analyse::median(found.density);
  for (double& value : found.density) value /= median;
  return found;
}

}  // namespace calor::limit
