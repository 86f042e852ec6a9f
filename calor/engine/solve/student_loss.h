// The loss of t-SNE's map and its gradient: KL(P || Q) with Q from Student's t, or from a heavier or lighter tail.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "calor/core/progress.h"
#include "calor/engine/csr.h"
#include "calor/engine/solve/student_grid.h"

namespace calor::engine {

// How the repulsion is summed.  automatic: over all pairs up to `most_exact` points and in other than two dimensions, else on a grid.
enum class StudentSums { automatic, exact, grid };

// The rows of a map that one process works on; where there are others, each has its own, and all have the map.
struct MapShare {
  std::int64_t first = 0;
  // Rows [n][columns], of which the own ones are known: puts the others' beside them.  Null where all are own.  Called by all processes together.
  std::function<void(std::int64_t columns, double* rows)> gather;
};

// L(Y) = sum_ij p_ij log(p_ij / q_ij), q_ij = w_ij / sum_{k != l} w_kl, w_ij = (1 + |y_i - y_j|^2 / a)^-a for the freedom a > 0.
// P: symmetric, adding up to 1; its rows are those of the share, its columns all points.  van der Maaten & Hinton 2008; Kobak et al. 2019.
// The same bits for any number of threads and shares.
class StudentLoss {
 public:
  StudentLoss(const Csr& p, std::int64_t dims, double freedom, StudentSums sums, const MapShare& share = {});

  std::int64_t stride() const { return stride_; }  // of a coordinate: the points padded
  bool on_grid() const { return on_grid_; }

  // gradient = dL/dY / 4 with the attraction times `exaggeration`; both [dims][stride], the gradient for the share's rows.  Returns L of all where `with_loss`,
  // else 0.  O(edges) and the sums' cost, which is that of all points (but for reading off the grid) in every share.
  double operator()(const double* points, double exaggeration, bool with_loss, double* gradient, const Context& context);

  static constexpr std::int64_t most_exact = 4000;

 private:
  void put_rows(const double* points);
  template <int known>
  void attract(double exaggeration, double* gradient, const Context& context) const;
  void attract_in_floats(double exaggeration, double* gradient, const Context& context) const;
  double log_sum(const Context& context) const;
  double sum_of_rows(std::vector<double>& rows) const;  // of which this share's are known

  const Csr& p_;
  const MapShare share_;
  std::int64_t points_, dims_, stride_;
  double freedom_;
  bool on_grid_;
  double entropy_ = 0;  // sum p log p
  StudentGrid grid_;
  std::vector<double> pushes_, rows_;       // rows_: the points, [n][dims]
  std::vector<float> float_p_, float_rows_;  // beside a grid, whose pushes are floats too: attraction goes by them
};

}  // namespace calor::engine
