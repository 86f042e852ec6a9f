// Sums with Gaussian weights over points in R^d, in double, as differences:
//
//   W_ij = w_j exp(-|x_i - y_j|^2 / (2 eps)),   total_i = sum_j W_ij,   flow_i = sum_j W_ij (h_j - h(x_i))
//
// With S = W after rows are normalised, flow_i / total_i = ((S - I) h)_i without the cancellation of S h - h, which at small eps
// would leave rounding divided by eps.
//
// Support: the points lie in leaves of at most 64 with their boxes, and a leaf whose box is farther than sqrt(2 eps cut) from x_i is
// left out.  Each of its pairs has less than exp(-cut) = 4.3e-18 of the weight of a pair at distance 0: what is left out of total_i is
// below exp(-cut) sum_j w_j.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/packed_points.h"

namespace calor::kernels {

class GaussianSums {
 public:
  static constexpr double cut = 40;
  static constexpr std::int64_t leaf_size = 64;  // a multiple of the lanes of every instruction set

  // Copies the points, finite and of at least one dimension, into leaves.  O(count log count dim) time, O(count dim) memory.
  explicit GaussianSums(const PointsView& points);

  std::int64_t count() const { return count_; }

  struct Rows {
    std::vector<double> total, flow;  // one a row
  };
  // weight and h: one a point; h_rows: one a row.  A row that sees no point has total 0.  Same bits for any number of threads.
  // O(rows (points in support dim + count / 64)) time, O(count + rows) memory.  Throws Fault::interrupted on a requested stop.
  Rows flow(const PointsView& rows, const double* weight, const double* h, const double* h_rows, double epsilon, const Context& context) const;
  std::vector<double> total(const PointsView& rows, const double* weight, double epsilon, const Context& context) const;

 private:
  std::vector<double> in_leaves(const double* values) const;

  std::int64_t count_, dim_, leaves_;
  std::vector<std::int32_t> order_;             // the points in the order of the leaves; all leaves but the last are full
  std::vector<double> coordinates_;             // [leaf][dim][leaf_size]
  std::vector<double> box_low_, box_high_;      // [dim][leaf]
};

}  // namespace calor::kernels
