// Points as k-means looks at them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "calor/core/progress.h"
#include "calor/core/threads.h"
#include "calor/engine/matrix.h"
#include "calor/engine/other_blocks.h"
#include "calor/kernels/neighbours.h"
#include "calor/kernels/packed_centres.h"

namespace calor::engine {

// Points seen from a frame, (x - centre) scale: exactly, row by row, and as floats.
class Cloud {
 public:
  Cloud(const Matrix& points, kernels::Frame frame, const Context& context) : points_(points), frame_(std::move(frame)), rows_({points.data(), points.rows(), points.cols(), nullptr}, frame_, context) {}

  std::int64_t size() const { return points_.rows(); }
  std::int64_t dim() const { return points_.cols(); }
  const kernels::PackedRows& rows() const { return rows_; }
  // How far an estimate from float products may be off, for squares that sum to `squares`.
  double error(double squares) const { return frame_.relative * squares + frame_.absolute; }
  double scale() const { return frame_.scale; }

  void place(std::int64_t i, Vector& z) const {
    z.resize(dim());
    for (std::int64_t c = 0; c < dim(); ++c) z[c] = (points_(i, c) - frame_.centre[c]) * frame_.scale;
  }
  Matrix inside(const Matrix& points) const { return ((points.rowwise() - middle()) * frame_.scale); }
  Matrix outside(const Matrix& centres) const { return (centres / frame_.scale).rowwise() + middle(); }

  // visit(begin, end) for pieces of the points, from several threads.
  void for_pieces(const Context& context, const std::function<void(std::int64_t, std::int64_t)>& visit) const {
    constexpr std::int64_t piece = 256;
    parallel_for((size() + piece - 1) / piece, context.threads, [&](std::int64_t p) {
      context.check_stop("centres");
      visit(p * piece, std::min(size(), (p + 1) * piece));
    });
  }

 private:
  Eigen::Map<const Eigen::RowVectorXd> middle() const { return {frame_.centre.data(), dim()}; }

  const Matrix& points_;
  kernels::Frame frame_;
  kernels::PackedRows rows_;
};

}  // namespace calor::engine
