#include "calor/learn/propagator/propagator.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/engine/passes.h"

namespace calor::learn {

using engine::Matrix;
using engine::Similarity;
using engine::Vector;

namespace {

void check_finite_predictions(const Matrix& found) {
  for (Eigen::Index i = 0; i < found.rows(); ++i)
    require(found.row(i).allFinite(), Fault::input,
            "[predict] expected finite predictions, found NaN in row {}: its features are too large for the model's units, or the model file is damaged", i + 1);
}

Similarity similarity_to(const std::shared_ptr<const Matrix>& keys, const std::shared_ptr<const Matrix>& points, double temperature) {
  Similarity record;
  record.score = {engine::Score::Kind::power_distance, 2, engine::Metric::euclidean};
  record.rows = points->rows();
  record.columns = keys->rows();
  record.row_points = points;
  record.column_points = keys;
  record.strengthen.kind = engine::Strengthen::Kind::exponential;
  record.strengthen.scale = Vector::Constant(1, 1 / temperature);
  return record;
}

}  // namespace

Matrix Propagator::embed(const Matrix& points) const {
  const Matrix z = (points.rowwise() - offset.row(0)) * projection;
  const Matrix hidden = ((z * first.transpose()).rowwise() + first_bias.row(0)).cwiseMax(0);
  return z * residual.transpose() + hidden * second.transpose();
}

Vector log_key_density(const Matrix& keys, double temperature, const Context& context) {
  const auto shared = std::make_shared<const Matrix>(keys);
  Vector result = log_row_sums(among_columns(similarity_to(shared, shared, temperature)), context);
  for (double& value : result)
    if (!std::isfinite(value)) value = 0;  // a single key
  return result;
}

Propagated propagate(const Propagator& model, const Matrix& points, std::int64_t evidence, const Context& context) {
  Similarity record = similarity_to(std::make_shared<const Matrix>(model.keys), std::make_shared<const Matrix>(model.embed(points)),
                                    model.temperature);
  record.log_column = -model.alpha * model.log_density;
  record.column_rows = std::make_shared<const std::vector<std::int64_t>>(model.rows);
  Propagated result;
  if (evidence > 0) {
    Similarity normalised = record;
    normalised.log_row = -log_row_sums(record, context);
    result.evidence = engine::evidence(normalised, {}, evidence, context);
  }
  if (model.measured()) {
    const double middle = model.targets.mean();  // averaged about it, so that a common offset costs no digits
    result.values = (row_means(record, Matrix(model.targets.array() - middle), context).col(0).array() + middle).matrix();
    check_finite_predictions(result.values);
    return result;
  }
  Matrix votes = Matrix::Zero(model.keys.rows(), static_cast<Eigen::Index>(model.classes.size()));
  for (std::size_t j = 0; j < model.labels.size(); ++j) votes(static_cast<Eigen::Index>(j), model.labels[j]) = 1;
  result.probability = row_means(record, votes, context);
  check_finite_predictions(result.probability);
  return result;
}

}  // namespace calor::learn
