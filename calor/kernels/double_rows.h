// Attention's forward pass in double, row by row: what an instruction set provides for it, and its driver.  Scores are formed as the
// definition does (score.h), squared distances by differences: no digits are lost to norms, whatever the scale.
//
// Keys lie in panels, [panel][dim][double_panel]; values as columns, [value][padded keys].
#pragma once

#include <cstdint>

#include "calor/kernels/attention.h"

namespace calor::kernels {

inline constexpr std::int64_t double_panel = 64;  // keys; a multiple of the lanes of every instruction set
inline constexpr int double_rows_together = 4;    // rows that share a load of the keys

struct DoubleRows {
  // scores[r][j] = scale q_r.k_j + bias_j, or -scale |q_r - k_j|^2 + bias_j, for double_rows_together rows, `stride` apart.
  void (*scores)(const double* const* queries, std::int64_t dim, const double* keys, std::int64_t panels, bool squared, double scale,
                 const double* bias, double* scores, std::int64_t stride);

  // scores_j <- exp(scores_j - max) for j < count (at least 1).  Returns their sum; NaN, with nothing done, where a score is not finite.
  double (*weigh)(double* scores, std::int64_t count, double* max);

  // out[c] = sum of weights_j columns[c][j] over j < count, columns `stride` apart.
  void (*combine)(const double* weights, std::int64_t count, const double* columns, std::int64_t stride, std::int64_t column_count,
                  double* out);
};

namespace doubles {

// attention_forward (attention.h) for a checked problem of at least one pair.  Rows whose scores are not finite, and problems with a mask
// over pairs or an own_key, are computed by the scalar definition.  Same bits for any number of threads.
void forward(const DoubleRows& kernels, const AttentionParams<double>& params, const AttentionForward<double>& result);
std::uint64_t workspace_bytes(const AttentionParams<double>& params);

}  // namespace doubles

}  // namespace calor::kernels
