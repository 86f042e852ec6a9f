// The stages of networks: maps and pointwise functions whose weights are learned, beside the stages of the grammar that say what is similar.
// What a stage does to numbers is known to whoever runs it (learn/network); here are names, types, parameters and sources.
#pragma once

#include "calor/pipeline/stage.h"

namespace calor::model {

// Every stage that a network can have.  adjacency, self_loops and the normalisations are those of all pipelines.
const pipeline::StageList& network_stages();

}  // namespace calor::model
