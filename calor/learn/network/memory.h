// What networks take while they are trained, by their stages alone.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/pipeline/stage.h"

namespace calor::learn {

struct NetworkSize {
  double activations = 0;  // numbers of a row
  double weights = 0;
  double pairs = 0;        // numbers of a pair of rows: of scores of all pairs that are stored
  double few_pairs = 0;    // the same of those that are stored up to most_stored_pairs alone
};

// Of rows with so many columns; sparse: their zeros are not held.
NetworkSize network_size(const std::vector<pipeline::BoundStage>& stages, std::int64_t columns, bool sparse, std::int64_t classes);

// In training: an activation and its gradient; a weight, its gradient, two moments, what is kept, and the doubles that it is drawn from.
double training_bytes(const NetworkSize& size, std::int64_t rows);

}  // namespace calor::learn
