// Fuzzy c-means (Bezdek 1981): every point belongs to every centre in part, more to the nearer ones.
//
// With d_ic the distance of point i to centre c, the membership is u_ic = d_ic^-power / sum_b d_ib^-power, power = 2 / (m - 1), found by
// logarithms so that no power overflows.  A point that lies on centres is shared among these alike.
#pragma once

#include <optional>

#include "calor/core/progress.h"
#include "calor/engine/matrix.h"

namespace calor::engine {

// N x k; rows add up to 1.  `objective`, where given, gets sum u^m d^2, m = 1 + 2 / power.
Matrix memberships(const Matrix& points, const Matrix& centres, double power, const Context& context, double* objective = nullptr);

// The centres' next places: sum_i u_ic^exponent x_i / sum_i u_ic^exponent, k x d.  O(N k d) time, O(k d) memory for each of at most 32 parts of
// the points.  A centre that no point belongs to (a power that underflows) stays.
Matrix fuzzy_step(const Matrix& points, const Matrix& centres, double power, double exponent, const Context& context);

// The m from which on centres that have met at the mean of the points stay there: 1 / (1 - 2 l), l the largest eigenvalue of the mean of
// y y' / |y|^2, y = x - mean.  (Linearised about the mean, a step takes a centre's offset e to 2 m / (m - 1) F e with that matrix F; Yu, Cheng &
// Huang 2004.)  Nothing where no m does that: l is at least 1/2, as it always is in up to two dimensions.
std::optional<double> meeting_exponent(const Matrix& points, const Context& context);

}  // namespace calor::engine
