// The directions in which points spread most, as searches for near pairs use them.
#pragma once

#include <optional>

#include "calor/kernels/close_pairs.h"
#include "calor/kernels/neighbours.h"

namespace calor::engine {

// From a sample of the columns by a subspace iteration (Halko, Martinsson, Tropp 2011), and from a sample of pairs whether and by how many of
// them a search is best screened.  None where points have few dimensions or the search is short.  O(1000 dim 100) time whatever the points; the
// same for any number of threads.  What is found never depends on it.
std::optional<kernels::LeadingDirections> leading_directions(const kernels::NeighboursProblem& problem);
std::optional<kernels::LeadingDirections> leading_directions(const kernels::ClosePairsProblem& problem);

}  // namespace calor::engine
