// The normalising stages as steps of a learned layer.
#pragma once

#include <optional>

#include "calor/engine/normaliser.h"
#include "calor/pipeline/stage.h"

namespace calor::similarity {

// What row, column, two_side of rows or sinkhorn does in a layer, where a sinkhorn of no given number has Normaliser::usual_iterations;
// nothing for any other stage.
std::optional<engine::Normaliser> layer_step(const pipeline::BoundStage& stage);

}  // namespace calor::similarity
