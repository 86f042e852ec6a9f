#include "calor/inspect/head.h"

#include <cmath>

#include "calor/core/error.h"
#include "calor/inspect/normalisers.h"

namespace calor::inspect {

Matrix AffineMap::operator()(const Matrix& tokens) const {
  Matrix mapped = tokens * weight.transpose();
  if (bias.size()) mapped.rowwise() += bias.transpose();
  return mapped;
}

AffineMap after_gain(const AffineMap& map, const Vector& gain, const Vector& offset) {
  AffineMap whole = map;
  if (offset.size()) {
    const Vector shift = map.weight * offset;
    whole.bias = map.bias.size() ? Vector(map.bias + shift) : shift;
  }
  whole.weight = map.weight * gain.asDiagonal();
  return whole;
}

Matrix LearnedMetric::operator()(const Matrix& tokens) const {
  const Matrix inner = hidden(tokens).array().tanh().matrix();
  return tokens + out(inner);
}

void rotate_by_position(Matrix& features, double base, bool inverse) {
  const Eigen::Index width = features.cols();
  for (Eigen::Index c = 0; c + 1 < width; c += 2) {
    const double frequency = std::pow(base, -static_cast<double>(c) / static_cast<double>(width));
    for (Eigen::Index p = 0; p < features.rows(); ++p) {
      const double angle = (inverse ? -1 : 1) * static_cast<double>(p) * frequency, cosine = std::cos(angle), sine = std::sin(angle);
      const double a = features(p, c), b = features(p, c + 1);
      features(p, c) = a * cosine - b * sine;
      features(p, c + 1) = a * sine + b * cosine;
    }
  }
}

Features features_of(const Head& head, const Matrix& tokens, const Context& context) {
  require(tokens.cols() == head.value.weight.cols(), Fault::input, "[inspect] expected tokens of {} columns for this head, found {}",
          head.value.weight.cols(), tokens.cols());
  Features features;
  features.value = head.value(tokens);
  if (head.learned_metric) {
    features.query = head.metric(tokens);
    features.key = features.query;
  } else {
    features.query = head.query(tokens);
    features.key = head.key(tokens);
  }
  if (head.rotary_base > 0) {
    rotate_by_position(features.query, head.rotary_base);
    rotate_by_position(features.key, head.rotary_base);
  }
  if (!head.normalise.empty()) add_factors(head, features, context);
  return features;
}

}  // namespace calor::inspect
