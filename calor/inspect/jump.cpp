#include "calor/inspect/jump.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "calor/analyse/statistics.h"

namespace calor::inspect {

std::optional<SphereJump> sphere_jump(const Head& head, const Matrix& tokens) {
  if (head.pairing != Pairing::dot || head.query.weight.squaredNorm() == 0) return std::nullopt;
  constexpr double same_norm = 0.01, eps = 0.5;
  const Vector norms = tokens.rowwise().norm();
  const double radius = norms.mean();
  if (!(radius > 0) || (norms.array() - radius).abs().maxCoeff() > same_norm * radius) return std::nullopt;
  // Behind a layer normalisation every token has mean 0 as well: the sphere lies in that hyperplane.
  const bool centred = tokens.rowwise().mean().cwiseAbs().maxCoeff() < 1e-9 * radius;
  Matrix pull = head.scale * (head.query(tokens) * head.key.weight);
  if (centred) pull.colwise() -= Vector(pull.rowwise().mean());
  SphereJump jump;
  jump.radius = radius;
  jump.dimension = tokens.cols() - 1 - centred;
  std::vector<double> times, concentrations;
  for (Eigen::Index i = 0; i < tokens.rows(); ++i) {
    const double size = pull.row(i).norm();
    if (size == 0) continue;
    const double cosine = pull.row(i).dot(tokens.row(i)) / (size * norms[i]);
    jump.angle += std::acos(std::clamp(cosine, -1.0, 1.0)) * 180 / std::numbers::pi;
    times.push_back(eps / (size * radius));
    concentrations.push_back(size * radius);
    jump.in_regime += size * radius > static_cast<double>(jump.dimension);
  }
  if (times.empty()) return std::nullopt;
  jump.angle /= static_cast<double>(times.size());
  jump.in_regime /= static_cast<double>(times.size());
  jump.time = analyse::median(times);
  jump.concentration = analyse::median(concentrations);
  return jump;
}

std::optional<double> metric_epsilon(const Head& head, const Features& features) {
  if (head.pairing != Pairing::squared_distance) return std::nullopt;
  const auto n = static_cast<double>(features.key.rows());
  const double mean = 2 * (features.key.rowwise() - features.key.colwise().mean()).squaredNorm() / std::max(1.0, n - 1);
  if (!(mean > 0)) return std::nullopt;
  return 1 / (2 * head.scale) / mean;
}

}  // namespace calor::inspect
