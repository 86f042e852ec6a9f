// What a prediction rests on: the labelled rows of the fit that weighed most in it.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/evidence.h"
#include "calor/pipeline/state.h"

namespace calor::pipeline {

// For each predicted row at most `most` labelled rows of the fit, the heaviest first (engine/evidence.h).  Throws Fault::usage for a result
// that is no weighing of labelled rows.
std::vector<std::vector<Evidence>> evidence_of(const State& state, std::int64_t most, const Context& context);

}  // namespace calor::pipeline
