// The reductions over pairs in plain loops.
#pragma once

#include "calor/kernels/pairs.h"

namespace calor::kernels::scalar {

const Pairs* pairs();

}  // namespace calor::kernels::scalar
