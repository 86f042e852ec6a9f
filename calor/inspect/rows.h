// The rows of a head's similarity S, a few at a time: every streamed statistic is a sum over them.  Nothing N x N is stored.
#pragma once

#include <cstdint>
#include <functional>

#include "calor/core/progress.h"
#include "calor/inspect/head.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::inspect {

// Rows first .. first + weights.rows() - 1.  scores: s_ij (minus infinity where masked); weights: S_ij, each row adding up to 1.
// Scores here are s_ij + log_column_j; for squared distances they lack the row term -scale |q_i|^2, which no row of S depends on.
struct RowBlock {
  std::int64_t first = 0;
  Matrix scores, weights;
};

class AttentionRows {
 public:
  // O(N r) memory; the features are those of the head, in double.  `masked` false: as if the head were not causal.
  AttentionRows(const Head& head, const Features& features, bool masked, const Context& context);

  std::int64_t size() const { return count_; }
  // What the scores of row i lack.
  double row_term(std::int64_t i) const { return head_.pairing == Pairing::squared_distance ? -head_.scale * query_.square(i) : 0; }

  // Cuts the rows into pieces fixed by N and calls visit(piece, block) for the blocks of each piece in order; pieces run in
  // parallel.  O(N^2 r) operations; memory 16 N block_rows bytes per thread.
  void each(const std::function<void(std::int64_t piece, const RowBlock& block)>& visit) const;
  std::int64_t pieces() const { return pieces_; }

  // S values, rows of weights times N x m values.
  Matrix apply(const Matrix& values) const;

  static constexpr std::int64_t block_rows = 64;

 private:
  void fill(std::int64_t first, std::int64_t count, RowBlock& block) const;

  const Head& head_;
  const Features& features_;
  bool causal_;
  Context context_;
  std::int64_t count_, pieces_;
  kernels::PackedDoubles query_, key_;
  Vector key_bias_;
};

}  // namespace calor::inspect
