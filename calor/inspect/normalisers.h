// The stages of a learned layer between exp and row, as the factors that they give to the weights.
//
// The weight of key j for query i is exp(s_ij + log_row_i + log_column_j), and each stage edits the two factors:
//   row              log_row_i = -log sum_j exp(s_ij + log_column_j)
//   column           log_column_j = -log sum_i exp(s_ij + log_row_i)
//   two_side(alpha)  both lose alpha log q_i, q_i the row's sum so far
//   sinkhorn(n)      from 0: rows and columns in turn, n times; for a symmetric score half a step of both at once
// The last row normalisation sees log_column alone: a density on the keys.
#pragma once

#include "calor/core/progress.h"
#include "calor/inspect/head.h"

namespace calor::inspect {

// Fills the features' log_column and, where no row normalisation follows, row_sums.  One pass over all pairs a row or two_side, one a
// column, one (symmetric) or two an iteration of sinkhorn; O(N r) memory.
void add_factors(const Head& head, Features& features, const Context& context);

}  // namespace calor::inspect
