#include "calor/engine/fuzzy_means.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <vector>

#include "calor/core/threads.h"
#include "calor/engine/record.h"
#include "calor/engine/values.h"
#include "calor/kernels/packed_doubles.h"

namespace calor::engine {
namespace {

constexpr std::int64_t piece = 256;

std::shared_ptr<const Matrix> borrowed(const Matrix& matrix) { return {std::shared_ptr<const void>(), &matrix}; }

// Squared distances of all points to all centres, some rows at a time.
class Distances {
 public:
  Distances(const Matrix& points, const Matrix& centres) {
    record_.rows = points.rows();
    record_.columns = centres.rows();
    record_.row_points = borrowed(points);
    record_.column_points = borrowed(centres);
    record_.score = {Score::Kind::power_distance, 2, Metric::euclidean};
    tiles_.emplace(record_);
  }
  void rows(std::int64_t first, std::int64_t count, Matrix& squares) const {
    tiles_->scores(first, count, 0, record_.columns, squares);
    squares = -squares;
  }

 private:
  Similarity record_;
  std::optional<TileScores> tiles_;
};

// Squared distances become memberships.  Relative to the nearest centre, so that what underflows is nothing beside it.
void share(Matrix& squares, double power) {
  for (Eigen::Index i = 0; i < squares.rows(); ++i) {
    auto row = squares.row(i).array();
    const double least = row.minCoeff();
    if (least > 0) row = least / row;
    else row = (row == least).cast<double>();
  }
  if (power != 2) {
    squares = squares.array().log() * (power / 2);
    kernels::exponentials(squares.data(), squares.size());
  }
  squares.array().colwise() /= squares.rowwise().sum().array().eval();
}

void to_power(Matrix& values, double exponent) {
  if (exponent == 2) values = values.array().square();
  else if (exponent != 1) values = values.array().pow(exponent);
}

}  // namespace

Matrix memberships(const Matrix& points, const Matrix& centres, double power, const Context& context, double* objective) {
  const std::int64_t n = points.rows(), pieces = (n + piece - 1) / piece;
  const Distances distances(points, centres);
  Matrix result(n, centres.rows());
  std::vector<double> parts(static_cast<std::size_t>(pieces), 0);
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    context.check_stop("memberships");
    const std::int64_t first = p * piece, count = std::min(piece, n - first);
    Matrix squares, shares;
    distances.rows(first, count, squares);
    shares = squares;
    share(shares, power);
    result.middleRows(first, count) = shares;
    if (!objective) return;
    to_power(shares, 1 + 2 / power);
    parts[p] = (shares.array() * squares.array()).sum();
  });
  if (objective) {
    *objective = 0;
    for (const double part : parts) *objective += part;
  }
  return result;
}

Matrix fuzzy_step(const Matrix& points, const Matrix& centres, double power, double exponent, const Context& context) {
  const std::int64_t n = points.rows(), k = centres.rows(), pieces = (n + piece - 1) / piece, parts = std::min<std::int64_t>(32, pieces);
  const Distances distances(points, centres);
  std::vector<Matrix> sums(static_cast<std::size_t>(parts));
  std::vector<Vector> weights(static_cast<std::size_t>(parts));
  parallel_for(parts, context.threads, [&](std::int64_t part) {
    Matrix& sum = sums[part];
    sum = Matrix::Zero(k, points.cols());
    weights[part] = Vector::Zero(k);
    Matrix shares;
    for (std::int64_t p = part * pieces / parts; p < (part + 1) * pieces / parts; ++p) {
      context.check_stop("repeat");
      const std::int64_t first = p * piece, count = std::min(piece, n - first);
      distances.rows(first, count, shares);
      share(shares, power);
      to_power(shares, exponent);
      sum.noalias() += shares.transpose() * points.middleRows(first, count);
      weights[part] += shares.colwise().sum().transpose();
    }
  });
  for (std::size_t part = 1; part < sums.size(); ++part) {
    sums[0] += sums[part];
    weights[0] += weights[part];
  }
  Matrix next = centres;
  for (std::int64_t c = 0; c < k; ++c)
    if (weights[0][c] > 0) next.row(c) = sums[0].row(c) / weights[0][c];
  return next;
}

std::optional<double> meeting_exponent(const Matrix& points, const Context& context) {
  const std::int64_t n = points.rows(), d = points.cols(), pieces = (n + piece - 1) / piece;
  const Eigen::RowVectorXd mean = points.colwise().mean();
  Vector direction = Vector::Ones(d).normalized();
  direction[0] += 0.5;  // not at right angles to a symmetric cloud's axes
  double largest = 0;
  constexpr int most_steps = 1000;
  for (int step = 0; step < most_steps; ++step) {
    context.check_stop("memberships");
    Matrix parts = Matrix::Zero(pieces, d);
    parallel_for(pieces, context.threads, [&](std::int64_t p) {
      for (std::int64_t i = p * piece; i < std::min(n, (p + 1) * piece); ++i) {
        const Eigen::RowVectorXd y = points.row(i) - mean;
        const double square = y.squaredNorm();
        if (square > 0) parts.row(p) += (y.dot(direction) / square) * y;
      }
    });
    const Vector next = parts.colwise().sum().transpose() / static_cast<double>(n);
    const double before = largest;
    largest = next.norm() / direction.norm();
    if (!(largest > 0)) return std::nullopt;
    direction = next / next.norm();
    if (std::abs(largest - before) <= 1e-6 * largest) break;
  }
  return largest < 0.5 ? std::optional(1 / (1 - 2 * largest)) : std::nullopt;
}

}  // namespace calor::engine
