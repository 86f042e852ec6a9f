// Labels as numbers that can flow.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/pipeline/state.h"

namespace calor::propagate {

// One row per data row (or one for each of `rows`), one column per class: 1 at the class of a labelled training row, else 0.
// Throws Fault::input where the data have no classes (wants.h).
engine::Matrix class_field(const pipeline::Data& data, const std::vector<std::int64_t>* rows, const char* op);

// Two columns: the measured value of a labelled training row and 1, else 0 and 0.  Throws Fault::input where the data have no values.
engine::Matrix value_field(const pipeline::Data& data, const std::vector<std::int64_t>* rows, const char* op);

// Says how many rows no label reached, where there are some; `what` they then have none of.
void note_unreached(pipeline::State& state, const char* op, std::int64_t unreached, const char* what);

}  // namespace calor::propagate
