#include "calor/engine/leading_directions.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "calor/core/random.h"
#include "calor/engine/matrix.h"
#include "calor/engine/solve/dense.h"
#include "calor/kernels/screened_points.h"

namespace calor::engine {
namespace {

using kernels::LeadingDirections;
using kernels::PointsView;

constexpr std::int64_t sampled_columns = 1024, sampled_rows = 48;
constexpr std::int64_t ordering = 16;      // coordinates where none are screened by
constexpr std::int64_t step = 8;           // between numbers of coordinates that are tried
constexpr double long_search = 2e11;       // multiply-adds from which more directions are worth finding
constexpr std::int64_t most_in_short = 96, most_in_long = kernels::most_leading;

// What a search takes, in multiply-adds of a product tile: of a pair beside its product, of one that is multiplied in full and of its dimensions,
// of a coordinate of a point and of a sampled one for each dimension, in double.
constexpr double pair_cost = 20, whole_cost = 1200, whole_dim_cost = 2, coordinate_cost = 4, sample_cost = 40;

struct Sample {
  Matrix points;
  std::vector<std::int64_t> numbers;
};

// Every so many points, from `share` of the first step on.
Sample evenly(const PointsView& points, std::int64_t most, double share) {
  const std::int64_t count = std::min(points.count, most);
  Sample sample{Matrix(count, points.dim), {}};
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place = static_cast<std::int64_t>((static_cast<double>(i) + share) * static_cast<double>(points.count) / static_cast<double>(count));
    sample.numbers.push_back(points.number(place));
    sample.points.row(i) = Eigen::Map<const Eigen::RowVectorXd>(points.point(place), points.dim);
  }
  return sample;
}

// [dim][count], orthonormal columns, that of most spread first.
Eigen::MatrixXd spread_most(const Matrix& sample, std::int64_t count) {
  Random random(0, Purpose::noise);
  Eigen::MatrixXd directions = Eigen::MatrixXd::NullaryExpr(sample.cols(), count, [&] { return random.normal(); });
  for (int round = 0; round < 2; ++round) {
    const Eigen::MatrixXd along = sample * directions;
    directions = thin_qr(sample.transpose() * along).q;
  }
  const Eigen::MatrixXd along = sample * directions;
  return directions * symmetric_eigenpairs(along.transpose() * along).vectors.rowwise().reverse();
}

// The squared distance from which a pair is none that is sought, for a sampled row, its distances to the sampled columns and one of these.
using Limit = std::function<double(Eigen::Index row, const Vector& distances, Eigen::Index column)>;

// The shares of sampled pairs that `step`, 2 `step`, .. coordinates cannot tell from those that are sought.
std::vector<double> undecided(const Matrix& rows, const Matrix& columns, const Eigen::MatrixXd& directions, const Limit& limit) {
  const Matrix row_along = rows * directions, column_along = columns * directions, product = rows * columns.transpose();
  const Vector row_square = rows.rowwise().squaredNorm(), column_square = columns.rowwise().squaredNorm();
  const std::int64_t tried = directions.cols() / step;
  const auto rests = [&](const Matrix& along, const Vector& square) {  // lengths of what the first coordinates leave
    Matrix rest(along.rows(), tried);
    for (Eigen::Index i = 0; i < along.rows(); ++i)
      for (std::int64_t t = 0; t < tried; ++t) rest(i, t) = std::sqrt(std::max(0.0, square[i] - along.row(i).head((t + 1) * step).squaredNorm()));
    return rest;
  };
  const Matrix row_rest = rests(row_along, row_square), column_rest = rests(column_along, column_square);
  std::vector<double> shares(static_cast<std::size_t>(tried), 0.0);
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    const Vector distances = (column_square.array() + row_square[i] - 2 * product.row(i).transpose().array()).matrix();
    for (Eigen::Index j = 0; j < columns.rows(); ++j) {
      const double least = limit(i, distances, j);
      double along = 0;
      for (std::int64_t t = 0; t < tried; ++t) {
        along += row_along.row(i).segment(t * step, step).dot(column_along.row(j).segment(t * step, step));
        shares[t] += row_square[i] + column_square[j] - 2 * (along + row_rest(i, t) * column_rest(j, t)) <= least;
      }
    }
  }
  for (double& share : shares) share /= static_cast<double>(rows.rows() * columns.rows());
  return shares;
}

// limit_of(rows, columns, scale) for samples that were divided by the scale.  `symmetric`: a pair is one of two, and left by either's bound.
template <class LimitOf>
std::optional<LeadingDirections> chosen(const PointsView& row_points, const PointsView& column_points, bool unit, bool symmetric, const LimitOf& limit_of) {
  const std::int64_t dim = column_points.dim;
  const double pairs = static_cast<double>(row_points.count) * static_cast<double>(column_points.count) * (symmetric ? 0.5 : 1);
  const double width = static_cast<double>(dim), points = static_cast<double>(symmetric ? row_points.count : row_points.count + column_points.count);
  const std::int64_t most_directions = std::min(pairs * width < long_search ? most_in_short : most_in_long, dim / 2) / step * step;
  const double whole = pairs * (width + pair_cost), worth = 0.2 * whole;
  const double preparation = width * (static_cast<double>(sampled_columns * most_directions) * sample_cost + points * static_cast<double>(ordering) * coordinate_cost);
  if (dim <= kernels::most_own_coordinates || preparation > worth) return std::nullopt;
  // What the directions are found from and what they are tried on are different points: they hold the former better than others.
  Sample sample = evenly(column_points, sampled_columns, 0), columns = evenly(column_points, sampled_columns, 0.5), rows = evenly(row_points, sampled_rows, 0.25);
  const Eigen::RowVectorXd centre = unit ? Eigen::RowVectorXd::Zero(dim) : Eigen::RowVectorXd(sample.points.colwise().mean());
  double scale = 0;
  for (Sample* part : {&sample, &columns, &rows}) {
    part->points.rowwise() -= centre;
    scale = std::max(scale, part->points.cwiseAbs().maxCoeff());
  }
  if (!(scale > 0)) return std::nullopt;
  for (Sample* part : {&sample, &columns, &rows}) part->points /= scale;

  const Eigen::MatrixXd directions = spread_most(sample.points, most_directions);
  const std::vector<double> shares = undecided(rows.points, columns.points, directions, limit_of(rows, columns, scale));
  LeadingDirections result;
  result.count = std::min(ordering, most_directions);
  double least = whole - worth;
  for (std::int64_t count = step; count <= most_directions; count += step) {
    const double share = shares[static_cast<std::size_t>(count / step - 1)] * (symmetric ? 2 : 1);
    const double cost = pairs * (static_cast<double>(count + 1) + pair_cost + share * (whole_cost + whole_dim_cost * width)) +
                        coordinate_cost * points * static_cast<double>(count) * width;
    if (cost >= least) continue;
    least = cost;
    result.count = count;
    result.screen = true;
  }
  const Matrix kept = directions.leftCols(result.count).transpose();
  result.at.assign(kept.data(), kept.data() + kept.size());
  result.defect = (kept * kept.transpose() - Matrix::Identity(result.count, result.count)).norm() + static_cast<double>(result.count * (dim + 2)) * 0x1p-53;
  return result;
}

}  // namespace

std::optional<LeadingDirections> leading_directions(const kernels::NeighboursProblem& problem) {
  const bool symmetric = problem.rows.at == problem.columns.at && !problem.rows.listed && !problem.columns.listed;
  return chosen(problem.rows, problem.columns, problem.directions, symmetric, [&](const Sample& rows, const Sample& columns, double) {
    // The distance of the k-th of all, or of the nearest of a smaller sample.
    const std::int64_t k = std::max<std::int64_t>(1, (problem.k * columns.points.rows() + problem.columns.count - 1) / problem.columns.count);
    return [&, k, row = Eigen::Index{-1}, kth = 0.0](Eigen::Index i, const Vector& distances, Eigen::Index) mutable {
      if (i == std::exchange(row, i)) return kth;
      std::vector<double> others;
      for (Eigen::Index j = 0; j < distances.size(); ++j)
        if (!problem.leave_itself_out || rows.numbers[i] != columns.numbers[j]) others.push_back(distances[j]);
      if (others.empty()) return kth = 0.0;
      const auto at = others.begin() + std::min<std::int64_t>(k, static_cast<std::int64_t>(others.size())) - 1;
      std::nth_element(others.begin(), at, others.end());
      return kth = *at;
    };
  });
}

std::optional<LeadingDirections> leading_directions(const kernels::ClosePairsProblem& problem) {
  return chosen(problem.rows, problem.columns, problem.directions, false, [&](const Sample&, const Sample& columns, double scale) {
    return [&, scale](Eigen::Index, const Vector&, Eigen::Index j) { return problem.reach[columns.numbers[j]] / scale / scale; };
  });
}

}  // namespace calor::engine
