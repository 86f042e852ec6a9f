// What a report draws point by point: coordinates, colours and names.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "calor/pipeline/page.h"

namespace calor::pipeline {

// {"names", "judged", "views", "colourings"} of docs/formats/run.md, "The report".
nlohmann::json picture_of(const State& state, const Known& known, const Pictured& pictured, const nlohmann::json& quality,
                          const Context& context);

// {"names", "views", "colourings"} of points that are still moving: themselves, coloured by the label where each has one.
nlohmann::json picture_of_descent(const Matrix& points, const Known& known, const Pictured& pictured);

}  // namespace calor::pipeline
