#include "calor/analyse/principal.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/core/threads.h"
#include "calor/engine/solve/dense.h"

namespace calor::analyse {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Eigen::Map<const Matrix> map(const Points& points) { return {points.values, points.rows, points.columns}; }

// Sum over the rows x of (x - centre) (x - centre)' v, for each column v of `vectors`.  Pieces are added in order.
Matrix scatter_times(const Points& points, const Eigen::RowVectorXd& centre, const Matrix& vectors, const Context& context) {
  constexpr std::int64_t piece = 1024;
  const std::int64_t pieces = (points.rows + piece - 1) / piece;
  std::vector<Matrix> parts(static_cast<std::size_t>(pieces));
  parallel_for(pieces, context.threads, [&](std::int64_t p) {
    context.check_stop("picture");
    const std::int64_t first = p * piece, count = std::min(piece, points.rows - first);
    const Matrix part = map(points).middleRows(first, count).rowwise() - centre;
    parts[p] = part.transpose() * (part * vectors);
  });
  Matrix sum = Matrix::Zero(points.columns, vectors.cols());
  for (const Matrix& part : parts) sum += part;
  return sum;
}

Matrix orthonormal(const Matrix& vectors) {
  return engine::thin_qr(vectors).q;
}

}  // namespace

PrincipalAxes principal_axes(const Points& points, std::int64_t axes, const Context& context) {
  constexpr int most = 60;
  constexpr double settled = 1e-7;
  constexpr std::int64_t spare = 8;  // vectors beyond those asked for, which speed the iteration up
  PrincipalAxes result;
  result.columns = points.columns;
  result.axes = std::clamp<std::int64_t>(std::min(points.rows - 1, points.columns), 0, axes);
  const Eigen::RowVectorXd centre = points.rows ? Eigen::RowVectorXd(map(points).colwise().mean()) : Eigen::RowVectorXd::Zero(points.columns);
  result.centre.assign(centre.data(), centre.data() + centre.size());
  if (result.axes == 0) return result;

  const std::int64_t width = std::min(result.axes + spare, points.columns);
  Matrix basis = Matrix::Identity(points.columns, width);
  if (width < points.columns) {
    Random random(0, Purpose::weights);
    for (Eigen::Index e = 0; e < basis.size(); ++e) basis.data()[e] = random.normal();
    basis = orthonormal(basis);
  }
  Eigen::VectorXd values = Eigen::VectorXd::Zero(result.axes);
  for (int turn = 0; turn < most; ++turn) {
    const Matrix image = scatter_times(points, centre, basis, context);
    // Rayleigh and Ritz: the best vectors within the basis.
    const engine::SymmetricPairs pairs = engine::symmetric_eigenpairs(basis.transpose() * image);
    const Eigen::MatrixXd turned = pairs.vectors.rowwise().reverse();
    const Eigen::VectorXd now = pairs.values.reverse().head(result.axes).cwiseMax(0);
    const bool done = width == points.columns || (now - values).cwiseAbs().maxCoeff() <= settled * now[0];
    values = now;
    basis = done ? Matrix(basis * turned) : orthonormal(image * turned);
    if (done) break;
  }
  double total = 0;
  for (std::int64_t i = 0; i < points.rows; ++i) total += (map(points).row(i) - centre).squaredNorm();
  for (std::int64_t a = 0; a < result.axes; ++a) {
    Eigen::VectorXd axis = basis.col(a);
    Eigen::Index greatest = 0;
    axis.cwiseAbs().maxCoeff(&greatest);
    if (axis[greatest] < 0) axis = -axis;
    result.axis.insert(result.axis.end(), axis.data(), axis.data() + axis.size());
    result.share.push_back(total > 0 ? values[a] / total : 0);
  }
  return result;
}

std::vector<double> project(const Points& points, const PrincipalAxes& axes) {
  require(points.columns == axes.columns, Fault::internal, "[picture] expected {} columns, found {}", axes.columns, points.columns);
  std::vector<double> result(static_cast<std::size_t>(points.rows * axes.axes));
  const Eigen::Map<const Matrix> axis(axes.axis.data(), axes.axes, axes.columns);
  const Eigen::Map<const Eigen::RowVectorXd> centre(axes.centre.data(), axes.columns);
  Eigen::Map<Matrix> coordinates(result.data(), points.rows, axes.axes);
  for (std::int64_t i = 0; i < points.rows; ++i) coordinates.row(i).noalias() = (map(points).row(i) - centre) * axis.transpose();
  return result;
}

}  // namespace calor::analyse
