// The repulsion of t-SNE's map by interpolation on a grid: O(n + m^2 log m) in two dimensions, m^2 the nodes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "calor/core/progress.h"
#include "calor/kernels/fft.h"

namespace calor::engine {

// What kernels::student_sums says for points in two dimensions, approximately: the points are spread to a grid, convolved by Fourier
// transforms, and read off the same way, as FIt-SNE does (Linderman, Rachh, Hoskins, Steinerberger & Kluger 2019).  Against that paper
// - cubic B-splines spread and read off, and the spectra make good what they soften (smooth particle mesh, Essmann et al. 1995), instead of
//   quadratic interpolation on nodes 1/3 apart: errors oscillate about 0 and are a tenth (1 % of the largest push instead of 10 %);
// - the push's own kernel is convolved, so that one forward transform serves all and nothing cancels;
// - the sum of the weights is read off the spectrum (Parseval), less 1 for each point.
//
// Error: frequencies near the grid's limit k = pi / s are mistaken for one another; of these the kernels hold e^-k, 4e-4 at the widest
// spacing s = 0.4.  Measured: the sum within 0.1 %, a push within 1.5 % of the largest (engine/maps_test.cpp holds it to these).
class StudentGrid {
 public:
  explicit StudentGrid(double freedom) : freedom_(freedom) {}

  // Points and pushes [2][stride]; the pushes of points from `first` up to `end`, others 0.  The same bits for any number of threads.  Throws Fault::memory.
  double sums(std::int64_t n, const double* points, std::int64_t stride, std::int64_t first, std::int64_t end, double* pushes, const Context& context);

  static constexpr double widest = 0.4;            // spacing of the nodes; sqrt(freedom) times that below 1
  static constexpr std::int64_t least_nodes = 64;  // across the points

 private:
  void fit(double extent, const Context& context);
  void make_spectra(const Context& context);
  void spread(std::int64_t n, const double* points, std::int64_t stride);
  double convolve(const Context& context);

  double freedom_;
  double spacing_ = 0, low_[2] = {0, 0};
  std::int64_t nodes_ = 0, length_ = 0;  // nodes an axis; twice that, the transform's length
  std::unique_ptr<kernels::Fft> fft_;
  std::vector<float> weight_, push_x_, push_y_;  // spectra [column group][row][lane], real; those of the pushes are to be times i
  std::vector<float> charges_;                   // [node in x][node in y]
  std::vector<float> half_re_, half_im_, field_re_[2], field_im_[2];  // [frequency in x][node in y]
  std::vector<float> field_;                     // [node in x][node in y][axis]
};

}  // namespace calor::engine
