// What a report draws point by point: coordinates, colours and names.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "run_report.h"

namespace calor::app {

// {"names", "judged", "views", "colourings"} of docs/formats/run.md, "The report".
nlohmann::json picture_of(const pipeline::State& state, const pipeline::Known& known, const Pictured& pictured, const nlohmann::json& quality,
                          const Context& context);

}  // namespace calor::app
