// The kernels of descents in plain loops.
#pragma once

#include "calor/kernels/descents.h"

namespace calor::kernels::scalar {

const Descents* descents();

}  // namespace calor::kernels::scalar
