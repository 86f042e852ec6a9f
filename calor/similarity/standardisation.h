// What standardise does to features, for the stage and for the choice whether to.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "calor/pipeline/state.h"

namespace calor::similarity {

// The training rows whose label is known, ascending.
std::vector<std::int64_t> labelled_rows(const pipeline::Data& data);

// Two rows: the mean of each feature over the labelled rows (over all where none is labelled), and one over its deviation, 0 where it is
// constant there.
engine::Matrix standardisation(const pipeline::Data& data);

// Minus the first row, times the second.
std::shared_ptr<const engine::Matrix> standardised(const engine::Matrix& points, const engine::Matrix& by);

}  // namespace calor::similarity
