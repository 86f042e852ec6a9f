// Repetitions of distance(t, to=data) | column | inflate | row | apply on prototypes, t below 0, in one pass over the points each
// (engine/fuzzy_means.h): in logarithms, where a distance of 0 or a large power would leave no numbers.
#pragma once

#include <vector>

#include "calor/pipeline/state.h"

namespace calor::propagate {

// Whether the body is that and the state holds prototypes of dense data.
bool repeats_fuzzy(const std::vector<pipeline::BoundStage>& body, const pipeline::State& state);

// The prototypes' next places.
void step_fuzzy(const std::vector<pipeline::BoundStage>& body, pipeline::State& state, const Context& context);

}  // namespace calor::propagate
