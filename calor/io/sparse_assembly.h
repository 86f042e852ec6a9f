// Sparse matrices from the forms in which files hold them: entries in any order, or compressed rows or columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"
#include "calor/io/sparse.h"

namespace calor::io {

// The most rows or columns of a matrix that is read: indices take 32 bits.
constexpr std::int64_t most_indices = 0x7FFFFFFF;

// Throws Fault::input unless both sizes are 0 to most_indices; Fault::memory, before anything of that size is allocated,
// for `entries` entries with `entry_bytes` bytes each beside those that assemble() takes.
void check_sparse_size(std::int64_t rows, std::int64_t columns, std::uint64_t entries, std::uint64_t entry_bytes,
                       std::string_view op, const std::string& place, const Context& context);

struct Triplets {
  std::int64_t rows = 0, columns = 0;
  std::vector<std::int32_t> row, column;  // within the sizes
  std::vector<double> value;              // finite
};

// Entries at the same place add up, in the order given; zeros vanish.  O(rows + columns + entries), 12 bytes per entry
// beside the triplets.  The result holds no value that is not finite: throws Fault::input where a sum is none.
SparseMatrix assemble(Triplets triplets, std::string_view op, const std::string& place);

// Compressed rows, or columns where `by_columns`: entries begin[i] .. begin[i + 1] belong to row (column) i.
struct Compressed {
  std::int64_t rows = 0, columns = 0;
  bool by_columns = false;
  std::vector<std::int64_t> begin;
  std::vector<std::int32_t> index;
  std::vector<double> value;              // finite
};

// Entries past the last begin are no part of the matrix, as in scipy.  Throws Fault::input for a begin that does not start
// at 0, descends or passes the entries, and for an index outside the matrix.
SparseMatrix assemble(Compressed compressed, std::string_view op, const std::string& place);

// The entries of a row-major table that are not 0.
SparseMatrix sparse_of(const std::vector<double>& values, std::int64_t rows, std::int64_t columns);

// The columns with these numbers, each at most once, in this order.  O(columns + entries log entries of a row).
SparseMatrix columns_of(const SparseMatrix& matrix, const std::vector<std::int64_t>& columns);

}  // namespace calor::io
