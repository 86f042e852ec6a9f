// What a prediction rests on: the columns that weigh most in each row.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/record.h"

namespace calor::engine {

struct Evidence {
  std::int64_t row;  // of the data that the columns are
  double weight;     // its share of the row's values
};

// For each row its `most` greatest columns among those whose data row counts (`counts` has a mark for each; empty: all), greatest
// first, of equal ones the first column first; fewer where fewer are above 0.  Weights are shares of the sum over the columns that
// count.  One evaluation of every value.  Same bits for any number of threads.
std::vector<std::vector<Evidence>> evidence(const Similarity& similarity, const std::vector<std::uint8_t>& counts, std::int64_t most,
                                            const Context& context);

}  // namespace calor::engine
