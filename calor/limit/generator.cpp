#include "calor/limit/generator.h"

#include <algorithm>
#include <cmath>

namespace calor::limit {

std::vector<double> Generator::degrees(const Sample& at, double epsilon, const Context& context) const {
  return sums_.total(at.view(), sample_.weight.data(), epsilon, context);
}

std::vector<std::vector<double>> Generator::at(const Sample& queries, std::span<const double> h, std::span<const double> h_queries,
                                               double epsilon, std::span<const double> alphas, const Context& context) const {
  std::vector<double> degree;
  if (std::any_of(alphas.begin(), alphas.end(), [](double alpha) { return alpha != 0; })) degree = degrees(sample_, epsilon, context);
  std::vector<std::vector<double>> results;
  for (const double alpha : alphas) {
    std::vector<double> weight = sample_.weight;  // over q^alpha; q_i^alpha cancels in the row
    if (alpha != 0)
      for (std::size_t j = 0; j < weight.size(); ++j) weight[j] *= std::pow(degree[j], -alpha);
    const auto rows = sums_.flow(queries.view(), weight.data(), h.data(), h_queries.data(), epsilon, context);
    std::vector<double>& result = results.emplace_back(rows.total.size());
    for (std::size_t i = 0; i < result.size(); ++i) result[i] = 2 / epsilon * rows.flow[i] / rows.total[i];
  }
  return results;
}

std::vector<double> generator(const Sample& sample, std::span<const double> h, const Sample& queries,
                              std::span<const double> h_queries, double epsilon, double alpha, const Context& context) {
  return Generator(sample).at(queries, h, h_queries, epsilon, std::span(&alpha, 1), context).front();
}

}  // namespace calor::limit
