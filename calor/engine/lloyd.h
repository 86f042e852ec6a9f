// Lloyd's iteration for k centres, from k-means++ starts.  Used by centres(k) and cluster(k).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"
#include "calor/engine/other_blocks.h"

namespace calor::engine {

struct Centres {
  Matrix at;                // k x d
  std::vector<std::int64_t> nearest;  // one a point
  double inertia = 0;                 // sum of squared distances to the nearest centre
};

// What some starts have come to: what another run of the same points, in whatever blocks, goes on from.
struct StartsDone {
  std::int64_t starts = 0;
  Matrix at;           // the best centres, k x d, in coordinates that lloyd packs the points in
  double inertia = 0;  // in those coordinates
};

struct LloydOptions {
  std::int64_t k = 0, starts = 10, most = 300;
  std::uint64_t seed = 0;
  const StartsDone* from = nullptr;                       // null: none are done
  std::function<void(const StartsDone&)> done = nullptr;  // told after each start
};

// The best of `starts` runs; the first of those whose inertia is the same to 1e-10.  Each start draws its centres with probability proportional
// to the squared distance to those drawn before, the best of 2 + log k trials a draw (Arthur & Vassilvitskii 2007), and moves centres to the
// means of their points until no point changes its centre.  An empty cluster takes the point farthest from its centre.  Equal distances go to
// the lower centre.  Throws Fault::input for k above the number of points.
// Of points in blocks each owner has the centres of all, and `nearest` of its own; draws are those of one block but for the rounding of sums.
Centres lloyd(const Matrix& points, const LloydOptions& options, const Context& context, const OtherBlocks& others = no_others());

// The nearest centre of each point, and the sum of squared distances (of these points).
Centres assign_nearest(const Matrix& points, const Matrix& centres, const Context& context);

// Leaves out the centres that no point is nearest to, so that those with points are 0, 1, ...  What a person should know of it in words;
// "" where all have points.
std::string leave_out_empty(Centres& centres, const Matrix& points, const OtherBlocks& others = no_others());

}  // namespace calor::engine
