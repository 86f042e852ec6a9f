#include "calor/kernels/packed_centres.h"

#include <algorithm>

#include "calor/core/threads.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

PackedRows::PackedRows(const PointsView& points, const Frame& frame, const Context& context)
    : dim_(points.dim), rows_(static_cast<std::size_t>(points.count * points.dim)), squares_(static_cast<std::size_t>(points.count)) {
  constexpr std::int64_t piece = 256;
  parallel_for((points.count + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    for (std::int64_t i = p * piece; i < std::min(points.count, (p + 1) * piece); ++i) {
      const double* x = points.point(i);
      float* y = rows_.data() + i * dim_;
      double square = 0;
      for (std::int64_t c = 0; c < dim_; ++c) {
        y[c] = static_cast<float>((x[c] - frame.centre[c]) * frame.scale);
        square += static_cast<double>(y[c]) * y[c];
      }
      squares_[i] = square;
    }
  });
}

PackedCentres::PackedCentres(const double* centres, std::int64_t count, std::int64_t dim)
    : pairs_(current_isa().products()), dim_(dim), width_(count <= pairs_.panel_width / 2 ? pairs_.panel_width / 2 : pairs_.panel_width),
      stride_((count + width_ - 1) / width_ * width_), panels_(memory_.take<float>(stride_ * dim)),
      squares_(static_cast<std::size_t>(count), 0.0) {
  std::fill_n(panels_, stride_ * dim, 0.0f);
  for (std::int64_t c = 0; c < count; ++c) {
    for (std::int64_t k = 0; k < dim; ++k) {
      const auto y = static_cast<float>(centres[c * dim + k]);
      panels_[(c / width_ * dim + k) * width_ + c % width_] = y;
      squares_[c] += static_cast<double>(y) * y;
    }
    greatest_ = std::max(greatest_, squares_[c]);
  }
}

void PackedCentres::products(const PackedRows& rows, const std::int64_t* which, std::int64_t count, float* products) const {
  std::vector<const float*> at(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < count; ++n) at[n] = rows.row(which[n]);
  pairs_.gathered_products(at.data(), count, panels_, stride_ / width_, width_, dim_, products, stride_);
}

}  // namespace calor::kernels
