// t-SNE's descent: early exaggeration, momentum, and a gain for each coordinate.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/engine/solve/student_loss.h"

namespace calor::engine {

// The defaults are openTSNE's and FIt-SNE's.
struct StudentOptions {
  double freedom = 1;
  double exaggeration = 12;        // of the attraction, in the early steps
  std::int64_t early_steps = 250;  // of all
  std::int64_t steps = 750;
  double rate = 0;                 // 0: points / exaggeration in either phase (Belkina et al. 2019)
  double momentum = 0.8;
  StudentSums sums = StudentSums::automatic;
};

struct DescentResult {
  Matrix points;               // N x dims, their mean at the origin
  double loss = 0;             // of the points
  std::vector<double> losses;  // every fifty steps
};

// Begins at `start` (N x dims, small: a standard deviation of 1e-4) and goes down by Jacobs's delta-bar-delta rule: a gain grows by 0.2
// where the gradient keeps pointing along the way gone, else shrinks to 0.8 of itself; no step is longer than 5.  P: symmetric, adding up
// to 1; the rows of the share, which are moved here, all rows' places put together after each step.  O(steps) times the loss's cost.
DescentResult student_descent(const Csr& p, const Matrix& start, const StudentOptions& options, const Context& context, const MapShare& share = {});

}  // namespace calor::engine
