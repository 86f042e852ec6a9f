// Gradients of attention on edges column by column: all that an edge needs of its row is read once, queries and d_out, instead of once
// for its weight and once for the columns' sums; what it sends to its row is a number.  Three walks over rows of neighbours where row by row takes four.
#pragma once

#include "calor/kernels/edges.h"

namespace calor::kernels {

// Whether a problem is of this kind: scores of pairs of rows, without maps of edges' features.
template <class T>
bool goes_by_column(const EdgeAttentionParams<T>& p) { return p.score != EdgeScore::additive && !p.key_map && !p.value_map; }

// edge_attention_backward of such a problem; memory O((edges + rows) heads).
template <class T>
void edge_attention_backward_by_column(const EdgeAttentionParams<T>& params, const EdgeAttentionBackward<T>& result);

}  // namespace calor::kernels
