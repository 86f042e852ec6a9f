// The tiles written with Highway, one set for each instruction set that this compiler can produce.
#pragma once

#include <vector>

#include "calor/kernels/isa.h"

namespace calor::kernels {

// Those that this machine can run, slowest first.
std::vector<Isa> highway_isas();

}  // namespace calor::kernels
