// Sparse rows that come and go one by one, where a Csr would hold them twice to put them together.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/engine/csr.h"

namespace calor::engine {

// A row by itself: columns ascending.
struct SparseRow {
  std::vector<std::int32_t> column;
  std::vector<double> value;
};

struct SparseRows {
  std::int64_t columns = 0;
  std::vector<SparseRow> rows;
  std::int64_t edges() const;
};
SparseRows rows_of(const Csr& graph);
Csr csr_of(const SparseRows& rows);

}  // namespace calor::engine
