#include "calor/engine/solve/start.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/dense.h"
#include "calor/engine/solve/eigenpairs.h"
#include "calor/engine/solve/krylov.h"
#include "calor/engine/solve/slow_modes.h"

namespace calor::engine {

namespace {

constexpr double loose = 1e-6;
constexpr std::int64_t few = 200;  // below, a dense decomposition

// The leading eigenvectors of a symmetric operator, loosely; as many as converged.
Matrix leading(std::int64_t n, std::int64_t count, const Product& product) {
  count = std::min(count, n);
  Eigen::MatrixXd vectors;
  if (n <= few || count + 2 >= n) {
    Eigen::MatrixXd dense(n, n);
    Vector unit = Vector::Zero(n);
    for (std::int64_t j = 0; j < n; ++j) {
      unit[j] = 1;
      product(unit.data(), dense.col(j).data());
      unit[j] = 0;
    }
    vectors = symmetric_eigenpairs((dense + dense.transpose()) / 2).vectors.rightCols(count).rowwise().reverse();
  } else {
    KrylovOptions options;
    options.basis = std::min(n, std::max<std::int64_t>(2 * count + 1, 40));
    options.most_restarts = 300;
    options.tolerance = loose;
    Random random(0, Purpose::weights);
    Vector start(n);
    for (double& x : start) x = random.normal();
    vectors = largest_symmetric(n, product, count, options, start).pairs.vectors;
  }
  Matrix result = Matrix::Zero(n, count);
  result.leftCols(vectors.cols()) = vectors;
  fix_signs(result);
  return result;
}

}  // namespace

Matrix principal_start(const Matrix& points, std::int64_t dims, const Context& context) {
  const std::int64_t n = points.rows(), d = points.cols();
  Matrix result = Matrix::Zero(n, dims);
  const std::int64_t count = std::min({dims, d, n - 1});
  if (count < 1) return result;
  const Eigen::RowVectorXd centre = points.colwise().mean();
  constexpr std::int64_t piece = 1024;
  const std::int64_t pieces = (n + piece - 1) / piece;
  const auto product = [&](const double* in, double* out) {
    context.check_stop("match");
    const Eigen::Map<const Vector> x(in, d);
    std::vector<Vector> parts(static_cast<std::size_t>(pieces));
    const double shift = centre.dot(x);
    parallel_for(pieces, context.threads, [&](std::int64_t p) {
      const auto rows = points.middleRows(p * piece, std::min(piece, n - p * piece));
      const Vector along = (rows * x).array() - shift;
      parts[p] = rows.transpose() * along - along.sum() * centre.transpose();
    });
    Eigen::Map<Vector> sum(out, d);
    sum.setZero();
    for (const Vector& part : parts) sum += part;
  };
  const Matrix axes = leading(d, count, product);
  result.leftCols(count) = points * axes;
  result.leftCols(count).rowwise() -= centre * axes;
  return result;
}

Matrix spectral_start(const Csr& graph, std::int64_t dims, const Context& context) {
  const std::int64_t n = graph.rows;
  const Components components = connected_components(graph);
  const auto members = components.members();
  std::vector<std::size_t> order(members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return members[a].size() > members[b].size(); });
  std::vector<std::int64_t> number(static_cast<std::size_t>(n));
  for (const auto& part : members)
    for (std::size_t m = 0; m < part.size(); ++m) number[part[m]] = static_cast<std::int64_t>(m);
  // As many cells an axis as hold all components.
  std::int64_t cells = 1;
  while (std::pow(static_cast<double>(cells), static_cast<double>(dims)) < static_cast<double>(components.count)) ++cells;
  Matrix result = Matrix::Zero(n, dims);
  for (std::size_t place = 0; place < order.size(); ++place) {
    const auto& part = members[order[place]];
    Matrix own = Matrix::Zero(static_cast<Eigen::Index>(part.size()), dims);
    if (part.size() > 1) {
      const Matrix found = slow_modes(graph, part, number, std::min<std::int64_t>(dims, std::ssize(part) - 1), context);
      own.leftCols(found.cols()) = found;
      const double most = own.cwiseAbs().maxCoeff();
      if (most > 0) own *= 0.9 / (most * static_cast<double>(cells));
    }
    for (std::int64_t c = 0, left = static_cast<std::int64_t>(place); c < dims; ++c, left /= cells)
      own.col(c).array() += (2 * static_cast<double>(left % cells) + 1) / static_cast<double>(cells) - 1;
    for (std::size_t m = 0; m < part.size(); ++m) result.row(part[m]) = own.row(static_cast<Eigen::Index>(m));
  }
  return result;
}

void shake(Matrix& points, double deviation, std::uint64_t seed) {
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    Random random(seed, Purpose::noise, static_cast<std::uint64_t>(i));
    for (Eigen::Index c = 0; c < points.cols(); ++c) points(i, c) += deviation * random.normal();
  }
}

void scale_to(Matrix& points, double deviation) {
  if (points.rows() == 0) return;
  points.rowwise() -= Eigen::RowVectorXd(points.colwise().mean());
  const double own = std::sqrt(points.col(0).squaredNorm() / static_cast<double>(points.rows()));
  if (own > 0) points *= deviation / own;
}

}  // namespace calor::engine
