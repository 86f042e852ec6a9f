#include "calor/inspect/lipschitz.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "calor/core/random.h"
#include "calor/engine/solve/dense.h"
#include "calor/inspect/rows.h"

namespace calor::inspect {

namespace {

constexpr std::int64_t most_tokens = 512;
constexpr int most_steps = 60;

double spectral_norm(const Matrix& matrix) { return engine::singular_values(matrix)[0]; }

// c e^(c+1) = N - 1 by Newton's method from above, where the function is convex.
double spread_bound(std::int64_t tokens) {
  const double target = static_cast<double>(tokens - 1);
  double c = std::log1p(target);
  for (int step = 0; step < 100; ++step) {
    const double power = std::exp(c + 1);
    c -= (c * power - target) / ((1 + c) * power);
  }
  return std::max(0.0, c);
}

void add_bound(const Head& head, std::int64_t tokens, Lipschitz& found) {
  if (head.pairing != Pairing::squared_distance) {
    found.no_bound = head.pairing == Pairing::dot ? "a dot product grows without limit, and so does its Jacobian" : "none is known for an additive score";
    return;
  }
  if (!head.normalise.empty()) {
    found.no_bound = "the density that its weights are divided by changes with the tokens";
    return;
  }
  const double c = spread_bound(tokens), n = static_cast<double>(tokens);
  double stretch = 0;
  if (head.learned_metric) {
    const double inner = spectral_norm(head.metric.hidden.weight) * spectral_norm(head.metric.out.weight);
    if (inner >= 1) {
      found.no_bound = fmt::format("phi may fold: the norms of its two weights multiply to {:.3g}, at least 1", inner);
      return;
    }
    stretch = spectral_norm(head.value.weight) * (1 + inner) / (1 - inner);
  } else {
    if (!head.query.weight.isApprox(head.key.weight)) {
      found.no_bound = "query and key are not tied";
      return;
    }
    const engine::SingularValues svd = engine::thin_svd(head.query.weight);
    const Eigen::VectorXd& sizes = svd.values;
    const Eigen::Index rank = (sizes.array() > 1e-10 * sizes[0]).count();
    const Eigen::MatrixXd seen = head.value.weight * svd.v.leftCols(rank);
    if ((head.value.weight - seen * svd.v.leftCols(rank).transpose()).norm() > 1e-9 * head.value.weight.norm()) {
      found.no_bound = "values differ in directions that the metric does not see";
      return;
    }
    stretch = spectral_norm(seen * sizes.head(rank).cwiseInverse().asDiagonal()) * sizes[0];
  }
  found.bound = stretch * (std::sqrt(n) * (1 + 2 * c) + 2 * c);
}

}  // namespace

HeadJacobian::HeadJacobian(const Head& head, const Matrix& tokens) : head_(head), features_(features_of(head, tokens)) {
  const Eigen::Index n = tokens.rows();
  weights_ = AttentionRows(head, features_, true, Context()).apply(Matrix::Identity(n, n));
  output_ = weights_ * features_.value;
  if (head.learned_metric) inner_ = 1 - head.metric.hidden(tokens).array().tanh().square();
  if (head.pairing == Pairing::additive) {
    slopes_.resize(n, n);
    for (Eigen::Index i = 0; i < n; ++i)
      for (Eigen::Index j = 0; j < n; ++j) slopes_(i, j) = head.scale * (features_.query(i, 0) + features_.key(j, 0) > 0 ? 1 : Head::leak);
  }
}

Matrix HeadJacobian::forward(const Matrix& change) const {
  Matrix query, key;
  if (head_.learned_metric) {
    const Matrix hidden = (change * head_.metric.hidden.weight.transpose()).cwiseProduct(inner_);
    query = key = change + hidden * head_.metric.out.weight.transpose();
  } else {
    query = change * head_.query.weight.transpose();
    key = change * head_.key.weight.transpose();
    if (head_.rotary_base > 0) {
      rotate_by_position(query, head_.rotary_base);
      rotate_by_position(key, head_.rotary_base);
    }
  }
  Matrix scores;
  if (head_.pairing == Pairing::additive) {
    scores = slopes_.cwiseProduct(Matrix(query * Eigen::RowVectorXd::Ones(slopes_.cols()) + Eigen::VectorXd::Ones(slopes_.rows()) * key.transpose()));
  } else {
    scores = head_.product_factor() * (query * features_.key.transpose() + features_.query * key.transpose());
    if (head_.pairing == Pairing::squared_distance)
      scores.rowwise() -= Eigen::RowVectorXd(2 * head_.scale * features_.key.cwiseProduct(key).rowwise().sum().transpose());
  }
  const Matrix moved = weights_.cwiseProduct(scores);
  Matrix result = weights_ * (change * head_.value.weight.transpose()) + moved * features_.value;
  result -= Vector(moved.rowwise().sum()).asDiagonal() * output_;
  return result;
}

Matrix HeadJacobian::backward(const Matrix& gradient) const {
  Matrix scores = gradient * features_.value.transpose();
  scores.colwise() -= Vector(gradient.cwiseProduct(output_).rowwise().sum());
  scores = scores.cwiseProduct(weights_);
  Matrix query, key;
  if (head_.pairing == Pairing::additive) {
    scores = scores.cwiseProduct(slopes_);
    query = scores.rowwise().sum();
    key = scores.colwise().sum().transpose();
  } else {
    query = head_.product_factor() * (scores * features_.key);
    key = head_.product_factor() * (scores.transpose() * features_.query);
    if (head_.pairing == Pairing::squared_distance)
      key -= 2 * head_.scale * (Vector(scores.colwise().sum().transpose()).asDiagonal() * features_.key);
  }
  Matrix result = (weights_.transpose() * gradient) * head_.value.weight;
  if (head_.learned_metric) {
    const Matrix both = query + key;
    const Matrix hidden = (both * head_.metric.out.weight).cwiseProduct(inner_);
    return result + both + hidden * head_.metric.hidden.weight;
  }
  if (head_.rotary_base > 0) {
    rotate_by_position(query, head_.rotary_base, true);
    rotate_by_position(key, head_.rotary_base, true);
  }
  return result + query * head_.query.weight + key * head_.key.weight;
}

Lipschitz lipschitz_of(const Head& head, const Matrix& tokens, const Context& context) {
  Lipschitz found;
  found.tokens = std::min<std::int64_t>(most_tokens, tokens.rows());
  add_bound(head, tokens.rows(), found);
  const Matrix judged = tokens.topRows(found.tokens);
  const HeadJacobian jacobian(head, judged);
  Random random(0, Purpose::weights, 1);
  Matrix direction(judged.rows(), judged.cols());
  for (Eigen::Index i = 0; i < direction.size(); ++i) direction.data()[i] = random.normal();
  double before = 0;
  for (int step = 0; step < most_steps; ++step) {
    context.check_stop("inspect");
    direction /= direction.norm();
    const Matrix image = jacobian.forward(direction);
    found.measured = image.norm();
    found.converged = std::abs(found.measured - before) <= 1e-3 * found.measured;
    if (found.measured == 0 || (found.converged && step > 3)) break;
    before = found.measured;
    direction = jacobian.backward(image);
  }
  return found;
}

}  // namespace calor::inspect
