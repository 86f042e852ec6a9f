#include "calor/engine/heat_kernel_signature.h"

#include <cmath>

namespace calor::engine {

Matrix heat_kernel_signature(const Pairs& pairs, const Vector& times) {
  const Matrix left = (-pairs.values * times.transpose()).array().exp();
  return pairs.vectors.cwiseAbs2() * left;
}

Vector signature_times(std::int64_t count) {
  Vector times(count);
  for (std::int64_t i = 0; i < count; ++i) times[i] = std::pow(10.0, -2 + 2 * static_cast<double>(i) / static_cast<double>(count - 1));
  return times;
}

io::Mesh in_unit_ball(io::Mesh mesh) {
  Eigen::Map<Matrix> points(mesh.points.data(), mesh.nodes(), 3);
  const double largest = points.size() ? points.cwiseAbs().maxCoeff() : 0;
  if (!(largest > 0) || !std::isfinite(largest)) return mesh;
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (Eigen::Index k = 0; k < points.size(); ++k) points.data()[k] = std::ldexp(points.data()[k], -exponent);  // squares and sums then neither overflow nor vanish
  points.rowwise() -= points.colwise().mean().eval();
  const double radius = points.rowwise().norm().maxCoeff();
  if (radius > 0) points /= radius;
  return mesh;
}

}  // namespace calor::engine
