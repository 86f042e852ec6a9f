#include "calor/limit/generator.h"

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>

#include "calor/core/threads.h"

namespace calor::limit {
namespace {

constexpr std::int64_t piece_size = 16;    // queries a piece of parallel work
constexpr std::int64_t block_size = 1024;  // pairs gathered before their exponentials are taken at once

// Calls take(j, weight) for the points j within the support of `query`, in ascending order.
template <class Take>
void for_each_near(const Sample& sample, const double* query, double epsilon, std::span<const double> weight, Take&& take) {
  const double limit = 2 * epsilon * support_cut, radius = std::sqrt(limit);
  const double* first = sample.x.data();
  const std::int64_t begin = std::lower_bound(first, first + sample.count, query[0] - radius) - first;
  const std::int64_t end = std::upper_bound(first, first + sample.count, query[0] + radius) - first;
  std::array<double, block_size> exponent;
  std::array<std::int64_t, block_size> index;
  for (std::int64_t from = begin; from < end; from += block_size) {
    const std::int64_t size = std::min(block_size, end - from);
    std::array<double, block_size> distance;
    for (std::int64_t j = 0; j < size; ++j) distance[static_cast<std::size_t>(j)] = 0;
    for (int c = 0; c < sample.dim; ++c) {
      const double* column = first + c * sample.count + from;
      for (std::int64_t j = 0; j < size; ++j) {
        const double difference = column[j] - query[c];
        distance[static_cast<std::size_t>(j)] += difference * difference;
      }
    }
    std::int64_t found = 0;
    for (std::int64_t j = 0; j < size; ++j) {
      const double squared = distance[static_cast<std::size_t>(j)];
      exponent[static_cast<std::size_t>(found)] = squared;
      index[static_cast<std::size_t>(found)] = from + j;
      found += squared <= limit;
    }
    Eigen::Map<Eigen::ArrayXd> values(exponent.data(), found);
    values = (values * (-0.5 / epsilon)).exp();
    for (std::int64_t k = 0; k < found; ++k) {
      const std::int64_t j = index[static_cast<std::size_t>(k)];
      take(j, weight[static_cast<std::size_t>(j)] * exponent[static_cast<std::size_t>(k)]);
    }
  }
}

template <class Work>
void for_each_query(const Sample& queries, const Context& context, Work&& work) {
  parallel_for((queries.count + piece_size - 1) / piece_size, context.threads, [&](std::int64_t piece) {
    context.check_stop("limit");
    for (std::int64_t i = piece * piece_size; i < std::min(queries.count, (piece + 1) * piece_size); ++i) work(i, queries.point(i));
  });
}

}  // namespace

std::vector<double> degrees(const Sample& sample, const Sample& at, double epsilon, const Context& context) {
  std::vector<double> sums(static_cast<std::size_t>(at.count));
  for_each_query(at, context, [&](std::int64_t i, const std::vector<double>& query) {
    double sum = 0;
    for_each_near(sample, query.data(), epsilon, sample.weight, [&](std::int64_t, double weight) { sum += weight; });
    sums[static_cast<std::size_t>(i)] = sum;
  });
  return sums;
}

// Weights of the keys divided by q^alpha; q_i^alpha cancels in the row.
static std::vector<double> normalised_weights(const Sample& sample, double epsilon, double alpha, const Context& context) {
  std::vector<double> weight = sample.weight;
  if (alpha == 0) return weight;
  const std::vector<double> degree = degrees(sample, sample, epsilon, context);
  for (std::size_t j = 0; j < weight.size(); ++j) weight[j] *= std::pow(degree[j], -alpha);
  return weight;
}

std::vector<double> generator(const Sample& sample, std::span<const double> h, const Sample& queries,
                              std::span<const double> h_queries, double epsilon, double alpha, const Context& context) {
  const std::vector<double> weights = normalised_weights(sample, epsilon, alpha, context);
  std::vector<double> result(static_cast<std::size_t>(queries.count));
  for_each_query(queries, context, [&](std::int64_t i, const std::vector<double>& query) {
    const double own = h_queries[static_cast<std::size_t>(i)];
    double sum = 0, flow = 0;
    for_each_near(sample, query.data(), epsilon, weights, [&](std::int64_t j, double weight) {
      sum += weight;
      flow += weight * (h[static_cast<std::size_t>(j)] - own);
    });
    result[static_cast<std::size_t>(i)] = 2 / epsilon * flow / sum;  // NaN where the support is empty
  });
  return result;
}

}  // namespace calor::limit
