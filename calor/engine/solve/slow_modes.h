// The slow modes of a random walk on a graph, loosely: what a descent begins with.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/matrix.h"

namespace calor::engine {

// The leading eigenvectors, but the known D^1/2 1, of D^-1/2 W D^-1/2 for the nodes `members` of a symmetric graph of weights of at least 0, one of its
// components; number[node] is a node's place among them.  members x count, orthonormal to 1e-6, signs fixed.  A mode is accepted when |A v - lambda v| is at most
// 0.03 (1 - lambda), or 1e-6 where that is more; after at most 4,000 filtering products of each panel of four vectors they are given as they are.  *products: how many
// of them were taken (0: dense).
//
// By subspace iteration with Chebyshev polynomials of A as filters (Zhou, Saad, Tiago & Chelikowsky 2006), in floats, and for a few hundred
// nodes densely.  O(edges) time a product, 8 edges + 8 n (count + 6) bytes; the same bits for any number of threads and every instruction set.
Matrix slow_modes(const Csr& graph, const std::vector<std::int64_t>& members, const std::vector<std::int64_t>& number, std::int64_t count,
                  const Context& context, std::int64_t* products = nullptr);

}  // namespace calor::engine
