#include "calor/learn/propagator/propagator_start.h"

#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/solve/dense.h"
#include "calor/pipeline/bind.h"
#include "calor/pipeline/run.h"
#include "calor/recipes/recipes.h"

namespace calor::learn {
namespace {

using engine::Matrix;

std::shared_ptr<pipeline::Data> data_of(const PropagatorRows& rows, std::int64_t classes) {
  auto data = std::make_shared<pipeline::Data>();
  data->features = std::make_shared<const Matrix>(rows.points);
  data->labels = rows.labels;
  data->targets = rows.targets;
  for (std::int64_t c = 0; c < classes; ++c) data->classes.push_back(std::to_string(c));
  return data;
}

pipeline::Fit run(const char* text, std::shared_ptr<pipeline::Data> data, const Context& context) {
  return pipeline::fit(pipeline::bind_stages(pipeline::parse(text), recipes::all_stages()), std::move(data), 0, context);
}

// The leading principal axes of centred points, the greatest entry of each positive.
Eigen::MatrixXd principal_axes(const Matrix& points, std::int64_t components) {
  Eigen::MatrixXd axes = engine::symmetric_eigenpairs(points.transpose() * points).vectors.rightCols(components).rowwise().reverse();
  for (Eigen::Index c = 0; c < axes.cols(); ++c) {
    Eigen::Index at = 0;
    axes.col(c).cwiseAbs().maxCoeff(&at);
    if (axes(at, c) < 0) axes.col(c) = -axes.col(c);
  }
  return axes;
}

}  // namespace

static bool standardising_helps(const PropagatorRows& train, std::int64_t classes, const PropagatorOptions& options, const Context& context) {
  const std::int64_t rows = train.count(), count = std::min(rows, options.trial_rows);
  std::vector<std::int64_t> sample;
  for (std::int64_t i = 0; i < count; ++i) sample.push_back(i * rows / count);
  return run("standardise(loo)", data_of(train.those(sample), classes), context).result.figures.at("standardised") != 0;
}

StartingPoint starting_point(const PropagatorRows& train, std::int64_t classes, const PropagatorOptions& options, const Context& context) {
  StartingPoint start;
  start.chosen.standardised = standardising_helps(train, classes, options, context);
  const pipeline::Fit all = run("standardise", data_of(train, classes), context);
  const Matrix& by = all.kept.front().array("by");
  start.offset = by.row(0);
  start.projection = start.chosen.standardised ? Matrix(by.row(1).asDiagonal()) : Matrix(Matrix::Identity(train.points.cols(), train.points.cols()));
  PropagatorRows mapped = train;
  Matrix& z = mapped.points;
  z = (train.points.rowwise() - start.offset.row(0)) * start.projection;
  if (train.points.cols() > options.most_columns) {
    const Eigen::MatrixXd axes = principal_axes(z, options.components);
    start.projection = start.projection * axes;
    z = z * axes;
  }
  const double spread = std::sqrt(z.squaredNorm() / static_cast<double>(z.size()));
  require(spread > 0, Fault::input, "[train] expected training rows that differ, found all at one place");
  start.projection /= spread;
  z /= spread;
  const pipeline::Fit found = run("distance(2, to=train) | exp(loo) | two_side(loo, of=keys)", data_of(mapped, classes), context);
  start.chosen.temperature = 1 / found.result.figures.at("bandwidth");
  start.chosen.alpha = found.result.figures.at("alpha");
  start.chosen.likelihood = found.result.figures.at("leave_one_out");
  return start;
}

}  // namespace calor::learn
