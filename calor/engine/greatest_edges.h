// Of parallel edges the greatest.
#pragma once

#include <vector>

#include "calor/engine/csr.h"

namespace calor::engine {

// Sorts edges into rows as from_edges does; of parallel ones the greatest value counts.
Csr greatest_edges(std::int64_t rows, std::int64_t columns, std::vector<Edge> edges);

}  // namespace calor::engine
