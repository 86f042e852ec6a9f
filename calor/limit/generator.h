// The operator under test, (2/eps)(S - I) h at query points, in double:
//
//   S_ij ~ w_j exp(-|x_i - x_j|^2 / (2 eps)) / (q_i q_j)^alpha,   q_i = sum_j w_j exp(-|x_i - x_j|^2 / (2 eps)),   sum_j S_ij = 1
//
// computed by the engine's Gaussian sums (calor/kernels/gaussian_sums.h) as (2/eps) sum_j S_ij (h_j - h_i), since (S - I) h / eps
// cancels, over a support of which they state the bound: of a row of N points of equal weight less than N exp(-40) of a row sum of at
// least one is left out, 4.3e-12 for N = 10^6.  For alpha != 0 the degrees are summed at every point.  No N x N matrix.
#pragma once

#include <span>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/gaussian_sums.h"
#include "calor/limit/sample.h"

namespace calor::limit {

// For several eps or functions on the same points, which must outlive it.
class Generator {
 public:
  explicit Generator(const Sample& sample) : sample_(sample), sums_(sample.view()) {}

  // Degrees q of the points of `at` in the measure of the sample; [at.count].
  std::vector<double> degrees(const Sample& at, double epsilon, const Context& context) const;

  // h at the sample's points, h_queries at the queries.  Returns one value per query for each alpha, NaN where no point is in its support;
  // the same bits for any number of threads.  Throws Fault::interrupted on a requested stop.
  std::vector<std::vector<double>> at(const Sample& queries, std::span<const double> h, std::span<const double> h_queries, double epsilon,
                                      std::span<const double> alphas, const Context& context) const;

 private:
  const Sample& sample_;
  kernels::GaussianSums sums_;
};

// Once, for one alpha.
std::vector<double> generator(const Sample& sample, std::span<const double> h, const Sample& queries,
                              std::span<const double> h_queries, double epsilon, double alpha, const Context& context);

}  // namespace calor::limit
