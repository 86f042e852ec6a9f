// The points of a batch as each other's keys: the loss of leaving each one out, and its gradient.
//
//   E_ij = exp(-temperature |z_i - z_j|^2), E_ii = 0,   q_j = sum_k E_jk,   w_ij = E_ij q_j^-alpha
//   classes: mean over points i that share their class with another of  log sum_j w_ij - log sum over j of i's class of w_ij
//   values:  mean over points i of (v_i - y_i)^2,  v_i = sum_j w_ij y_j / sum_j w_ij
//
// One matrix of affinities in memory serves every sum of the loss and of its gradient: a fifth of the work of forming the scores again
// for each, and the reason for the limit of points.  Differentiated by hand: K_ij, the gradient by E_ij times E_ij from both sides, gives
// dz_i = -2 temperature sum_j K_ij (z_i - z_j), and d log temperature = half the sum of z_i . dz_i.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace calor::kernels {

inline constexpr std::int64_t most_mutual = 2048;  // points: 16 MiB of affinities

struct MutualPoints {
  const float* points = nullptr;  // [dim][stride] as in metric_map.h, 2 to most_mutual points
  std::int64_t count = 0, stride = 0, dim = 0;
  float temperature = 1, alpha = 0;
};

struct MutualGradient {
  float* points = nullptr;  // [dim][stride], zeros after the last point
  float log_temperature = 0, alpha = 0;
};

// `class_end`: the points are in order of their classes, of which each entry is the end of one; some class has two points.  Nothing, with
// the gradient undefined, where floats do not hold the sums: a point without a neighbour, or one of its class, nearer than
// temperature |x - y|^2 = 90, densities too far apart, or numbers that are not finite.
std::optional<double> mutual_class_loss(const MutualPoints& points, std::span<const std::int64_t> class_end, MutualGradient& gradient);
std::optional<double> mutual_value_loss(const MutualPoints& points, std::span<const float> targets, MutualGradient& gradient);

}  // namespace calor::kernels
