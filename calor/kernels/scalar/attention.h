// The definition of attention, written to be read: rows of scores, no tiles, arithmetic in double whatever T.  It is the
// path where no instruction set is wanted (CALOR_ISA=scalar) or non-finite contents are visible, the gradients in double,
// and the oracle of every other path.  It touches only what is visible, so masked contents cannot matter.
#pragma once

#include <cstdint>

#include "calor/kernels/attention.h"
#include "calor/kernels/head.h"

namespace calor::kernels::scalar {

// Rows [begin, end) of one head.  O(keys) workspace.
template <class T>
void forward_rows(const Head<T>& head, const AttentionForward<T>& result, std::int64_t begin, std::int64_t end);

// All gradients of one head.  O(keys (dim + value_dim)) workspace.
template <class T>
void backward_head(const Head<T>& head, const AttentionBackward<T>& result);

template <class T>
void forward(const AttentionParams<T>& params, const AttentionForward<T>& result);
template <class T>
void backward(const AttentionParams<T>& params, const AttentionBackward<T>& result);

template <class T>
std::uint64_t workspace_bytes(const AttentionParams<T>& params, bool backward);

}  // namespace calor::kernels::scalar
