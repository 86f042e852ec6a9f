// Products of many points, any of them at a time, with few: what a nearest-centre search is made of.  Errors as in
// packed_points.h.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/kernels/packed_points.h"

namespace calor::kernels {

// Points as floats about a frame, one after the other.
class PackedRows {
 public:
  PackedRows(const PointsView& points, const Frame& frame, const Context& context);
  const float* row(std::int64_t i) const { return rows_.data() + i * dim_; }
  double square(std::int64_t i) const { return squares_[i]; }

 private:
  std::int64_t dim_;
  std::vector<float> rows_;
  std::vector<double> squares_;
};

// `count` points given in the frame's coordinates, (x - centre) scale.
class PackedCentres {
 public:
  PackedCentres(const double* centres, std::int64_t count, std::int64_t dim);

  double square(std::int64_t c) const { return squares_[c]; }
  double greatest_square() const { return greatest_; }
  // Numbers in a row of products: whole panels.
  std::int64_t stride() const { return stride_; }
  // products[n * stride() + c] = rows of which[n] . centre c.
  void products(const PackedRows& rows, const std::int64_t* which, std::int64_t count, float* products) const;

 private:
  const Products& pairs_;
  std::int64_t dim_, width_, stride_;
  double greatest_ = 0;
  Workspace memory_;
  float* panels_;
  std::vector<double> squares_;
};

}  // namespace calor::kernels
