// The scale for each row at which its values add up to a given number: the fuzzy cardinality of the row's neighbourhood.
#pragma once

#include <cstdint>
#include <functional>

#include "calor/core/progress.h"
#include "calor/engine/record.h"

namespace calor::engine {

// The mean of -score over all edges, by the sums of the scores of each row; where rows are in several places, of all of them.
using MeanOfAll = std::function<double(const Vector& row_sums, std::int64_t edges)>;
double mean_by_rows(const Vector& row_sums, std::int64_t edges);

// scale[i] with sum_j exp(score_ij / scale[i]) = cardinality over the edges of row i, for scores of at most 0, to within rounding;
// at least a thousandth of the row's mean -score (of the whole graph's where the row's is 0), which also stands where no
// scale reaches the sum because too many scores are 0.  1 for a row without edges.  McInnes, Healy & Melville 2018, algorithm 3.
// Throws Fault::usage for all pairs and for positive scores, Fault::input for a row with at most `cardinality` edges.
Vector cardinality_scales(const Similarity& similarity, double cardinality, const Context& context, const MeanOfAll& mean_of_all = mean_by_rows);

}  // namespace calor::engine
