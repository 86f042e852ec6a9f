// The operator under test, (2/eps)(S - I) h at query points, from the definition and in double:
//
//   S_ij ~ w_j exp(-|x_i - x_j|^2 / (2 eps)) / (q_i q_j)^alpha,   q_i = sum_j w_j exp(-|x_i - x_j|^2 / (2 eps)),   sum_j S_ij = 1
//
// computed as (2/eps) sum_j S_ij (h_j - h_i), since (S - I) h / eps cancels.
//
// Support: pairs beyond the radius sqrt(2 eps cut), cut = 40, are left out.  Each has less than exp(-40) = 4.3e-18 of the
// weight of a point at distance 0, so what is left out of a row of N points of equal weight is below N exp(-40) of a row sum
// of at least one: 4.3e-12 for N = 10^6.  No N x N matrix: memory O(N), time queries x points in the slab of that radius
// (queries + points for alpha != 0).
#pragma once

#include <span>
#include <vector>

#include "calor/core/progress.h"
#include "calor/limit/sample.h"

namespace calor::limit {

inline constexpr double support_cut = 40;

// Degrees q of the points of `at` in the measure of `sample`; [at.count].
std::vector<double> degrees(const Sample& sample, const Sample& at, double epsilon, const Context& context);

// h at the sample's points, h_queries at the queries.  Returns one value a query; the same bits for any number of threads.
// Throws Fault::interrupted on a requested stop.
std::vector<double> generator(const Sample& sample, std::span<const double> h, const Sample& queries,
                              std::span<const double> h_queries, double epsilon, double alpha, const Context& context);

}  // namespace calor::limit
