// Points by their coordinates along a few orthonormal directions, and the length of what is left over.
//
// With z = Q w for orthonormal rows Q and r = sqrt(|w|^2 - |z|^2), Cauchy and Schwarz give w_i . w_j <= z_i . z_j + r_i r_j: the product of the
// points (z, r) bounds that of the points themselves from above, so what is too far by these few coordinates is too far.  The closer Q's span
// holds the points, the closer the bound.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/packed_points.h"
#include "calor/kernels/workspace.h"

namespace calor::kernels {

struct LeadingDirections {
  std::int64_t count = 0;
  std::vector<double> at;  // [count][dim], orthonormal, those of most spread first
  double defect = 0;       // no less than the Frobenius norm of at at' - 1
  bool screen = false;     // a search's products are of these coordinates; else they only bring near points together
};

// Points (z, r) as floats.  With N = |w|^2 in double and the float product p of two of them, N_i + N_j - 2 p is at most
//   relative (N_i + N_j) + the frame's absolute
// more than the squared distance of the scaled points, for
//   relative = m u / (1 - m u) + 5 u + 2 slack + 8 (d + 4) v,   m = coordinates + 4,   slack = 64 (d + 8) v + 4 defect,   u = 2^-24, v = 2^-53.
// A coordinate's error in double is at most (d + 2) v |w|, that of all at most 16 (d + 2) v |w| + defect |w| to the nearest orthonormal
// directions; twice this and the rounding of N is what r^2 may be too small by, and slack N is added to it.  r is rounded up.  The rest is as
// in packed_points.h.
class LeadingPoints {
 public:
  // O(count d m) time, O(count m) memory.
  LeadingPoints(const PointsView& points, const Frame& frame, const LeadingDirections& directions, const Context& context);

  std::int64_t count() const { return static_cast<std::int64_t>(squares_.size()); }
  std::int64_t dim() const { return dim_; }  // of coordinates and r
  const float* point(std::int64_t i) const { return at_ + i * dim_; }
  // r where only so many coordinates are used.
  float rest(std::int64_t i, std::int64_t coordinates) const;
  double square(std::int64_t i) const { return squares_[i]; }
  double relative() const { return relative_; }
  double slack() const { return slack_; }

 private:
  std::int64_t dim_;
  Workspace memory_;
  float* at_;
  std::vector<double> squares_;
  double slack_, relative_;
};

}  // namespace calor::kernels
