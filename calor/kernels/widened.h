// Attention over rows of bfloat16 as one over floats: rows are copied as floats, results rounded.  Where the machine has no products of bfloat16, and
// where visible contents are not finite or above 2^40.  Takes the memory of the copies.
#pragma once

#include <cstdint>

#include "calor/kernels/attention.h"

namespace calor::kernels::widened {

void forward(const AttentionParams<Bf16>& params, const AttentionForward<Bf16>& result);
void backward(const AttentionParams<Bf16>& params, const AttentionBackward<Bf16>& result);

// Bytes taken beside inputs and outputs.
std::uint64_t workspace_bytes(const AttentionParams<Bf16>& params, bool backward);

}  // namespace calor::kernels::widened
