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

void forward(const Tiles& tiles, const AttentionParams<float>& params, const AttentionForward<float>& result);
void backward(const Tiles& tiles, const AttentionParams<float>& params, const AttentionBackward<float>& result);

// Bytes taken beside inputs and outputs.
std::uint64_t workspace_bytes(const Tiles& tiles, const AttentionParams<float>& params, bool backward);

}  // namespace calor::kernels::streamed
