// The right factor of a product of sparse matrices, as the product's groups of rows read it.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "calor/core/memory.h"
#include "calor/core/progress.h"
#include "calor/engine/packed_rows.h"
#include "calor/engine/sparse_rows.h"

namespace calor::engine {

// How many edges its rows have, and its rows and columns packed, each once a group asks for them: may be asked from several threads.  Throws Fault::memory.
class ProductFactor {
 public:
  ProductFactor(const SparseRows& b, const char* op, const Context& context) : b_(b), op_(op), context_(context) {
    for (const SparseRow& row : b.rows) edges_.push_back(static_cast<std::int32_t>(row.column.size()));
  }
  const SparseRows& rows() const { return b_; }
  std::int64_t edges(std::int32_t k) const { return edges_[k]; }
  // The edges that a row of the other factor leads to.
  std::int64_t visits(const SparseRow& row) const {
    std::int64_t sum = 0;
    for (const std::int32_t k : row.column) sum += edges_[k];
    return sum;
  }

  // In which order to pack them, should it come to that; empty: never.
  void pack_by(std::span<const std::int32_t> order) { order_ = order; }
  std::span<const std::int32_t> order() const { return order_; }
  bool packs() const { return !order_.empty(); }
  const PackedRows& packed() {
    std::call_once(rows_made_, [this] {
      rows_held_ = reserve(PackedRows::bytes(b_.edges(), std::ssize(order_)));
      packed_.emplace(b_, order_);
    });
    return *packed_;
  }
  const PackedColumns& packed_columns() {
    std::call_once(columns_made_, [this] {
      columns_held_ = reserve(PackedColumns::bytes(b_.edges(), std::ssize(order_)));
      packed_columns_.emplace(packed());
    });
    return *packed_columns_;
  }

 private:
  Reservation reserve(std::uint64_t bytes) const {
    return context_.memory.reserve(bytes, op_, "a factor of wide rows, laid out to be read again and again", "prune more (expand.prune, expand.keep), or raise --max-memory");
  }

  const SparseRows& b_;
  const char* op_;
  const Context& context_;
  std::vector<std::int32_t> edges_;
  std::span<const std::int32_t> order_;
  std::once_flag rows_made_, columns_made_;
  std::optional<PackedRows> packed_;
  std::optional<PackedColumns> packed_columns_;
  Reservation rows_held_, columns_held_;
};

}  // namespace calor::engine
