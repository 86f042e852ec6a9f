// Labels as numbers that can flow.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/pipeline/state.h"

namespace calor::propagate {

// One row a data row (or one for each of `rows`), one column a class: 1 at the class of a labelled training row, else 0.
// Throws Fault::input when no row has a label.
pipeline::Matrix class_field(const pipeline::Data& data, const std::vector<std::int64_t>* rows, const char* op);

}  // namespace calor::propagate
