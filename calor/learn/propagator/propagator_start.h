// What a propagator's training starts from: the map of the data's columns, and what leaving one out chooses on mapped points.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/propagator/train_propagator.h"

namespace calor::learn {

struct StartingPoint {
  engine::Matrix offset, projection;  // z = (x - offset) projection: coordinates of root mean square 1
  PropagatorStart chosen;
};

// Bandwidth and exponent by all rows, whether to standardise by at most options.trial_rows of them, evenly.
// Throws Fault::input when all rows are at one place, or none could be judged.
StartingPoint starting_point(const PropagatorRows& train, std::int64_t classes, const PropagatorOptions& options, const Context& context);

}  // namespace calor::learn
