// The sums of a choice by leaving one out (leave_one_out.h): tiles of all pairs, whose rows are weighed at every scale and exponent
// together.  T, double or float, is the type of the weights; scores and sums of tiles are doubles.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/key_densities.h"
#include "calor/engine/leave_one_out.h"

namespace calor::engine {

struct LeftOutRows {
  const Similarity& keys;
  const std::vector<std::int64_t>& judged;  // ascending
  const Known& known;
  const std::vector<double>& scales;
  const KeyDensities* densities;      // null: exponent 0 alone
};

// scales x exponents.
template <class T>
Matrix left_out_likelihood(const LeftOutRows& rows, const Context& context);

// The given keys as rows, all keys as columns.
Similarity some_rows(const Similarity& keys, const std::vector<std::int64_t>& which);

}  // namespace calor::engine
