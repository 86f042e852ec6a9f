#include "calor/learn/data/point_map.h"

#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/engine/solve/dense.h"
#include "calor/learn/data/standardisation.h"

namespace calor::learn {

using engine::Matrix;
using engine::Vector;

std::string_view name_of(Preprocessing preprocessing) {
  switch (preprocessing) {
    case Preprocessing::as_given: return "as it is";
    case Preprocessing::standardised: return "standardised";
    case Preprocessing::whitened: return "whitened";
    case Preprocessing::untouched: return "untouched";
  }
  fail(Fault::internal, "[compare] expected a preprocessing, found {}", static_cast<int>(preprocessing));
}

bool possible(Preprocessing preprocessing, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t most_columns = 1024;  // eigenvectors take columns^3
  return preprocessing != Preprocessing::whitened || (columns >= 2 && columns <= most_columns && rows >= 2 * columns);
}

namespace {

// One over it; 0 for 0: a column without spread becomes zeros.
Vector inverse(const Vector& spread) {
  return spread.unaryExpr([](double value) { return std::isfinite(1 / value) ? 1 / value : 0.0; });
}

// The principal axes of standardised columns, each divided by its deviation.  Starting from standardised columns leaves the result as it would
// be from any unit of the columns.
Eigen::MatrixXd whitening(const Matrix& standardised) {
  const engine::SymmetricPairs pairs =
      engine::symmetric_eigenpairs(Eigen::MatrixXd(standardised.transpose() * standardised) / static_cast<double>(standardised.rows()));
  const Eigen::VectorXd& variance = pairs.values;
  const double least = variance[variance.size() - 1] * static_cast<double>(variance.size()) * std::numeric_limits<float>::epsilon();
  Eigen::Index first = 0;
  while (first + 1 < variance.size() && variance[first] <= least) ++first;
  const Eigen::Index kept = variance.size() - first;
  return pairs.vectors.rightCols(kept) * variance.tail(kept).cwiseMax(least).cwiseSqrt().cwiseInverse().asDiagonal();
}

}  // namespace

PointMap::PointMap(Preprocessing preprocessing, const Matrix& train) {
  if (preprocessing == Preprocessing::untouched) return;
  const Standardisation fit = fit_standardisation(train);
  mean_ = Eigen::Map<const Vector>(fit.mean.data(), train.cols());
  const Eigen::Map<const Vector> deviation(fit.deviation.data(), train.cols());
  if (preprocessing == Preprocessing::as_given) {
    const double largest = deviation.maxCoeff();  // first: squares of 1e-200 are 0
    const double spread = largest > 0 ? largest * std::sqrt((deviation / largest).squaredNorm() / static_cast<double>(train.cols())) : 0;
    scale_ = inverse(Vector::Constant(train.cols(), spread));
    return;
  }
  scale_ = inverse(deviation);
  if (preprocessing == Preprocessing::whitened && deviation.maxCoeff() > 0) axes_ = whitening((*this)(train));
}

Matrix PointMap::operator()(const Matrix& points) const {
  if (mean_.size() == 0) return points;
  const Matrix scaled = (points.rowwise() - mean_.transpose()) * scale_.asDiagonal();
  return axes_.size() ? Matrix(scaled * axes_) : scaled;
}

}  // namespace calor::learn
