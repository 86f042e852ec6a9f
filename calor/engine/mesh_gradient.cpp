#include "calor/engine/mesh_gradient.h"

#include <Eigen/Geometry>
#include <algorithm>
#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::engine {

namespace {

using Point = Eigen::Vector3d;

Point point(const io::Mesh& mesh, std::int64_t node) { return Eigen::Map<const Point>(mesh.points.data() + 3 * node); }

// The inverse of [a b; b c] + r, both eigenvalues at least 0; a direction whose eigenvalue is rounding alone is left out.
Eigen::Matrix2d inverse(double a, double b, double c, double r) {
  constexpr double rounding = 1e-13;
  const double mean = (a + c) / 2, half = std::hypot((a - c) / 2, b), large = mean + half, small = std::max(0.0, mean - half);
  if (large + r <= 0) return Eigen::Matrix2d::Zero();
  const double angle = std::atan2(2 * b, a - c) / 2;
  const Eigen::Vector2d along(std::cos(angle), std::sin(angle)), across(-along.y(), along.x());
  const double other = small > rounding * large || r > 0 ? 1 / (small + r) : 0;
  return along * along.transpose() / (large + r) + across * across.transpose() * other;
}

}  // namespace

TangentFrames tangent_frames(const io::Mesh& mesh) {
  const std::int64_t nodes = mesh.nodes();
  TangentFrames frames{Matrix(nodes, 3), Matrix(nodes, 3), Matrix::Zero(nodes, 3)};
  for (std::size_t f = 0; f < mesh.triangles.size(); f += 3) {
    const std::int32_t a = mesh.triangles[f], b = mesh.triangles[f + 1], c = mesh.triangles[f + 2];
    const Point normal = (point(mesh, b) - point(mesh, a)).stableNormalized().cross((point(mesh, c) - point(mesh, a)).stableNormalized()).stableNormalized();
    for (const std::int32_t corner : {a, b, c}) frames.normal.row(corner) += normal;
  }
  for (std::int64_t i = 0; i < nodes; ++i) {
    constexpr double cancelled = 1e-12;
    const Point sum = frames.normal.row(i), normal = sum.norm() > cancelled ? Point(sum.normalized()) : Point(Point::UnitZ());
    const Point axis = std::abs(normal.x()) < 0.9 ? Point::UnitX() : Point::UnitY();
    const Point x = (axis - axis.dot(normal) * normal).normalized();
    frames.normal.row(i) = normal;
    frames.x.row(i) = x;
    frames.y.row(i) = normal.cross(x);
  }
  return frames;
}

MeshGradient mesh_gradient(const io::Mesh& mesh, const TangentFrames& frames, const Csr& neighbours, double regularisation, const Context& context) {
  const std::int64_t nodes = mesh.nodes();
  require(frames.x.rows() == nodes && neighbours.rows == nodes && neighbours.columns == nodes, Fault::usage,
          "[gradient] expected frames and neighbours of {}, found {} and {}",
          counted(nodes, "point"), frames.x.rows(), neighbours.rows);
  require(regularisation >= 0, Fault::usage, "[gradient] expected a regularisation of at least 0, found {}", regularisation);
  const Reservation reservation = context.memory.reserve(2 * 12 * static_cast<std::uint64_t>(neighbours.edges() + nodes), "gradient",
                                                         fmt::format("a mesh of {}", counted(nodes, "point")),
                                                         "use a coarser mesh, or raise --max-memory");
  MeshGradient result;
  for (Csr* part : {&result.x, &result.y}) part->rows = part->columns = nodes;
  std::vector<std::int32_t> columns;
  std::vector<Eigen::Vector2d> ways;
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (i % 65536 == 0) context.check_stop("gradient");
    const auto self = static_cast<std::int32_t>(i);
    columns.assign(neighbours.column.begin() + neighbours.begin[i], neighbours.column.begin() + neighbours.begin[i + 1]);
    if (const auto at = std::ranges::lower_bound(columns, self); !columns.empty() && (at == columns.end() || *at != self)) columns.insert(at, self);
    ways.clear();
    double a = 0, b = 0, c = 0;
    for (const std::int32_t j : columns) {
      const Point way = point(mesh, j) - point(mesh, i);
      ways.emplace_back(way.dot(Point(frames.x.row(i))), way.dot(Point(frames.y.row(i))));
      a += ways.back().x() * ways.back().x();
      b += ways.back().x() * ways.back().y();
      c += ways.back().y() * ways.back().y();
    }
    const Eigen::Matrix2d solve = inverse(a, b, c, regularisation);
    Eigen::Vector2d sum = Eigen::Vector2d::Zero();
    std::size_t own = 0;
    for (std::size_t e = 0; e < columns.size(); ++e) {
      const Eigen::Vector2d value = solve * ways[e];
      sum += value;
      if (columns[e] == self) own = result.x.values.size();
      result.x.values.push_back(value.x());
      result.y.values.push_back(value.y());
    }
    if (!columns.empty()) {
      result.x.values[own] = -sum.x();
      result.y.values[own] = -sum.y();
    }
    result.x.column.insert(result.x.column.end(), columns.begin(), columns.end());
    result.x.begin.push_back(result.x.edges());
  }
  result.y.column = result.x.column;
  result.y.begin = result.x.begin;
  return result;
}

}  // namespace calor::engine
