#include "calor/io/sparse_assembly.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "calor/core/error.h"

namespace calor::io {

void check_sparse_size(std::int64_t rows, std::int64_t columns, std::uint64_t entries, std::uint64_t entry_bytes,
                       std::string_view op, const std::string& place, const Context& context) {
  require(rows >= 0 && columns >= 0 && rows <= most_indices && columns <= most_indices, Fault::input,
          "[{}] expected a matrix of at most {} rows and columns, found {} x {} ({}): the file is damaged, or split it",
          op, most_indices, rows, columns, place);
  constexpr std::uint64_t triplet = 16, sorted = 12;  // bytes an entry
  const std::uint64_t sizes = 2 * sizeof(std::int64_t) * static_cast<std::uint64_t>(rows + columns + 2);
  std::uint64_t bytes = 0;
  const bool fits = !__builtin_mul_overflow(entries, triplet + sorted + entry_bytes, &bytes) &&
                    !__builtin_add_overflow(bytes, sizes, &bytes);
  context.memory.require(fits ? bytes : ~std::uint64_t{0}, op,
                         fmt::format("{} entries of a {} x {} matrix ({})", entries, rows, columns, place),
                         "use a smaller matrix, or raise --max-memory");
}

namespace {

struct Entries {
  std::vector<std::int64_t> begin;  // of each key
  std::vector<std::int32_t> other;
  std::vector<double> value;
};

// The entries in the order of their keys, which are below `keys`; those of equal keys keep theirs.
Entries sort_by(std::int64_t keys, std::vector<std::int32_t> key, std::vector<std::int32_t> other,
                std::vector<double> value) {
  Entries sorted;
  sorted.begin.assign(static_cast<std::size_t>(keys) + 1, 0);
  for (const std::int32_t k : key) ++sorted.begin[static_cast<std::size_t>(k) + 1];
  for (std::size_t k = 0; k < static_cast<std::size_t>(keys); ++k) sorted.begin[k + 1] += sorted.begin[k];
  std::vector<std::int64_t> next = sorted.begin;
  sorted.other.resize(key.size());
  sorted.value.resize(key.size());
  for (std::size_t e = 0; e < key.size(); ++e) {
    const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(key[e])]++);
    sorted.other[at] = other[e];
    sorted.value[at] = value[e];
  }
  return sorted;
}

// The key of each entry, from where each key begins.
std::vector<std::int32_t> expanded(const std::vector<std::int64_t>& begin) {
  std::vector<std::int32_t> key(static_cast<std::size_t>(begin.back()));
  for (std::size_t k = 0; k + 1 < begin.size(); ++k)
    for (std::int64_t e = begin[k]; e < begin[k + 1]; ++e) key[static_cast<std::size_t>(e)] = static_cast<std::int32_t>(k);
  return key;
}

// Adds up neighbours of the same column and drops zeros, in place.
SparseMatrix merged(std::int64_t columns, Entries entries, std::string_view op, const std::string& place) {
  SparseMatrix matrix;
  matrix.rows = static_cast<std::int64_t>(entries.begin.size()) - 1;
  matrix.columns = columns;
  std::size_t kept = 0, e = 0;
  for (std::size_t row = 0; row < static_cast<std::size_t>(matrix.rows); ++row) {
    const auto end = static_cast<std::size_t>(entries.begin[row + 1]);
    entries.begin[row] = static_cast<std::int64_t>(kept);
    while (e < end) {
      const std::int32_t column = entries.other[e];
      double sum = entries.value[e++];
      while (e < end && entries.other[e] == column) sum += entries.value[e++];
      require(std::isfinite(sum), Fault::input,
              "[{}] expected entries with a finite sum, found {} ({}, row {}, column {}): scale the values", op, sum,
              place, row + 1, column + 1);
      if (sum == 0) continue;
      entries.other[kept] = column;
      entries.value[kept++] = sum;
    }
  }
  entries.begin.back() = static_cast<std::int64_t>(kept);
  entries.other.resize(kept);
  entries.value.resize(kept);
  matrix.begin = std::move(entries.begin);
  matrix.column = std::move(entries.other);
  matrix.value = std::move(entries.value);
  return matrix;
}

}  // namespace

SparseMatrix assemble(Triplets triplets, std::string_view op, const std::string& place) {
  Entries by_column = sort_by(triplets.columns, std::move(triplets.column), std::move(triplets.row), std::move(triplets.value));
  std::vector<std::int32_t> column = expanded(by_column.begin);
  return merged(triplets.columns, sort_by(triplets.rows, std::move(by_column.other), std::move(column), std::move(by_column.value)), op, place);
}

SparseMatrix assemble(Compressed compressed, std::string_view op, const std::string& place) {
  const char* const line = compressed.by_columns ? "column" : "row";
  const std::int64_t lines = compressed.by_columns ? compressed.columns : compressed.rows;
  const std::int64_t width = compressed.by_columns ? compressed.rows : compressed.columns;
  const auto entries = static_cast<std::int64_t>(compressed.index.size());
  require(static_cast<std::int64_t>(compressed.begin.size()) == lines + 1, Fault::input,
          "[{}] expected {} row pointers for {} {}s, found {} ({}): the file is damaged; write it again", op, lines + 1,
          lines, line, compressed.begin.size(), place);
  require(compressed.value.size() == compressed.index.size(), Fault::input,
          "[{}] expected as many values as indices, found {} and {} ({}): the file is damaged; write it again", op,
          compressed.value.size(), entries, place);
  std::int64_t last = 0;
  for (std::size_t i = 0; i < compressed.begin.size(); ++i) {
    const std::int64_t begin = compressed.begin[i];
    require(begin >= last && begin <= entries && (i > 0 || begin == 0), Fault::input,
            "[{}] expected row pointers that ascend from 0 to {}, found {} after {} ({}, pointer {}): the file is damaged; "
            "write it again",
            op, entries, begin, last, place, i + 1);
    last = begin;
  }
  compressed.index.resize(static_cast<std::size_t>(last));
  compressed.value.resize(static_cast<std::size_t>(last));
  for (std::size_t e = 0; e < compressed.index.size(); ++e)
    require(compressed.index[e] >= 0 && compressed.index[e] < width, Fault::input,
            "[{}] expected indices from 0 to {}, found {} ({}, entry {}): the file is damaged; write it again", op,
            width - 1, compressed.index[e], place, e + 1);
  Triplets triplets{compressed.rows, compressed.columns, expanded(compressed.begin), std::move(compressed.index), std::move(compressed.value)};
  if (compressed.by_columns) std::swap(triplets.row, triplets.column);
  return assemble(std::move(triplets), op, place);
}

SparseMatrix sparse_of(const std::vector<double>& values, std::int64_t rows, std::int64_t columns) {
  SparseMatrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < columns; ++c)
      if (const double value = values[static_cast<std::size_t>(i * columns + c)]; value != 0) {
        matrix.column.push_back(static_cast<std::int32_t>(c));
        matrix.value.push_back(value);
      }
    matrix.begin.push_back(matrix.entries());
  }
  return matrix;
}

SparseMatrix columns_of(const SparseMatrix& matrix, const std::vector<std::int64_t>& columns) {
  std::vector<std::int32_t> place(static_cast<std::size_t>(matrix.columns), -1);
  for (std::size_t c = 0; c < columns.size(); ++c) place[static_cast<std::size_t>(columns[c])] = static_cast<std::int32_t>(c);
  SparseMatrix chosen;
  chosen.rows = matrix.rows;
  chosen.columns = static_cast<std::int64_t>(columns.size());
  std::vector<std::pair<std::int32_t, double>> row;
  for (std::size_t i = 0; i < static_cast<std::size_t>(matrix.rows); ++i) {
    row.clear();
    for (auto e = static_cast<std::size_t>(matrix.begin[i]); e < static_cast<std::size_t>(matrix.begin[i + 1]); ++e)
      if (const std::int32_t column = place[static_cast<std::size_t>(matrix.column[e])]; column >= 0) row.emplace_back(column, matrix.value[e]);
    std::sort(row.begin(), row.end());
    for (const auto& [column, value] : row) {
      chosen.column.push_back(column);
      chosen.value.push_back(value);
    }
    chosen.begin.push_back(chosen.entries());
  }
  return chosen;
}

}  // namespace calor::io
