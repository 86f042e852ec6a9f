#include "calor/engine/packed_rows.h"

#include <numeric>

namespace calor::engine {

PackedRows::PackedRows(const SparseRows& matrix, std::span<const std::int32_t> order)
    : tiles_((matrix.columns + tile - 1) / tile), place_(order.size()), largest_(order.size(), 0), sum_(order.size(), 0),
      begin_(static_cast<std::size_t>(tiles_) * order.size() * bins + 1, 0) {
  const auto n = static_cast<std::int32_t>(order.size());
  for (std::int32_t p = 0; p < n; ++p) place_[order[p]] = p;
  const auto cell = [&](std::int32_t p, std::int32_t to, double value) { return (to / tile * n + p) * bins + bin_of(p, value); };
  for (std::int32_t p = 0; p < n; ++p) {
    const SparseRow& row = matrix.rows[order[p]];
    for (const double value : row.value) largest_[p] = std::max(largest_[p], value);
    sum_[p] = std::accumulate(row.value.begin(), row.value.end(), 0.0);
    for (std::size_t e = 0; e < row.column.size(); ++e) ++begin_[cell(p, place_[row.column[e]], row.value[e]) + 1];
  }
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  const auto edges = static_cast<std::size_t>(begin_.back());
  column_.resize(edges);
  value_.resize(edges);
  std::vector<std::int64_t> next(static_cast<std::size_t>(tiles_ * bins));
  for (std::int32_t p = 0; p < n; ++p) {
    const SparseRow& row = matrix.rows[order[p]];
    for (std::int64_t t = 0; t < tiles_; ++t)
      for (std::int64_t bin = 0; bin < bins; ++bin) next[t * bins + bin] = begin_[(t * n + p) * bins + bin];
    for (std::size_t e = 0; e < row.column.size(); ++e) {
      const std::int32_t to = place_[row.column[e]];
      const std::int64_t at = next[to / tile * bins + bin_of(p, row.value[e])]++;
      column_[at] = static_cast<std::uint16_t>(to % tile);
      value_[at] = row.value[e];
    }
  }
}

PackedColumns::PackedColumns(const PackedRows& rows) : begin_(static_cast<std::size_t>(rows.rows()) + 1, 0) {
  const auto n = static_cast<std::int32_t>(rows.rows());
  const auto each = [&](const auto& visit) {
    for (std::int64_t t = 0; t < rows.tiles(); ++t)
      for (std::int32_t p = 0; p < n; ++p) {
        const PackedRows::Piece piece = rows.piece(t, p);
        for (std::int64_t e = 0; e < piece.count; ++e) visit(t * PackedRows::tile + piece.column[e], p, piece.value[e]);
      }
  };
  each([&](std::int64_t to, std::int32_t, double) { ++begin_[to + 1]; });
  std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
  row_.resize(static_cast<std::size_t>(begin_.back()));
  value_.resize(row_.size());
  std::vector<std::int64_t> next = begin_;
  each([&](std::int64_t to, std::int32_t p, double value) {
    const std::int64_t at = next[to]++;
    row_[at] = p;
    value_[at] = value;
  });
}

}  // namespace calor::engine
