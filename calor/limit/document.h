// The laboratory's results as a document: docs/formats/limit.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "calor/limit/row.h"

namespace calor::limit {

// {"name", "group", "theorem", "meaning", "expected", "measured", "interval", "tolerance", "verdict", "pass"} for each row, with
// "plots" where asked for.  What is not finite is null.
nlohmann::json as_json(const std::vector<Row>& rows, bool with_plots);

nlohmann::json as_json(const std::vector<Plot>& plots);

// "All 70 rows agree with the theory.", or how many do not and which.
std::string summary(const std::vector<Row>& rows);

}  // namespace calor::limit
