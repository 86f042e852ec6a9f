#include "calor/kernels/leading_points.h"

#include <algorithm>
#include <cmath>

#include "calor/core/threads.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::kernels {

LeadingPoints::LeadingPoints(const PointsView& points, const Frame& frame, const LeadingDirections& directions, const Context& context)
    : dim_(directions.count + 1), at_(memory_.take<float>(points.count * dim_)), squares_(static_cast<std::size_t>(points.count)),
      slack_(64 * static_cast<double>(points.dim + 8) * 0x1p-53 + 4 * directions.defect) {
  constexpr std::int64_t piece = 256;
  const double u = 0x1p-24, v = 0x1p-53, roundings = static_cast<double>(directions.count + 4) * u;
  relative_ = roundings / (1 - roundings) + 5 * u + 2 * slack_ + 8 * static_cast<double>(points.dim + 4) * v;
  const std::int64_t coordinates = directions.count;
  const PackedDoubles packed({directions.at.data(), coordinates, points.dim, nullptr}, nullptr, context);
  Context alone = context;
  alone.threads = 1;
  parallel_for((points.count + piece - 1) / piece, context.threads, [&](std::int64_t p) {
    context.check_stop("knn");
    const std::int64_t first = p * piece, count = std::min(piece, points.count - first);
    PointsView part = points;
    part.count = count;
    if (points.listed) part.listed += first;
    else part.at += first * points.dim;
    const PackedDoubles rows(part, frame.centre.data(), alone);
    std::vector<double> along(static_cast<std::size_t>(count * coordinates));
    products(rows, 0, count, packed, 0, coordinates, along.data(), coordinates);
    for (std::int64_t i = 0; i < count; ++i) {
      float* to = at_ + (first + i) * dim_;
      const double square = rows.square(i) * frame.scale * frame.scale;
      double rest = square * (1 + slack_);
      for (std::int64_t m = 0; m < coordinates; ++m) {
        const double z = along[i * coordinates + m] * frame.scale;
        to[m] = static_cast<float>(z);
        rest -= z * z;
      }
      to[coordinates] = square == 0 ? 0 : rounded_up(std::sqrt(std::max(0.0, rest)));
      squares_[first + i] = frame.directions && square == 0 ? frame.scale * frame.scale : square;
    }
  });
}

float LeadingPoints::rest(std::int64_t i, std::int64_t coordinates) const {
  const float* from = point(i);
  if (coordinates == dim_ - 1) return from[coordinates];
  double square = 0;
  for (std::int64_t c = coordinates; c < dim_; ++c) square += static_cast<double>(from[c]) * from[c];
  return square == 0 ? 0 : rounded_up(std::sqrt(square) * (1 + 0x1p-23));  // coordinates were rounded
}

}  // namespace calor::kernels
