// eigen(..) apart from where its eigenpairs come from: a solver of this process, or one that several processes share.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/pipeline/state.h"

namespace calor::propagate {

// A record with symmetric values and these factors, of=operator; for of=laplacian with rows that add up to 1.
struct SpectralProblem {
  std::int64_t rows = 0;
  engine::Vector log_row, log_column;  // empty: all 0
  bool row_stochastic = false;
  engine::Components components;
  // What largest_pairs (engine/solve/eigenpairs.h) says of the record's conjugate on the rows `members` (empty: all).
  std::function<engine::Pairs(const std::vector<std::int64_t>& members, std::int64_t k, const engine::Matrix& known)> largest;
};

// Runs the stage by its arguments, of=operator or of=laplacian: coordinates and spectrum into the state, vectors into `kept`.
void embed(pipeline::State& state, const pipeline::Arguments& arguments, pipeline::Kept& kept, const SpectralProblem& problem);

}  // namespace calor::propagate
