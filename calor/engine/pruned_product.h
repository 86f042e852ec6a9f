// The product of two sparse matrices, of which only the values of each row that are large in size are kept, as Markov clustering
// keeps them (van Dongen 2000, chapter 11; what the program mcl does was found out from its iterands).
#pragma once

#include <cstdint>
#include <functional>

#include "calor/core/memory.h"
#include "calor/core/progress.h"
#include "calor/engine/row_pruning.h"
#include "calor/engine/sparse_rows.h"

namespace calor::engine {

// Row by row what `pruning` keeps of a * b; `finish` may then change a row's values.  Sixteen rows that lead to the same columns go together, or
// four (kernels/walk_sums.h), and which do is a matter of a and b alone (linked_order.h): the bits are the same for any number of threads.  The memory is that of the kept values, charged as it grows: throws Fault::memory.
SparseRows pruned_product(const SparseRows& a, const SparseRows& b, const Pruning& pruning, const std::function<void(std::int64_t row, SparseRow&)>& finish,
                          const char* op, const Context& context);

}  // namespace calor::engine
