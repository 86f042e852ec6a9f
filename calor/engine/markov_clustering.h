// Markov clustering: flow along a graph, expanded and inflated by turns until it stands still (van Dongen 2000).
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/pruned_product.h"

namespace calor::engine {

struct MarkovOptions {
  std::int64_t power = 2;  // of the expansion
  double inflation = 2;
  Pruning pruning;
};

// One repetition of expand | inflate | row in one pass over the rows: each row of flow^power, pruned, to the power `inflation`, over its sum.
// Sets `change`: the largest change of a value over the largest value.
SparseRows markov_step(const SparseRows& flow, const MarkovOptions& options, double& change, const Context& context);

// What flow that stands still says: which points are attractors, and where the flow of every point goes.  Inflation has made equal the values of
// a row that will stay, so what is below half of a row's largest is on its way to 0.  An attractor keeps flow for itself; attractors that flow
// to each other are one system.  A point belongs to the system that its flow goes to, to that of the first attractor where it goes to several
// (as with the program mcl), and to none but itself where it goes to none.
struct Attraction {
  std::vector<std::int64_t> cluster;  // of each row, numbered by their first rows
  std::vector<std::int64_t> leads_to;  // the first attractor of its system; itself where there is none
  std::int64_t clusters = 0, attractors = 0, shared = 0;  // shared: rows whose flow goes to several systems
};
Attraction attraction(const SparseRows& flow);

}  // namespace calor::engine
