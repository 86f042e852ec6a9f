// The streamed engine: cuts a problem into pieces fixed by its sizes and runs an instruction set's tiles over them.
// Results have the same bits for any number of threads; memory is O(N d).
//
// Forward: pieces are query blocks; each sweeps the keys with an online softmax.  Backward: pieces are interleaved sets
// of key blocks; each sweeps the queries, owns its keys' gradients and adds to its own copy of d_q, reduced in order
// afterwards.  Heads are worked off in groups just large enough to occupy the threads.
#pragma once

#include <cstdint>

#include "calor/kernels/attention.h"
#include "calor/kernels/tiles.h"

namespace calor::kernels::streamed {

// T: float or Bf16.  False, where what is visible is not tame (tiles.h), for Bf16 alone, with results to be thrown away; floats take the scalar definition there.
template <class T>
bool forward(const TilesOf<T>& tiles, const AttentionParams<T>& params, const AttentionForward<T>& result);
template <class T>
bool backward(const TilesOf<T>& tiles, const AttentionParams<T>& params, const AttentionBackward<T>& result);

// Bytes taken beside inputs and outputs.
template <class T>
std::uint64_t workspace_bytes(const TilesOf<T>& tiles, const AttentionParams<T>& params, bool backward);

}  // namespace calor::kernels::streamed
