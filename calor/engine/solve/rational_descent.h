// UMAP's descent: neighbours pull with the frequency of their weight, points drawn at random push.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"
#include "calor/engine/solve/rational_curve.h"

namespace calor::engine {

struct RationalOptions {
  RationalCurve curve;
  std::int64_t epochs = 500;
  double rate = 1;            // of the first epoch; falls in a line to 0
  std::int64_t negatives = 5;  // points drawn for each pull of an edge
  double push = 1;            // their weight (umap-learn's gamma)
  std::uint64_t seed = 0;
};

// Processes that have the whole map each and share its points' moves.
struct MoveShare {
  int own = 0, count = 1;
  std::function<std::vector<std::string>(const std::string&)> all;  // what each says, in order; null for one process.  Called by all together
};

// The fuzzy cross-entropy of a graph of weights in (0, 1], symmetric, by stochastic descent in float from `start` (N x dims; umap-learn has
// its coordinates within [0, 10]) to points whose mean is at the origin.  Each of an edge's two directions is due as often in an epoch as its share of the greatest weight says,
// moves both ends towards each other and then its head away from points drawn; edges that would pull less than once in all are left out
// (McInnes, Healy & Melville 2018; umap-learn's optimize_layout).
//
// The same bits for any number of threads and of processes: a head goes through its own edges one after the other and sees the other points as they stood when
// its part of the epoch began; the tails follow when the part ends.  When an edge is due, and what is drawn, is a function of the seed, the epoch
// and the edge or point.  O(epochs edges) time, O(edges) memory.  With a share each process goes through its heads, and all let the tails follow.
Matrix rational_descent(const Csr& weights, const Matrix& start, const RationalOptions& options, const Context& context, const MoveShare& share = {});

inline constexpr std::int64_t epoch_parts = 32;  // 8 and 112 give digits maps as good

}  // namespace calor::engine
