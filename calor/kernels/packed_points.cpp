#include "calor/kernels/packed_points.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/threads.h"
#include "calor/kernels/leading_points.h"

namespace calor::kernels {

static constexpr std::int64_t piece = 2048;

static std::int64_t pieces(std::int64_t count) { return (count + piece - 1) / piece; }

static std::vector<double> mean_of(const PointsView& points, const Context& context) {
  const std::int64_t dim = points.dim;
  std::vector<double> parts(static_cast<std::size_t>(pieces(points.count) * dim), 0.0), mean(static_cast<std::size_t>(dim), 0.0);
  parallel_for(pieces(points.count), context.threads, [&](std::int64_t p) {
    double* sum = parts.data() + p * dim;
    for (std::int64_t i = p * piece; i < std::min(points.count, (p + 1) * piece); ++i) {
      const double* x = points.point(i);
      for (std::int64_t c = 0; c < dim; ++c) sum[c] += x[c];
    }
  });
  for (std::int64_t p = 0; p < pieces(points.count); ++p)
    for (std::int64_t c = 0; c < dim; ++c) mean[c] += parts[p * dim + c];
  for (double& value : mean) value /= static_cast<double>(std::max<std::int64_t>(1, points.count));
  return mean;
}

static double extent_of(const PointsView& points, const std::vector<double>& centre, const Context& context) {
  std::vector<double> parts(static_cast<std::size_t>(pieces(points.count)), 0.0);
  parallel_for(pieces(points.count), context.threads, [&](std::int64_t p) {
    double most = 0;
    for (std::int64_t i = p * piece; i < std::min(points.count, (p + 1) * piece); ++i) {
      const double* x = points.point(i);
      for (std::int64_t c = 0; c < points.dim; ++c) most = std::max(most, std::abs(x[c] - centre[c]));
    }
    parts[p] = most;
  });
  return parts.empty() ? 0 : *std::max_element(parts.begin(), parts.end());
}

Frame::Frame(const PointsView& rows, const PointsView& columns, bool unit, const Context& context) : directions(unit) {
  const auto dim = static_cast<double>(columns.dim);
  centre = directions ? std::vector<double>(static_cast<std::size_t>(columns.dim), 0.0) : mean_of(columns, context);
  double extent = extent_of(columns, centre, context);
  if (rows.at != columns.at || columns.listed) extent = std::max(extent, extent_of(rows, centre, context));
  if (extent > 0) scale = std::ldexp(1.0, -std::ilogb(extent));
  const double u = 0x1p-24, v = 0x1p-53, roundings = (dim + 1) * u;
  relative = roundings < 0.25 ? roundings / (1 - roundings) + 5 * u + 8 * (dim + 4) * v : 2;
  absolute = (dim + 16) * 0x1p-118;
}

double Frame::round(const double* point, std::int64_t dim, float* to, std::int64_t stride) const {
  double square = 0;
  for (std::int64_t c = 0; c < dim; ++c) {
    const auto y = static_cast<float>((point[c] - centre[c]) * scale);
    to[c * stride] = y;
    square += static_cast<double>(y) * y;
  }
  return directions && square == 0 ? scale * scale : square;
}

template <class Fill>
void PackedPoints::pack(double relative, double absolute, const Context& context, const Fill& fill) {
  const std::int64_t padded = (count_ + width_ - 1) / width_ * width_;
  panels_ = memory_.take<float>(padded * dim_);
  squares_.assign(static_cast<std::size_t>(padded), 0.0);
  halves_.assign(static_cast<std::size_t>(padded), std::numeric_limits<double>::infinity());
  rounded_.assign(static_cast<std::size_t>(padded), std::numeric_limits<float>::infinity());
  parallel_for(padded / width_, context.threads, [&](std::int64_t p) {
    float* panel = panels_ + p * width_ * dim_;
    for (std::int64_t lane = 0; lane < width_; ++lane) {
      const std::int64_t i = p * width_ + lane;
      if (i >= count_) {
        for (std::int64_t c = 0; c < dim_; ++c) panel[c * width_ + lane] = 0;
        continue;
      }
      squares_[i] = fill(i, panel, lane);
      halves_[i] = ((1 - relative) * squares_[i] - absolute / 2) / 2;
      rounded_[i] = rounded_down(halves_[i]);
    }
  });
}

PackedPoints::PackedPoints(const Products& pairs, const PointsView& points, const Frame& frame, const Context& context)
    : count_(points.count), dim_(points.dim), width_(pairs.panel_width) {
  pack(frame.relative, frame.absolute, context, [&](std::int64_t i, float* panel, std::int64_t lane) {
    return frame.round(points.point(i), dim_, panel + lane, width_);
  });
}

PackedPoints::PackedPoints(const Products& pairs, const LeadingPoints& points, std::int64_t coordinates, const std::vector<std::int32_t>& order, const Frame& frame,
                           const Context& context)
    : count_(points.count()), dim_(coordinates + 1), width_(pairs.panel_width) {
  pack(points.relative(), frame.absolute, context, [&](std::int64_t i, float* panel, std::int64_t lane) {
    const float* from = points.point(order[i]);
    for (std::int64_t c = 0; c < coordinates; ++c) panel[c * width_ + lane] = from[c];
    panel[coordinates * width_ + lane] = points.rest(order[i], coordinates);
    return points.square(order[i]);
  });
}

RoundedPoints::RoundedPoints(const PointsView& points, const Frame& frame, const Context& context)
    : dim_(points.dim), at_(memory_.take<float>(points.count * points.dim)), squares_(static_cast<std::size_t>(points.count)) {
  parallel_for(pieces(points.count), context.threads, [&](std::int64_t p) {
    for (std::int64_t i = p * piece; i < std::min(points.count, (p + 1) * piece); ++i)
      squares_[i] = frame.round(points.point(i), dim_, at_ + i * dim_, 1);
  });
}

ProductTile product_tile(const Products& pairs, const PackedPoints& rows, std::int64_t row, const PackedPoints& columns, std::int64_t column,
                         Workspace& scratch) {
  constexpr std::int64_t block = ProductTile::block;
  const std::int64_t row_count = std::min(block, rows.count() - row), width = columns.panel_width();
  const std::int64_t panels = (std::min(block, columns.count() - column) + width - 1) / width;
  auto* tile = scratch.take<float>(block * ProductTile::stride);
  pairs.products(rows.panel(row), row_count, columns.panel(column), panels, rows.dim(), tile, ProductTile::stride);
  return {tile, row, row_count, column, panels * width};
}

}  // namespace calor::kernels
