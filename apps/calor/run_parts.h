// What `calor run` does before and after a fit, wherever the fit was made.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "calor/pipeline/stage.h"
#include "calor/pipeline/state.h"

namespace calor::app {

// Throws Fault::usage for a pipeline that ends in a similarity over all pairs, which is no table.
void require_result(const std::vector<pipeline::BoundStage>& stages);

// Remarks, figures, eigenvalues and quality on stderr.
void print_remarks(const pipeline::State& state, const std::vector<pipeline::Note>& remarks, const nlohmann::json& quality);

}  // namespace calor::app
