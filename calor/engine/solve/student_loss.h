// The loss of t-SNE's map and its gradient: KL(P || Q) with Q from Student's t, or from a heavier or lighter tail.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/solve/student_grid.h"

namespace calor::engine {

// How the repulsion is summed.  automatic: over all pairs up to `most_exact` points and in other than two dimensions, else on a grid.
enum class StudentSums { automatic, exact, grid };

// L(Y) = sum_ij p_ij log(p_ij / q_ij), q_ij = w_ij / sum_{k != l} w_kl, w_ij = (1 + |y_i - y_j|^2 / a)^-a for the freedom a > 0.
// P: symmetric, adding up to 1.  van der Maaten & Hinton 2008; Kobak et al. 2019.
class StudentLoss {
 public:
  StudentLoss(const Csr& p, std::int64_t dims, double freedom, StudentSums sums);

  std::int64_t stride() const { return stride_; }  // of a coordinate: the points padded
  bool on_grid() const { return on_grid_; }

  // gradient = dL/dY / 4 with the attraction times `exaggeration`; both [dims][stride].  Returns L where `with_loss`, else 0.
  // The same bits for any number of threads.  O(edges) and the sums' cost.
  double operator()(const double* points, double exaggeration, bool with_loss, double* gradient, const Context& context);

  static constexpr std::int64_t most_exact = 4000;

 private:
  void put_rows(const double* points);
  template <int known>
  void attract(double exaggeration, double* gradient, const Context& context) const;
  void attract_in_floats(double exaggeration, double* gradient, const Context& context) const;
  double log_sum(const Context& context) const;

  const Csr& p_;
  std::int64_t dims_, stride_;
  double freedom_;
  bool on_grid_;
  double entropy_ = 0;  // sum p log p
  StudentGrid grid_;
  std::vector<double> pushes_, rows_;       // rows_: the points, [n][dims]
  std::vector<float> float_p_, float_rows_;  // beside a grid, whose pushes are floats too: attraction goes by them
};

}  // namespace calor::engine
