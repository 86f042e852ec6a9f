// Where passes run: a back end is the reductions of a record (reducers.h) on one kind of device.  What stages call (passes.h) is the same for all;
// it settles deferred sums, transposes and checks, and leaves the walk over pairs to the back end.  Matrices of rows come and go on the host, tiles and edges
// never do, so that a device keeps its own.
#pragma once

#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/record.h"

namespace calor::engine {

// Every function takes a record whose row sums are not deferred, unless it says otherwise, and gives the same bits for any number of threads.
struct BackEnd {
  std::string name;
  // Whether softmax_means finds sums and means of this record in one pass over its pairs, so that `row` may defer them.
  bool (*one_pass)(const Similarity& similarity);
  // log of sum_j value(i, j), minus infinity where that is 0.
  Vector (*log_row_sums)(const Similarity& similarity, const Context& context);
  // sum_j value(i, j) h_j.
  Matrix (*weighted_sums)(const Similarity& similarity, const Matrix& h, const Context& context);
  // The rows' means of h weighted by the values of an exponential record, whose row factors, deferred or not, do not matter.
  Matrix (*softmax_means)(const Similarity& similarity, const Matrix& h, const Context& context);
  // Of each row the column of the greatest value before factors, the first of equal ones; -1: none.
  std::vector<std::int64_t> (*best_columns)(const Similarity& similarity, const Context& context);
  // All values as a matrix, which the caller has reserved memory for; and those of a support's edges.
  Matrix (*values)(const Similarity& similarity, const Context& context);
  Csr (*edge_values)(const Similarity& similarity, const Context& context);
};

// The tile and edge drivers on this machine's processor (cpu/).
const BackEnd& cpu_back_end();
// Null: this build has none (no_gpu/).  A build that has one replaces that folder.
const BackEnd* gpu_back_end();

// The one in use: the processor's, unless the environment's CALOR_DEVICE names another.  Throws Fault::usage for one that this build does not have.
const BackEnd& back_end();
// For the process, as tests do; null: the choice above again.
void use_back_end(const BackEnd* chosen);

}  // namespace calor::engine
