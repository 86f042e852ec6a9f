// The heat kernel signature: how much of the heat that starts at a point is still there after a time.
#pragma once

#include <cstdint>

#include "calor/engine/matrix.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/io/mesh.h"

namespace calor::engine {

// k_t(x, x) = sum_i exp(-lambda_i t) u_i(x)^2, nodes x times, for pairs that are orthonormal in the mass (smallest_mass_pairs).  Times in the square of
// the points' unit: points s times as far apart give s^-2 of the values at s^2 times the times.  The same after motions and bendings that keep lengths.
// Pairs that are left out lack terms below exp(-lambda t).  O(nodes pairs times).  Sun, Ovsjanikov & Guibas 2009.
Matrix heat_kernel_signature(const Pairs& pairs, const Vector& times);

// `count` (at least 2) times from 0.01 to 1, equal steps of their logarithm: DiffusionNet's (Sharp et al. 2022), for meshes in the unit ball.
Vector signature_times(std::int64_t count = 16);

// With the mean of its points at the origin and the farthest at distance 1, as DiffusionNet's networks were trained; points that are all the same stay there.
io::Mesh in_unit_ball(io::Mesh mesh);

}  // namespace calor::engine
