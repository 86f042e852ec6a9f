#include "calor/engine/solve/class_probabilities.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace calor::engine {

double Sigmoid::at(double decision) const {
  const double exponent = a * decision + b;
  return exponent >= 0 ? std::exp(-exponent) / (1 + std::exp(-exponent)) : 1 / (1 + std::exp(exponent));
}

static double negative_log_likelihood(const std::vector<double>& decisions, const std::vector<double>& targets, double a, double b) {
  double sum = 0;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const double exponent = decisions[i] * a + b;
    sum += exponent >= 0 ? targets[i] * exponent + std::log1p(std::exp(-exponent)) : (targets[i] - 1) * exponent + std::log1p(std::exp(exponent));
  }
  return sum;
}

Sigmoid fit_sigmoid(const std::vector<double>& decisions, const std::vector<std::uint8_t>& first) {
  constexpr int most_steps = 100;
  constexpr double least_step = 1e-10, ridge = 1e-12, small_gradient = 1e-5, sufficient = 1e-4;
  const auto many = static_cast<double>(std::count(first.begin(), first.end(), 1)), few = static_cast<double>(first.size()) - many;
  const double high = (many + 1) / (many + 2), low = 1 / (few + 2);
  std::vector<double> targets;
  for (const std::uint8_t one : first) targets.push_back(one ? high : low);
  Sigmoid result{0, std::log((few + 1) / (many + 1))};
  double value = negative_log_likelihood(decisions, targets, result.a, result.b);
  for (int step = 0; step < most_steps; ++step) {
    double h11 = ridge, h22 = ridge, h21 = 0, g1 = 0, g2 = 0;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      const double p = result.at(decisions[i]), d2 = p * (1 - p), d1 = targets[i] - p;
      h11 += decisions[i] * decisions[i] * d2;
      h22 += d2;
      h21 += decisions[i] * d2;
      g1 += decisions[i] * d1;
      g2 += d1;
    }
    if (std::abs(g1) < small_gradient && std::abs(g2) < small_gradient) break;
    const double determinant = h11 * h22 - h21 * h21, da = -(h22 * g1 - h21 * g2) / determinant, db = -(-h21 * g1 + h11 * g2) / determinant;
    const double slope = g1 * da + g2 * db;
    double length = 1;
    for (; length >= least_step; length /= 2) {
      const Sigmoid next{result.a + length * da, result.b + length * db};
      const double found = negative_log_likelihood(decisions, targets, next.a, next.b);
      if (found >= value + sufficient * length * slope) continue;
      result = next;
      value = found;
      break;
    }
    if (length < least_step) break;
  }
  return result;
}

Vector couple(const Matrix& pairwise) {
  const Eigen::Index k = pairwise.rows();
  const double enough = 0.005 / static_cast<double>(k);
  const std::int64_t most = std::max<std::int64_t>(100, k);
  Matrix q = Matrix::Zero(k, k);
  for (Eigen::Index t = 0; t < k; ++t)
    for (Eigen::Index j = 0; j < k; ++j) {
      if (j == t) continue;
      q(t, t) += pairwise(j, t) * pairwise(j, t);
      q(t, j) = -pairwise(j, t) * pairwise(t, j);
    }
  Vector p = Vector::Constant(k, 1 / static_cast<double>(k));
  for (std::int64_t step = 0; step < most; ++step) {
    Vector qp = q * p;
    double pqp = p.dot(qp);
    if ((qp.array() - pqp).abs().maxCoeff() < enough) break;
    for (Eigen::Index t = 0; t < k; ++t) {
      const double difference = (pqp - qp[t]) / q(t, t);
      p[t] += difference;
      pqp = (pqp + difference * (difference * q(t, t) + 2 * qp[t])) / (1 + difference) / (1 + difference);
      qp = (qp + difference * q.col(t)) / (1 + difference);
      p /= 1 + difference;
    }
  }
  return p;
}

}  // namespace calor::engine
