// What expand's arguments say of pruning.
#pragma once

#include "calor/engine/pruned_product.h"
#include "calor/pipeline/stage.h"

namespace calor::propagate {

engine::Pruning pruning_of(const pipeline::Arguments& arguments);

}  // namespace calor::propagate
