// The kernels over all pairs in plain loops.
#pragma once

#include "calor/kernels/all_pairs.h"

namespace calor::kernels::scalar {

const AllPairs* all_pairs();

}  // namespace calor::kernels::scalar
