#include "calor/engine/cardinality.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/values.h"

namespace calor::engine {

namespace {

constexpr double least_share = 1e-3;  // of the mean distance: umap-learn's MIN_K_DIST_SCALE

double sum_at(const Vector& scores, double scale) { return (scores.array() / scale).exp().sum(); }

// The sum rises with the scale from the number of zero scores to the number of scores.
double scale_for(const Vector& scores, double cardinality, double least) {
  if (least == 0 || sum_at(scores, least) >= cardinality) return least > 0 ? least : 1;
  double low = least, high = 2 * least;
  while (sum_at(scores, high) < cardinality) {
    low = high;
    high *= 2;
  }
  for (int step = 0; step < 200 && low < high; ++step) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (sum_at(scores, middle) < cardinality ? low : high) = middle;
  }
  return high;
}

Vector row_scores(const Similarity& similarity, std::int64_t row) {
  const Csr& support = *similarity.support;
  Vector scores(support.begin[row + 1] - support.begin[row]);
  for (std::int64_t e = support.begin[row]; e < support.begin[row + 1]; ++e) {
    scores[e - support.begin[row]] = edge_score(similarity, row, e);
    require(scores[e - support.begin[row]] <= 0, Fault::usage,
            "[exp] expected minus distances for a cardinality, found the score {} in row {}: put distance(1, from=nearest) before it",
            scores[e - support.begin[row]], row + 1);
  }
  return scores;
}

}  // namespace

Vector cardinality_scales(const Similarity& similarity, double cardinality, const Context& context) {
  Vector means = Vector::Zero(similarity.rows);
  double total = 0;
  for (std::int64_t i = 0; i < similarity.rows; ++i) {
    const Vector scores = row_scores(similarity, i);
    require(scores.size() == 0 || static_cast<double>(scores.size()) > cardinality, Fault::input,
            "[exp] expected more than {:.4g} neighbours for that cardinality, found {} in row {}: give a smaller cardinality or a larger k",
            cardinality, scores.size(), i + 1);
    total -= scores.sum();
    if (scores.size()) means[i] = -scores.mean();
  }
  const double overall = total / std::max<double>(1, static_cast<double>(similarity.support->edges()));
  Vector scales = Vector::Ones(similarity.rows);
  constexpr std::int64_t piece = 256;
  parallel_for((similarity.rows + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    context.check_stop("exp");
    for (std::int64_t i = p * piece; i < std::min(similarity.rows, (p + 1) * piece); ++i)
      if (const Vector scores = row_scores(similarity, i); scores.size())
        scales[i] = scale_for(scores, cardinality, least_share * (means[i] > 0 ? means[i] : overall));
  });
  return scales;
}

}  // namespace calor::engine
