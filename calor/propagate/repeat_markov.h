// Repetitions of expand | inflate | row (or column) on a graph, in one pass over the rows each (engine/markov_clustering.h); what repeat would
// do stage by stage, with about the rounding of each value's power less.
#pragma once

#include <vector>

#include "calor/pipeline/state.h"

namespace calor::propagate {

// Whether the body is that, and the state's similarity such as it takes: on a square graph, its last normalisation that of the body, nothing
// flowing over it.
bool repeats_markov(const std::vector<pipeline::BoundStage>& body, const pipeline::State& state, const Context& context);

// Until the relative change is at most `tolerance`, at most so many times; whether it is.  `inner` gets what the stages of the body keep.
bool settle_markov(const std::vector<pipeline::BoundStage>& body, double tolerance, std::int64_t max_iterations, pipeline::State& state, std::vector<pipeline::Kept>& inner,
                   const Context& context);

}  // namespace calor::propagate
