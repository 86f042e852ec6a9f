// Sequential minimal optimisation: min_a 1/2 a'Qa + p'a with y'a fixed and 0 <= a_t <= C_t, Q_st = y_s y_t K(point of s, point of t), y = +-1.
//
// Two variables at a time, the second by second-order information (Fan, Chen & Lin 2005); variables that seem to stay at a bound are left
// out for a while (shrinking), and their gradient is made anew before the end.  The rule of the choice, the schedule of shrinking, the
// tolerance and floats for the kernel are libsvm's (Chang & Lin 2011), so that objective, offset and support vectors are too.
// O(iterations N) time beside the rows of the kernel; the same bits for any number of threads and any room for rows.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/record.h"

namespace calor::engine {

struct DualProblem {
  std::vector<std::int64_t> point;  // of each variable: a row of the kernel; empty: variable t is point t
  std::vector<double> sign, linear, bound, start;  // y, p, C (infinite: none), a feasible a
};

struct DualOptions {
  double tolerance = 1e-3;          // of the largest violation of the optimality conditions
  std::int64_t max_iterations = 0;  // 0: libsvm's ten million are seldom of use: a million, or 100 a variable where that is more
  std::uint64_t cache_bytes = 200'000'000;
};

struct DualSolution {
  std::vector<double> variables;
  double objective = 0, offset = 0;  // the decision is sum_t y_t a_t K(t, .) - offset
  std::int64_t iterations = 0, rows_computed = 0;
  double violation = 0;              // at the end
  bool converged = false;
  bool indefinite = false;           // two rows were met that no positive semidefinite kernel has
};

// `kernel`: square, symmetric, without a left-out diagonal.  Positive semidefinite or not, it ends.
DualSolution solve_dual(const Similarity& kernel, const DualProblem& problem, const DualOptions& options, const Context& context);

}  // namespace calor::engine
