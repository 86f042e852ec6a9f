// How crowded keys are, so that each can be left out of the others' densities.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/record.h"

namespace calor::engine {

// log q of the keys at each scale, in two parts, so that any one key can be left out of it without cancellation: the best score with its
// column, and the sum over all other columns.
struct KeyDensities {
  Vector best;
  std::vector<std::int64_t> best_column;  // -1: a single key
  Matrix log_rest, log_all;     // keys x scales
};

template <class T>
KeyDensities key_densities(const Similarity& keys, const std::vector<double>& scales, const Context& context);

}  // namespace calor::engine
