// A sparse factor with values of at least 0, laid out to be read again and again.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "calor/engine/sparse_rows.h"

namespace calor::engine {

// A square matrix in another order of rows and columns: columns in tiles of 2^15, counted in 16 bits from the tile's first; within a tile the
// values of a row in bins by size, so that what is small can be passed over.  10 bytes an edge.
class PackedRows {
 public:
  static constexpr std::int64_t tile = 1 << 15;  // whose sums of four lanes, 1 MiB, stay close to the processor
  static constexpr std::int64_t bins = 4;        // down to 1, 1/8, 1/64 of a row's largest value, and the rest

  struct Piece {
    const std::uint16_t* column;
    const double* value;
    std::int64_t count;
    void fetch() const {  // into the second-level cache, which waits for more lines at once than the first
      for (std::int64_t e = 0; e < count; e += 8) __builtin_prefetch(value + e, 0, 2);
      for (std::int64_t e = 0; e < count; e += 32) __builtin_prefetch(column + e, 0, 2);
    }
  };

  // What was order[p] is called p.  O(edges + tiles * rows).
  PackedRows(const SparseRows& matrix, std::span<const std::int32_t> order);

  static std::uint64_t bytes(std::int64_t edges, std::int64_t n) {
    return static_cast<std::uint64_t>(10 * edges + 8 * n * ((n + tile - 1) / tile * bins + 3));
  }
  std::int64_t rows() const { return static_cast<std::int64_t>(place_.size()); }
  std::int64_t tiles() const { return tiles_; }
  std::int32_t place(std::int32_t row) const { return place_[row]; }
  double sum(std::int32_t p) const { return sum_[p]; }
  // How many bins of a row it takes until weight times what is left is at most `most`, element by element; `beyond` becomes the bound on what is left.
  std::int64_t bins_above(std::int32_t p, double weight, double most, double& beyond) const {
    std::int64_t bin = 0;
    for (double largest = weight * largest_[p]; bin < bins; ++bin, largest *= ratio)
      if (largest <= most) {
        beyond = largest;
        return bin;
      }
    beyond = 0;
    return bins;
  }
  // The first `number` bins of a row.
  Piece piece(std::int64_t t, std::int32_t p, std::int64_t number = bins) const {
    const std::int64_t at = (t * rows() + p) * bins;
    return {column_.data() + begin_[at], value_.data() + begin_[at], begin_[at + number] - begin_[at]};
  }
  std::int64_t edges(std::int32_t p, std::int64_t number = bins) const {
    std::int64_t count = 0;
    for (std::int64_t t = 0; t < tiles_; ++t) count += piece(t, p, number).count;
    return count;
  }

 private:
  static constexpr double ratio = 1.0 / 8;
  std::int64_t bin_of(std::int32_t p, double value) const {  // no branch: sizes come in any order
    std::int64_t bin = 0;
    double edge = largest_[p] * ratio;
    for (std::int64_t next = 1; next < bins; ++next, edge *= ratio) bin += value <= edge;
    return bin;
  }

  std::int64_t tiles_;
  std::vector<std::int32_t> place_;
  std::vector<double> largest_, sum_;  // of each row
  std::vector<std::int64_t> begin_;    // of each tile, row and bin
  std::vector<std::uint16_t> column_;
  std::vector<double> value_;
};

// The same by columns, rows ascending.  12 bytes an edge.
class PackedColumns {
 public:
  struct Column {
    std::span<const std::int32_t> row;
    const double* value;
  };

  // O(edges + tiles * rows).
  explicit PackedColumns(const PackedRows& rows);

  static std::uint64_t bytes(std::int64_t edges, std::int64_t n) { return static_cast<std::uint64_t>(12 * edges + 16 * n); }
  Column column(std::int32_t p) const {
    const std::int64_t at = begin_[p];
    return {{row_.data() + at, static_cast<std::size_t>(begin_[p + 1] - at)}, value_.data() + at};
  }

 private:
  std::vector<std::int64_t> begin_;
  std::vector<std::int32_t> row_;
  std::vector<double> value_;
};

}  // namespace calor::engine
