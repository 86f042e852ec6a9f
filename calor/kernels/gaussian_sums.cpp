#include "calor/kernels/gaussian_sums.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/threads.h"
#include "calor/kernels/block_order.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {
namespace {

constexpr std::int64_t rows_at_once = 16;  // a piece of parallel work

}  // namespace

GaussianSums::GaussianSums(const PointsView& points)
    : count_(points.count), dim_(points.dim), leaves_((points.count + leaf_size - 1) / leaf_size), order_(static_cast<std::size_t>(points.count)) {
  require(dim_ >= 1, Fault::usage, "[gaussian sums] expected points of at least one dimension, found {}", dim_);
  require(count_ <= INT32_MAX, Fault::usage, "[gaussian sums] expected at most {} points, found {}", INT32_MAX, count_);
  std::iota(order_.begin(), order_.end(), 0);
  order_in_blocks([&](std::int64_t i, std::int64_t c) { return points.point(i)[c]; }, dim_, leaf_size, order_, 0, count_);
  coordinates_.resize(static_cast<std::size_t>(leaves_ * dim_ * leaf_size));
  box_low_.resize(static_cast<std::size_t>(leaves_ * dim_));
  box_high_.resize(box_low_.size());
  for (std::int64_t leaf = 0; leaf < leaves_; ++leaf)
    for (std::int64_t c = 0; c < dim_; ++c) {
      double* column = &coordinates_[(leaf * dim_ + c) * leaf_size];
      for (std::int64_t lane = 0; lane < leaf_size; ++lane)  // the last leaf is filled up with its last point, at weight 0
        column[lane] = points.point(order_[std::min(leaf * leaf_size + lane, count_ - 1)])[c];
      const auto [low, high] = std::minmax_element(column, column + leaf_size);
      box_low_[c * leaves_ + leaf] = *low;
      box_high_[c * leaves_ + leaf] = *high;
    }
}

std::vector<double> GaussianSums::in_leaves(const double* values) const {
  std::vector<double> found(static_cast<std::size_t>(leaves_ * leaf_size), 0.0);
  for (std::int64_t i = 0; i < count_; ++i) found[i] = values[order_[i]];
  return found;
}

GaussianSums::Rows GaussianSums::flow(const PointsView& rows, const double* weight, const double* h, const double* h_rows, double epsilon,
                                      const Context& context) const {
  require(rows.dim == dim_, Fault::usage, "[gaussian sums] expected rows of {} coordinates, found {}", dim_, rows.dim);
  require(epsilon > 0 && std::isfinite(epsilon), Fault::usage, "[gaussian sums] expected a positive eps, found {}", epsilon);
  const auto kernel = current_isa().gaussian().gaussian_row;
  const std::vector<double> weights = in_leaves(weight), values = in_leaves(h);
  const double farthest = 2 * epsilon * cut;
  Rows result;
  result.total.resize(static_cast<std::size_t>(rows.count));
  result.flow.resize(static_cast<std::size_t>(rows.count));
  parallel_for((rows.count + rows_at_once - 1) / rows_at_once, context.threads, [&](std::int64_t piece) {
    context.check_stop("gaussian sums");
    std::vector<double> distance(static_cast<std::size_t>(leaves_));
    std::vector<std::int32_t> near(static_cast<std::size_t>(leaves_));
    for (std::int64_t i = piece * rows_at_once; i < std::min(rows.count, (piece + 1) * rows_at_once); ++i) {
      const double* x = rows.point(i);
      std::fill(distance.begin(), distance.end(), 0.0);
      for (std::int64_t c = 0; c < dim_; ++c) {
        const double *low = box_low_.data() + c * leaves_, *high = box_high_.data() + c * leaves_;
        for (std::int64_t leaf = 0; leaf < leaves_; ++leaf) {
          const double beyond = std::max(0.0, std::max(low[leaf] - x[c], x[c] - high[leaf]));
          distance[leaf] += beyond * beyond;
        }
      }
      std::int64_t found = 0;
      for (std::int64_t leaf = 0; leaf < leaves_; ++leaf) {
        near[found] = static_cast<std::int32_t>(leaf);
        found += distance[leaf] <= farthest;
      }
      double sum[2];
      kernel(x, dim_, -0.5 / epsilon, h_rows[i], near.data(), found, coordinates_.data(), weights.data(), values.data(), sum);
      result.total[i] = sum[0];
      result.flow[i] = sum[1];
    }
  });
  return result;
}

std::vector<double> GaussianSums::total(const PointsView& rows, const double* weight, double epsilon, const Context& context) const {
  const std::vector<double> nothing(static_cast<std::size_t>(rows.count), 0.0);
  return flow(rows, weight, weight, nothing.data(), epsilon, context).total;  // of any function
}

}  // namespace calor::kernels
