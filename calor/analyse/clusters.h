// Clusters by their sizes, and against known labels.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace calor::analyse {

// How many rows each of 0, 1, ... has; negative ones are left out.
std::vector<std::int64_t> group_sizes(std::span<const std::int64_t> groups);

// Two partitions of the same rows, over those where both are known (not negative).  NaN without any.
struct Agreement {
  // Mutual information over the mean of both entropies; 1 where both are a single group.
  double nmi = std::numeric_limits<double>::quiet_NaN();
  // Hubert & Arabie's adjusted Rand index: 0 expected by chance, 1 the same partition.
  double ari = std::numeric_limits<double>::quiet_NaN();
  std::int64_t rows = 0;
};
Agreement agreement(std::span<const std::int64_t> clusters, std::span<const std::int64_t> labels);

}  // namespace calor::analyse
