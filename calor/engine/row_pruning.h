// What is kept of a row of a pruned product.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calor/engine/sparse_rows.h"

namespace calor::engine {

// Values as large as the last one kept, up to rounding, are kept too, so that no order of the columns is preferred.
struct Pruning {
  double least = 0;          // smaller values are dropped
  std::int64_t keep = 0;     // and of the others those beyond the largest `keep`; 0: none
  std::int64_t recover = 0;  // a row with less than `mass` of its sum left gets its largest `recover` values instead, if those are more; 0: never
  double mass = 0.9;
  bool by_row() const { return keep > 0 || recover > 0; }  // what is kept of a row depends on its other values
  // The most values of a row of `columns`, but for equal ones.
  std::int64_t most(std::int64_t columns) const;
};

// The sums of one row that are not 0, columns ascending.
class Found {
 public:
  void begin(std::int64_t most);  // room for so many
  void add(std::int32_t to, double sum) {  // no branch: which sums are 0 cannot be foretold
    column_[count_] = to;
    value_[count_] = sum;
    count_ += sum != 0;
  }
  std::span<std::int32_t> columns() { return {column_.data(), static_cast<std::size_t>(count_)}; }
  std::span<const std::int32_t> columns() const { return {column_.data(), static_cast<std::size_t>(count_)}; }
  std::span<double> values() { return {value_.data(), static_cast<std::size_t>(count_)}; }
  std::span<const double> values() const { return {value_.data(), static_cast<std::size_t>(count_)}; }
  double total = -1;  // the sizes of all sums, those smaller than Pruning::least that are not listed too, added up; negative: all are listed

 private:
  std::vector<std::int32_t> column_;
  std::vector<double> value_;
  std::int64_t count_ = 0;
};

// Scratch of one thread.
class RowPruner {
 public:
  explicit RowPruner(const Pruning& pruning) : pruning_(pruning) {}
  // A smaller size is dropped unless its row is recovered.
  double least() const;
  // Whether a row of which only the sums of size least() and more are listed may need the others too.
  bool recovers(const Found& found) const;
  void prune(const Found& found, SparseRow& row);

 private:
  std::int64_t recover() const;
  double threshold(const Found& found);
  double kth(const Found& found, double greatest, std::int64_t k);

  Pruning pruning_;
  std::vector<std::int32_t> counts_;
  std::vector<double> same_;
};

}  // namespace calor::engine
