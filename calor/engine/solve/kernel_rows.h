// Rows of a symmetric record's values, as floats, computed when they are asked for and kept while there is room: N numbers a row, never N^2.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/record.h"
#include "calor/engine/values.h"

namespace calor::engine {

class KernelRows {
 public:
  // `record`, which must live on, is square, symmetric and has no left-out diagonal.  At most `bytes` are kept, and what the account has left; at least a few rows.
  // Throws Fault::input for a value that is not finite.
  KernelRows(const Similarity& record, std::uint64_t bytes, const Context& context);

  // The columns in use now, of a row and of what is kept.
  std::int64_t size() const { return size_; }
  bool has(std::int64_t i) const { return slots_[static_cast<std::size_t>(i)] != nullptr; }
  // Row i of the columns in use.  Valid until the second call from now.  Where it has to be computed, `more` may name other rows, which
  // are then computed beside it in about the same time (up to beside()).
  const float* row(std::int64_t i, const std::function<void(std::vector<std::int64_t>&)>& more);
  std::int64_t beside() const { return beside_; }
  // value(i, i) of all rows of the record.
  const std::vector<double>& diagonal() const { return diagonal_; }

  // From now on columns and rows are these of the present ones, ascending; rows that are kept are cut to them.
  void keep(const std::vector<std::int64_t>& places);
  // All again.
  void restore();

  // sum over columns of value(row, column) times the column's number, values rounded as in rows: for the listed rows of the whole record.
  Vector sums(const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& columns, const Vector& numbers) const;

  std::int64_t computed() const { return computed_; }  // rows, in all

 private:
  struct Row {
    std::vector<float> values;
    std::uint64_t used = 0;
  };
  void make_tiles();
  void compute(const std::vector<std::int64_t>& rows);
  std::unique_ptr<Row> room();

  const Similarity& whole_;
  Similarity part_;  // the columns in use, where those are not all
  std::vector<std::int64_t> places_;  // of the columns in use in the whole record
  std::unique_ptr<TileScores> tiles_;
  Context context_;
  std::uint64_t bytes_, clock_ = 0;
  Reservation reserved_;
  std::int64_t size_ = 0, beside_ = 1, computed_ = 0;
  std::vector<std::unique_ptr<Row>> slots_;  // of each row in use
  std::vector<std::int64_t> kept_;           // the rows that have one
  std::vector<double> diagonal_;
};

}  // namespace calor::engine
