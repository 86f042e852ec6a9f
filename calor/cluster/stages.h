// The stages that run on rows in blocks.
#pragma once

#include <vector>

#include "calor/cluster/part.h"
#include "calor/pipeline/run.h"

namespace calor::cluster {

// Throws Fault::usage with a caret under the first stage that does not distribute, with the reason, and names `calor run`.
void require_distributed(const std::vector<pipeline::BoundStage>& stages);

// What a stage took of this process: what it sent, and how long it waited for others, is part of it.
struct StageWork {
  pipeline::StageTime time;
  Traffic traffic;
};

// Runs them in turn, on all processes together.
void run_stages(const std::vector<pipeline::BoundStage>& stages, Part& part, std::vector<StageWork>* work = nullptr);

// The state of all rows, in the first process; in the others of none.
pipeline::State gathered(const Part& part);

}  // namespace calor::cluster
