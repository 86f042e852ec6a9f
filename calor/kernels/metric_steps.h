// What an instruction set provides for training a metric on a batch of points (metric_map.h, mutual.h), and for drawing noise (normals.h).
//
// A batch lies coordinate by coordinate: [rows][stride] floats, stride a multiple of batch_lanes, with zeros after the last point.
#pragma once

#include <cstdint>

namespace calor::kernels {

inline constexpr std::int64_t batch_lanes = 16;  // floats in the longest vector: the layout is the same for every instruction set

// c (r, j) of the product A B, B and c by rows of `width` numbers, a multiple of batch_lanes.
struct BatchProduct {
  const float* a = nullptr;
  std::int64_t a_stride = 0;  // between rows of A; of its transpose where a function says so
  const float* b = nullptr;
  std::int64_t b_stride = 0;
  std::int64_t rows = 0, depth = 0, width = 0;
  float* c = nullptr;
  std::int64_t c_stride = 0;
};

// The points of a batch as each other's keys.
struct MutualPass {
  const float* points = nullptr;     // [dim][stride]
  std::int64_t count = 0, stride = 0, dim = 0;
  const float* norms = nullptr;      // [stride]: -temperature |point|^2; after the last point -1e30
  float temperature = 0, shift = 0;  // the affinity of two points: exp(shift - temperature |x - y|^2), of a point with itself 0
  const std::int64_t *begin = nullptr, *end = nullptr;  // [count]: the points that a point's second sum runs over
};

// The weight of a pair in the gradient, affinity times first_i second_j + second_i first_j + own_i + own_j, less third_i fourth_j +
// fourth_i third_j where j is in i's range; each [stride] with zeros after the last point.
struct PairWeights {
  const float *first = nullptr, *second = nullptr, *third = nullptr, *fourth = nullptr, *own = nullptr;
};

inline constexpr std::int64_t pair_rows = 24;  // points at a time

struct MetricSteps {
  void (*add_product)(const BatchProduct& p);                         // c += A B
  void (*rectified_product)(const BatchProduct& p, const float* bias);  // c = max(0, bias of the row + A B)
  void (*gated_product)(const BatchProduct& p, const float* gate);      // c = A' B where gate [rows][c_stride] is above 0, else 0

  // c[r * c_row + s * c_column] = sum over j < width of a[r][j] b[s][j].
  void (*inner_products)(const float* a, std::int64_t a_stride, std::int64_t rows, const float* b, std::int64_t b_stride, std::int64_t columns,
                         std::int64_t width, float* c, std::int64_t c_row, std::int64_t c_column);

  // Rows of affinities from `first` on, at most pair_rows of them, and their sums.
  void (*affinities)(const MutualPass& pass, std::int64_t first, std::int64_t rows, float* affinity, float* sums);
  // all[i] = sum over j of affinity_ij one_j, ranged[i] = sum over i's range of affinity_ij other_j.
  void (*affinity_sums)(const MutualPass& pass, const float* affinity, const float* one, const float* other, float* all, float* ranged);
  // weights [rows][stride] of the pairs of points from `first` on, and their sums.
  void (*pair_weights)(const MutualPass& pass, const float* affinity, const PairWeights& by, std::int64_t first, std::int64_t rows, float* weights,
                       float* sums);

  // numbers[i] = the normal number that Random makes of block first + i (core/random.h), within 1e-15 of its size.
  void (*normals)(std::uint64_t seed, std::uint32_t purpose, std::uint64_t index, std::uint64_t first, std::int64_t count, double* numbers);
};

}  // namespace calor::kernels
