// A bandwidth that exp(auto) has chosen, wherever the pairs were.
#pragma once

#include "calor/engine/bandwidth.h"
#include "calor/pipeline/state.h"

namespace calor::similarity {

// Its scale; the curve and the dimension go into the state, and a note where the choice was not clear.
double take_bandwidth(pipeline::State& state, engine::Bandwidth found);

}  // namespace calor::similarity
