// An order of the rows of a sparse matrix in which rows that lead to the same columns come together.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/engine/sparse_rows.h"

namespace calor::engine {

// The rows of a square matrix in the order of its single linkage: every row is linked to the eight columns of its largest values, the links are
// taken from the largest value down, and where one joins two lists of rows, the one is put behind the other (Kruskal 1956; Gower & Ross 1969).  A
// cluster of a flow is then a run of rows.  O(edges + 8 N log N); the same for any machine.
std::vector<std::int32_t> linked_order(const SparseRows& flow);

}  // namespace calor::engine
