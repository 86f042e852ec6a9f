// The product of two sparse matrices, of which only the values of each row that are large in size are kept, as Markov clustering
// keeps them (van Dongen 2000, chapter 11; what the program mcl does was found out from its iterands).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "calor/core/memory.h"
#include "calor/core/progress.h"
#include "calor/engine/csr.h"

namespace calor::engine {

// What is kept of a row.  Values as large as the last one kept, up to rounding, are kept too, so that no order of the columns is preferred.
struct Pruning {
  double least = 0;          // smaller values are dropped
  std::int64_t keep = 0;     // and of the others those beyond the largest `keep`; 0: none
  std::int64_t recover = 0;  // a row with less than `mass` of its sum left gets its largest `recover` values instead, if those are more; 0: never
  double mass = 0.9;
  bool by_row() const { return keep > 0 || recover > 0; }  // what is kept of a row depends on its other values
  // The most values of a row of `columns`, but for equal ones.
  std::int64_t most(std::int64_t columns) const;
};

// A row by itself: columns ascending.
struct SparseRow {
  std::vector<std::int32_t> column;
  std::vector<double> value;
};

// Rows that come and go one by one, where a Csr would hold them twice to put them together.
struct SparseRows {
  std::int64_t columns = 0;
  std::vector<SparseRow> rows;
  std::int64_t edges() const;
};
SparseRows rows_of(const Csr& graph);
Csr csr_of(const SparseRows& rows);

// Row by row what `pruning` keeps of a * b; `finish` may then change a row's values.  Sixteen rows that lead to the same columns go together
// (kernels/walk_sums.h); each sum is in order of the columns of a, whichever rows those are, so that the bits are the same for any number of
// threads.  The memory is that of the kept values, charged as it grows: throws Fault::memory.
SparseRows pruned_product(const SparseRows& a, const SparseRows& b, const Pruning& pruning, const std::function<void(std::int64_t row, SparseRow&)>& finish,
                          const char* op, const Context& context);

}  // namespace calor::engine
