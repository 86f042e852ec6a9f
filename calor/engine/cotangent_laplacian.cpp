#include <Eigen/Geometry>
#include <algorithm>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/engine/mesh_laplacian.h"

namespace calor::engine {

MeshLaplacian cotangent_laplacian(const io::Mesh& mesh, const Context& context) {
  require_surface(mesh);
  constexpr std::uint64_t bytes_a_face = 500;  // twelve entries before and while they are sorted
  const Reservation reservation = context.memory.reserve(bytes_a_face * static_cast<std::uint64_t>(mesh.faces()), "laplacian",
                                                         fmt::format("a mesh of {}", counted(mesh.faces(), "triangle")),
                                                         "use a coarser mesh, or raise --max-memory");
  constexpr double sliver = 1e-10;  // the least sine of an angle
  MeshLaplacian result;
  result.mass = Vector::Zero(mesh.nodes());
  std::vector<Edge> entries;
  entries.reserve(static_cast<std::size_t>(12 * mesh.faces()));
  const auto point = [&](std::int32_t node) { return Eigen::Map<const Eigen::Vector3d>(mesh.points.data() + 3 * std::int64_t{node}); };
  for (std::size_t f = 0; f < mesh.triangles.size(); f += 3) {
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int32_t at = mesh.triangles[f + i], a = mesh.triangles[f + (i + 1) % 3], b = mesh.triangles[f + (i + 2) % 3];
      const Eigen::Vector3d u = point(a) - point(at), v = point(b) - point(at);
      const double twice_area = u.cross(v).norm();
      result.mass[at] += twice_area / 6;
      const double product = u.norm() * v.norm();
      const double weight = product > 0 ? u.dot(v) / std::max(twice_area, sliver * product) / 2 : 0;
      for (const auto& [row, column, value] : {Edge{a, b, -weight}, Edge{b, a, -weight}, Edge{a, a, weight}, Edge{b, b, weight}}) entries.push_back({row, column, value});
    }
  }
  require(result.mass.sum() > 0, Fault::input, "[laplacian] expected a surface with an area, found {} of none: give its points in another unit, or another surface", counted(mesh.faces(), "triangle"));
  result.stiffness = from_edges(mesh.nodes(), mesh.nodes(), std::move(entries));
  return result;
}

}  // namespace calor::engine
