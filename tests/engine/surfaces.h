// Meshes that the tests of surfaces share.
#pragma once

#include <map>
#include <numbers>

#include "calor/engine/csr.h"
#include "calor/io/mesh.h"
#include "support.h"

namespace calor::engine {

inline io::Mesh mesh_of(std::vector<double> points, std::vector<std::int32_t> triangles) {
  io::Mesh mesh;
  mesh.points = std::move(points);
  mesh.triangles = std::move(triangles);
  return mesh;
}

inline Matrix points_of(const io::Mesh& mesh) { return Eigen::Map<const Matrix>(mesh.points.data(), mesh.nodes(), 3); }

// Each triangle in four, new points moved to the unit sphere.
inline io::Mesh sphere(int subdivisions) {
  const double g = std::numbers::phi;
  io::Mesh mesh = mesh_of({-1, g, 0, 1, g, 0, -1, -g, 0, 1, -g, 0, 0, -1, g, 0, 1, g, 0, -1, -g, 0, 1, -g, g, 0, -1, g, 0, 1, -g, 0, -1, -g, 0, 1},
                          {0, 11, 5, 0, 5, 1, 0, 1, 7, 0, 7, 10, 0, 10, 11, 1, 5, 9, 5, 11, 4, 11, 10, 2, 10, 7, 6, 7, 1, 8,
                           3, 9, 4, 3, 4, 2, 3, 2, 6, 3, 6, 8, 3, 8, 9, 4, 9, 5, 2, 4, 11, 6, 2, 10, 8, 6, 7, 9, 8, 1});
  for (int level = 0; level < subdivisions; ++level) {
    std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> middles;
    const auto middle = [&](std::int32_t a, std::int32_t b) {
      const auto [at, fresh] = middles.try_emplace(std::minmax(a, b), static_cast<std::int32_t>(mesh.nodes()));
      if (fresh)
        for (std::size_t x = 0; x < 3; ++x) mesh.points.push_back((mesh.points[3 * static_cast<std::size_t>(a) + x] + mesh.points[3 * static_cast<std::size_t>(b) + x]) / 2);
      return at->second;
    };
    std::vector<std::int32_t> finer;
    for (std::size_t f = 0; f < mesh.triangles.size(); f += 3) {
      const std::int32_t a = mesh.triangles[f], b = mesh.triangles[f + 1], c = mesh.triangles[f + 2], ab = middle(a, b), bc = middle(b, c), ca = middle(c, a);
      finer.insert(finer.end(), {a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca});
    }
    mesh.triangles = std::move(finer);
  }
  Eigen::Map<Matrix>(mesh.points.data(), mesh.nodes(), 3).rowwise().normalize();
  return mesh;
}

// A square of side 1 in the plane z = 0: (cells + 1)^2 points moved about by up to `shift` of a cell, but for those of the boundary.
inline io::Mesh square(std::int64_t cells, double shift) {
  Random random(1, Purpose::test);
  io::Mesh mesh;
  const auto inside = [&](std::int64_t i) { return i > 0 && i < cells; };
  for (std::int64_t i = 0; i <= cells; ++i)
    for (std::int64_t j = 0; j <= cells; ++j) {
      const double s = inside(i) && inside(j) ? shift : 0, x = 2 * random.uniform() - 1, y = 2 * random.uniform() - 1, side = static_cast<double>(cells);
      mesh.points.insert(mesh.points.end(), {(static_cast<double>(i) + s * x) / side, (static_cast<double>(j) + s * y) / side, 0});
    }
  for (std::int64_t i = 0; i < cells; ++i)
    for (std::int64_t j = 0; j < cells; ++j) {
      const auto at = [&](std::int64_t a, std::int64_t b) { return static_cast<std::int32_t>((i + a) * (cells + 1) + j + b); };
      mesh.triangles.insert(mesh.triangles.end(), {at(0, 0), at(1, 0), at(1, 1), at(0, 0), at(1, 1), at(0, 1)});
    }
  return mesh;
}

inline Matrix times(const Csr& graph, const Matrix& x) {
  Matrix y = Matrix::Zero(graph.rows, x.cols());
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) y.row(i) += graph.values[e] * x.row(graph.column[e]);
  return y;
}

}  // namespace calor::engine
