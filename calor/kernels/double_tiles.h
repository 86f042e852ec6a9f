// Attention's forward pass in double: what an instruction set provides for it, and its driver.  Scores are formed as the definition does
// (pairwise.h), squared distances by differences: no digits are lost to norms, whatever the scale.
//
// Keys lie in panels, [panel][dim][double_panel]; values as rows, [key][padded value_dim], both of the keys that some query may see alone.
#pragma once

#include <cstdint>
#include <limits>

#include "calor/kernels/attention.h"

namespace calor::kernels {

inline constexpr std::int64_t double_panel = 64;  // keys; a multiple of the lanes of every instruction set
inline constexpr int double_rows_together = 4;    // rows that share a load of the keys
// A tile of scores, its keys and its values stay in the second-level cache (512 KiB) up to about 60 dimensions.
inline constexpr std::int64_t double_query_block = 32, double_key_block = 4 * double_panel, double_tile_stride = double_key_block + 8;
// In place of the score of a pair that is masked; exp makes it 0 beside any score.
inline constexpr double masked_score = std::numeric_limits<double>::lowest();

// Of a row: the greatest score so far and the sum of exp(score - max).
struct DoubleSoftmax {
  double max = masked_score, sum = 0;
};

struct DoubleTiles {
  std::int64_t lanes;

  // scores[r][j] = scale q_r.k_j + bias_j, or -scale |q_r - k_j|^2 + bias_j, for double_rows_together rows, `stride` apart.
  void (*scores)(const double* const* queries, std::int64_t dim, const double* keys, std::int64_t panels, bool squared, double scale,
                 const double* bias, double* scores, std::int64_t stride);

  // Takes `count` more scores (at least 1) into the row's state and puts exp(score - max) in their place.  Returns the factor for what was
  // summed before, relative to the max that it had; NaN, with nothing done, where a score is not finite.
  double (*weigh)(double* scores, std::int64_t count, DoubleSoftmax* row);

  // sums[r][c] += sum of weights[r][j] values[j][c] over j < count, for rows rows and `width` columns, a multiple of the lanes.
  void (*combine)(const double* weights, std::int64_t weight_stride, std::int64_t rows, std::int64_t count, const double* values,
                  std::int64_t width, double* sums);
};

namespace doubles {

// attention_forward (attention.h) for a checked problem of at least one pair.  Rows that see scores or values that are not finite are
// computed by the scalar definition.  Same bits for any number of threads.
void forward(const DoubleTiles& kernels, const AttentionParams<double>& params, const AttentionForward<double>& result);
std::uint64_t workspace_bytes(const DoubleTiles& kernels, const AttentionParams<double>& params);

}  // namespace doubles

}  // namespace calor::kernels
