// The stages of a learned layer between exp and row, as the factors that they give to the weights.
//
// The last row normalisation sees log_column alone: a density on the keys (engine/normalise.h).
#pragma once

#include "calor/core/progress.h"
#include "calor/inspect/head.h"

namespace calor::inspect {

// Fills the features' log_column and, where no row normalisation follows, row_sums.  One pass over all pairs a row or two_side, one a
// column, one (symmetric) or two an iteration of sinkhorn; O(N r) memory.
void add_factors(const Head& head, Features& features, const Context& context);

}  // namespace calor::inspect
