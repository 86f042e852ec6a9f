#include "calor/engine/mesh_graphs.h"

#include <algorithm>
#include <array>

namespace calor::engine {

namespace {

std::vector<std::array<std::int32_t, 2>> sides_of(const io::Mesh& mesh, std::int64_t face) {
  std::vector<std::array<std::int32_t, 2>> sides;
  for (std::int64_t i = 0; i < 3; ++i) {
    const std::int32_t a = mesh.triangles[3 * face + i], b = mesh.triangles[3 * face + (i + 1) % 3];
    sides.push_back({std::min(a, b), std::max(a, b)});
  }
  return sides;
}

// Of edges that were found more than once, one.
Csr graph_of(std::int64_t nodes, std::vector<Edge> edges) {
  Csr graph = from_edges(nodes, nodes, std::move(edges));
  std::ranges::fill(graph.values, 1);
  return graph;
}

}  // namespace

Csr point_graph(const io::Mesh& mesh) {
  std::vector<Edge> edges;
  for (std::int64_t f = 0; f < mesh.faces(); ++f)
    for (const auto& [a, b] : sides_of(mesh, f)) edges.insert(edges.end(), {{a, b, 1}, {b, a, 1}});
  return graph_of(mesh.nodes(), std::move(edges));
}

Csr face_graph(const io::Mesh& mesh) {
  struct Side {
    std::array<std::int32_t, 2> ends;
    std::int64_t face;
    bool operator<(const Side& other) const { return std::pair(ends, face) < std::pair(other.ends, other.face); }
  };
  std::vector<Side> sides;
  for (std::int64_t f = 0; f < mesh.faces(); ++f)
    for (const auto& side : sides_of(mesh, f)) sides.push_back({side, f});
  std::sort(sides.begin(), sides.end());
  std::vector<Edge> edges;
  for (std::size_t first = 0, end = 0; first < sides.size(); first = end) {
    while (end < sides.size() && sides[end].ends == sides[first].ends) ++end;
    for (std::size_t i = first; i < end; ++i)
      for (std::size_t j = first; j < end; ++j)
        if (i != j) edges.push_back({sides[i].face, sides[j].face, 1});
  }
  return graph_of(mesh.faces(), std::move(edges));
}

Csr corner_means(const io::Mesh& mesh) {
  std::vector<Edge> edges;
  for (std::int64_t f = 0; f < mesh.faces(); ++f)
    for (std::int64_t i = 0; i < 3; ++i) edges.push_back({f, mesh.triangles[3 * f + i], 1.0 / 3});
  return from_edges(mesh.faces(), mesh.nodes(), std::move(edges));
}

}  // namespace calor::engine
