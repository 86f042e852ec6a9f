#include "calor/analyse/clusters.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "calor/core/error.h"

namespace calor::analyse {
namespace {

using Counts = std::map<std::int64_t, double>;

double entropy(const Counts& counts, double rows) {
  double sum = 0;
  for (const auto& [group, count] : counts) sum -= count / rows * std::log(count / rows);
  return sum;
}

double pairs(double count) { return count * (count - 1) / 2; }

double pairs_within(const Counts& counts) {
  double sum = 0;
  for (const auto& [group, count] : counts) sum += pairs(count);
  return sum;
}

}  // namespace

std::vector<std::int64_t> group_sizes(std::span<const std::int64_t> groups) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t group : groups) {
    if (group < 0) continue;
    if (group >= static_cast<std::int64_t>(sizes.size())) sizes.resize(static_cast<std::size_t>(group) + 1, 0);
    ++sizes[group];
  }
  return sizes;
}

Agreement agreement(std::span<const std::int64_t> clusters, std::span<const std::int64_t> labels) {
  require(clusters.size() == labels.size(), Fault::internal, "[agreement] expected as many labels as clusters, found {} and {}",
          labels.size(), clusters.size());
  Counts of_clusters, of_labels;
  std::map<std::pair<std::int64_t, std::int64_t>, double> both;
  Agreement result;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    if (clusters[i] < 0 || labels[i] < 0) continue;
    ++of_clusters[clusters[i]];
    ++of_labels[labels[i]];
    ++both[{clusters[i], labels[i]}];
    ++result.rows;
  }
  if (result.rows == 0) return result;

  const double rows = static_cast<double>(result.rows);
  double information = 0, together = 0;
  for (const auto& [key, count] : both) {
    information += count / rows * std::log(count * rows / (of_clusters[key.first] * of_labels[key.second]));
    together += pairs(count);
  }
  const double entropies = entropy(of_clusters, rows) + entropy(of_labels, rows);
  result.nmi = entropies > 0 ? std::clamp(2 * information / entropies, 0.0, 1.0) : 1;
  const double in_clusters = pairs_within(of_clusters), in_labels = pairs_within(of_labels);
  const double expected = rows > 1 ? in_clusters * in_labels / pairs(rows) : 0, most = (in_clusters + in_labels) / 2;
  result.ari = most > expected ? (together - expected) / (most - expected) : 1;
  return result;
}

}  // namespace calor::analyse
