// How well an embedding keeps what the input says: neighbourhoods, distances, and whose neighbours share a label.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "calor/analyse/points.h"
#include "calor/core/progress.h"

namespace calor::analyse {

struct EmbeddingQualityOptions {
  std::int64_t neighbours = 15;  // fewer where that is not below half of the points
  std::int64_t all_up_to = 5000, sample = 1000, least_sample = 200;
  double work = 1e10;            // multiply-adds that the distances may cost before fewer rows are judged
  std::uint64_t seed = 0;        // of the sample
};

// A number that does not exist (too few points, no labels, all points at one place) is NaN.
struct EmbeddingQuality {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();
  std::int64_t neighbours = 0;  // k
  std::int64_t rows = 0;        // judged, each against all points
  std::int64_t points = 0;
  // 1: no point is among the k nearest of the embedding that is not among those of the input (trustworthiness), or the
  // other way round (continuity); weighted by how far off it is in rank.  Venna & Kaski 2001, eq. 3 and 4.
  double trustworthiness = none, continuity = none;
  // Kruskal's stress-1 of the straight-line distances after the best uniform scaling of the embedding:
  // sqrt(sum (delta - b d)^2 / sum delta^2), b = sum delta d / sum d^2.
  double stress_1 = none;
  // Mean share of the labelled ones among the k nearest that have the row's own label, in the embedding and in the input.
  double purity = none, purity_of_input = none;
  std::int64_t labelled_rows = 0;
  // Of each judged row, ascending: the share of its k nearest in the input that are among its k nearest in the embedding.  The others are
  // missed there, and as many false ones stand in their place.
  std::vector<std::int64_t> judged;
  std::vector<double> kept;
};

// Euclidean distances in both; equal distances rank in the order of their rows.  All rows are judged up to `all_up_to`
// (if that is within `work`), otherwise a sample drawn by the seed, each of its rows against all points: the mean over the sample
// estimates the mean over all.  `labels`: one per row, -1 where not known; empty without.  O(rows points (d + k)) time, no copy of the input; same bits
// for any number of threads.
EmbeddingQuality embedding_quality(const Points& input, const Points& embedding, std::span<const std::int64_t> labels,
                                   const EmbeddingQualityOptions& options, const Context& context);

}  // namespace calor::analyse
