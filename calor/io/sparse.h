// A matrix of which most entries are zero, as compressed rows.
#pragma once

#include <cstdint>
#include <vector>

namespace calor::io {

// Row i holds the entries begin[i] .. begin[i + 1]; within a row columns ascend, each once, and no value is 0.
struct SparseMatrix {
  std::int64_t rows = 0, columns = 0;
  std::vector<std::int64_t> begin{0};  // rows + 1
  std::vector<std::int32_t> column;
  std::vector<double> value;           // finite
  std::int64_t entries() const { return static_cast<std::int64_t>(value.size()); }
};

}  // namespace calor::io
