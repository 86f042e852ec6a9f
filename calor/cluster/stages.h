// The stages that run on rows in blocks.
#pragma once

#include <vector>

#include "calor/cluster/part.h"
#include "calor/pipeline/stage.h"

namespace calor::cluster {

// Throws Fault::usage with a caret under the first stage that does not distribute, with the reason, and names `calor run`.
void require_distributed(const std::vector<pipeline::BoundStage>& stages);

// Runs them in turn, on all processes together.
void run_stages(const std::vector<pipeline::BoundStage>& stages, Part& part);

// The state of all rows, in the first process; in the others of none.
pipeline::State gathered(const Part& part);

}  // namespace calor::cluster
