// Attention layers by the engine (calor/kernels), in double, on weighted points.
#pragma once

#include <span>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/attention.h"
#include "calor/limit/sample.h"

namespace calor::limit {

// S v for one value per key: S = softmax over the keys of
//   -scale |q_i - k_j|^2 + log weight_j   (squared_distance)      scale q_i . k_j + log weight_j   (dot)
// queries: row-major [queries][keys.dim].  O(queries keys) time, O(queries + keys) memory.
std::vector<double> attend(kernels::Score score, double scale, std::span<const double> queries, const Sample& keys,
                           std::span<const double> values, const Context& context);

}  // namespace calor::limit
