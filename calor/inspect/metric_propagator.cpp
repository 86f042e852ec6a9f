// What `calor train --model propagator` saved (docs/formats/model.md), as one head on points that its metric has mapped:
//
//   z = (x - offset) projection,  y = R z + W2 relu(W1 z + b1),  S_ij = exp(-temperature |y_i - y_j|^2) (q_i q_j)^-alpha over its row sums
//
// and what flows is y: a step of mean shift under the metric.  Without --tokens the points are its training rows.  q is the sum over all tokens shown, each itself included,
// where the model leaves a training row out of its own.
#include <nlohmann/json.hpp>

#include "calor/core/error.h"
#include "calor/inspect/model.h"
#include "calor/inspect/rows.h"
#include "calor/inspect/weights.h"

namespace calor::inspect {
namespace {

class MetricPropagator : public Model {
 public:
  explicit MetricPropagator(const std::string& path);
  std::string kind() const override { return "calor propagator"; }
  std::int64_t layers() const override { return 1; }
  std::int64_t heads() const override { return 1; }
  io::LoadOptions token_options() const override;
  Activations run(const Tokens& tokens, const Context& context) const override;

 private:
  Matrix mapped(const Matrix& points) const;

  io::Coding coding_;
  Matrix offset_, projection_, residual_, first_, first_bias_, second_;
  Matrix keys_;  // mapped training rows
  Head head_;
};

MetricPropagator::MetricPropagator(const std::string& path) try {
  const Weights weights(path);
  const auto& metadata = weights.content().metadata;
  const auto found = metadata.find("features");
  require(found != metadata.end() && metadata.contains("schema") && metadata.at("schema") == "1", Fault::input,
          "[inspect] expected a propagator of `calor train --save` of schema 1 with the names of its features, found another ({})", path);
  const auto features = nlohmann::json::parse(found->second).get<std::vector<std::string>>();
  coding_ = metadata.contains("coding") ? io::parse_coding(metadata.at("coding"), path) : io::numbers_named(features);
  const auto columns = static_cast<std::int64_t>(features.size());
  projection_ = weights.matrix("metric.projection", columns);
  const std::int64_t width = projection_.cols();
  offset_ = weights.matrix("metric.offset", 1, columns);
  residual_ = weights.matrix("metric.residual", width, width);
  first_ = weights.matrix("metric.first", -1, width);
  first_bias_ = weights.matrix("metric.first_bias", 1, first_.rows());
  second_ = weights.matrix("metric.second", width, first_.rows());
  keys_ = weights.matrix("keys.values", -1, width);
  const Matrix scalars = weights.matrix("temperature_and_alpha", 1, 2);
  head_.pairing = Pairing::squared_distance;
  head_.scale = scalars(0, 0);
  head_.query = head_.key = head_.value = {Matrix::Identity(width, width), {}};
  head_.normalise.push_back({Normaliser::Kind::two_side, scalars(0, 1)});
} catch (const nlohmann::json::exception& error) {
  fail(Fault::input, "[inspect] expected metadata of a saved model, found {} ({})", error.what(), path);
}

io::LoadOptions MetricPropagator::token_options() const {
  io::LoadOptions options;
  options.coding = coding_;
  return options;
}

Matrix MetricPropagator::mapped(const Matrix& points) const {
  const Matrix z = (points.rowwise() - offset_.row(0)) * projection_;
  const Matrix hidden = ((z * first_.transpose()).rowwise() + first_bias_.row(0)).cwiseMax(0.0);
  return z * residual_.transpose() + hidden * second_.transpose();
}

Activations MetricPropagator::run(const Tokens& tokens, const Context& context) const {
  require(!tokens.is_text, Fault::usage, "[inspect] expected rows of data for a propagator, found a text: give --tokens DATA");
  Matrix points = keys_;
  if (tokens.given()) {
    points = single_tensor(tokens);
    require(points.cols() == offset_.cols(), Fault::input, "[inspect] expected tokens of {} columns, found {} ({})", offset_.cols(), points.cols(), tokens.source);
    points = mapped(points);
  }
  Activations activations;
  activations.layers.push_back({points, points, {head_}});
  const Features features = features_of(head_, points, context);
  activations.last = AttentionRows(head_, features, true, context).apply(features.value);
  activations.names = tokens.names;
  activations.tokens = tokens.given() ? "rows of " + tokens.source : "the training rows, as its metric maps them";
  return activations;
}

}  // namespace

std::unique_ptr<Model> load_metric_propagator(const std::string& path) { return std::make_unique<MetricPropagator>(path); }

}  // namespace calor::inspect
