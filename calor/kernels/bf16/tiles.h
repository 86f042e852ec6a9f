// Attention over rows of bfloat16, multiplied in pairs (vdpbf16ps): AVX-512 on Zen 4, Cooper Lake, Sapphire Rapids and later.
#pragma once

#include "calor/kernels/tiles.h"

namespace calor::kernels::bf16 {

// Null where this machine, or this build, has no such products.
const TilesOf<Bf16>* tiles();

}  // namespace calor::kernels::bf16
