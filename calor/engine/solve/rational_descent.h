// UMAP's descent: neighbours pull with the frequency of their weight, points drawn at random push.
#pragma once

#include <cstdint>

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

// The fuzzy cross-entropy of a graph of weights in (0, 1], symmetric, by stochastic descent in float from `start` (N x dims; umap-learn has
// its coordinates within [0, 10]).  An edge pulls both its ends twice in an epoch times its share of the greatest weight; edges that would
// pull less than once in all are left out (McInnes, Healy & Melville 2018; umap-learn's optimize_layout).
//
// The same bits for any number of threads: each point moves itself alone, by its own edges one after the other, and sees the others as
// they stood when its part of the turn began; an epoch has two turns, and a turn `turn_parts` parts.  When an edge pulls, and what is drawn,
// is a function of the seed, the turn and the edge or point.  O(epochs edges) time, O(edges) memory.
Matrix rational_descent(const Csr& weights, const Matrix& start, const RationalOptions& options, const Context& context);

// All moves of an epoch in one turn give digits a trustworthiness of 0.9855, in two 0.9873, in four 0.9877; umap-learn, which moves both ends of
// an edge at once and so each point at many times of an epoch, 0.9875.
inline constexpr std::int64_t turns_per_epoch = 2;
inline constexpr std::int64_t turn_parts = 32;  // 113 give digits a map no better

}  // namespace calor::engine
