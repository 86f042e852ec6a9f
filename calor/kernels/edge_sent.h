// What the gradients of scores send to the features of a row: the same from queries to keys and from keys to queries.
#pragma once

#include "calor/kernels/edge_rows.h"
#include "calor/kernels/edges.h"

namespace calor::kernels {

// result [heads][dim], of all scores but additive.
template <class T>
void send_to_own(const EdgeRows<T>& kernels, const EdgeAttentionParams<T>& p, const EdgeRow<T>& row, const T* gradients, T* result) {
  const bool squared = p.score == EdgeScore::squared_distance, joined = p.score == EdgeScore::joined;
  (squared ? kernels.differences : joined ? kernels.slopes : kernels.rows)(row, gradients, result);
  const std::int64_t width = row.heads * row.dim;
  if (squared)
    for (std::int64_t d = 0; d < width; ++d) result[d] *= 2;
  if (joined)
    for (std::int64_t d = 0; d < width; ++d) result[d] *= p.vector[d];
}

}  // namespace calor::kernels
