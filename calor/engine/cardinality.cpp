#include "calor/engine/cardinality.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/engine/passes.h"

namespace calor::engine {

namespace {

constexpr double least_share = 1e-3;  // of the mean distance: umap-learn's MIN_K_DIST_SCALE

double sum_at(const Eigen::Ref<const Vector>& scores, double scale) { return (scores.array() / scale).exp().sum(); }

// The sum rises with the scale from the number of zero scores to the number of scores.
double scale_for(const Eigen::Ref<const Vector>& scores, double cardinality, double least) {
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

}  // namespace

double mean_by_rows(const Vector& row_sums, std::int64_t edges) {
  double total = 0;
  for (const double sum : row_sums) total -= sum;
  return total / std::max<double>(1, static_cast<double>(edges));
}

Vector cardinality_scales(const Similarity& similarity, double cardinality, const Context& context, const MeanOfAll& mean_of_all) {
  const Csr scores = scores_on_support(similarity, context);
  const auto of_row = [&](std::int64_t i) { return Eigen::Map<const Vector>(scores.values.data() + scores.begin[i], scores.begin[i + 1] - scores.begin[i]); };
  Vector means = Vector::Zero(similarity.rows), sums = Vector::Zero(similarity.rows);
  for (std::int64_t i = 0; i < similarity.rows; ++i) {
    const auto row = of_row(i);
    if (row.size() == 0) continue;
    require(row.maxCoeff() <= 0, Fault::usage,
            "[exp] expected minus distances for a cardinality, found the score {} in row {}: put distance(1, from=nearest) before it", row.maxCoeff(), i + 1);
    require(static_cast<double>(row.size()) > cardinality, Fault::input,
            "[exp] expected more than {:.4g} neighbours for that cardinality, found {} in row {}: give a smaller cardinality or a larger k",
            cardinality, row.size(), i + 1);
    sums[i] = row.sum();
    means[i] = -row.mean();
  }
  const double overall = mean_of_all(sums, similarity.support->edges());
  Vector scales = Vector::Ones(similarity.rows);
  constexpr std::int64_t piece = 256;
  parallel_for((similarity.rows + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    context.check_stop("exp");
    for (std::int64_t i = p * piece; i < std::min(similarity.rows, (p + 1) * piece); ++i)
      if (const auto row = of_row(i); row.size())
        scales[i] = scale_for(row, cardinality, least_share * (means[i] > 0 ? means[i] : overall));
  });
  return scales;
}

}  // namespace calor::engine
