#include "calor/engine/mesh_laplacian.h"

#include <Eigen/Geometry>
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>

#include "calor/core/error.h"
#include "calor/core/text.h"

namespace calor::engine {

namespace {

using Point = Eigen::Vector3d;

constexpr double relative_mollification = 1e-5, flat = 1e-6;  // the authors' code (geometry-central): of the mean length; a weight not worth a flip
constexpr std::int64_t most_flips_a_side = 1000;

// Kahan's form of Heron's, which keeps its digits for slivers.
double area(double a, double b, double c) {
  if (a < b) std::swap(a, b);
  if (b < c) std::swap(b, c);
  if (a < b) std::swap(a, b);
  return std::sqrt(std::max(0.0, (a + (b + c)) * (c - (a - b)) * (c + (a - b)) * (a + (b - c)))) / 4;
}

// The cover: triangle f of the mesh is 2 f and, turned over, 2 f + 1.  Side s goes from node[s] to node[next(s)] in triangle s / 3, and other[s] is the
// side glued to it, which goes back.  After flips sides may be glued within a triangle, and nodes joined to themselves.
class Cover {
 public:
  Cover(const io::Mesh& mesh, const Context& context) : mesh_(mesh), context_(context), node_(2 * mesh.triangles.size()), other_(node_.size()), length_(node_.size()) {
    for (std::int64_t f = 0; f < mesh.faces(); ++f)
      for (std::int64_t i = 0; i < 3; ++i) node_[front(f, i)] = node_[front(f, 0) + 3 + (3 - i) % 3] = mesh.triangles[3 * f + i];
    const std::vector<Edge> edges = edges_of_mesh();
    measure(edges);
    mollify();
    glue(edges);
  }

  void flip_until_delaunay() {
    std::deque<std::int64_t> queue;
    std::vector<bool> queued(node_.size(), false);
    for (std::int64_t s = 0; s < sides(); ++s)
      if (s < other_[s]) queue.push_back(s), queued[s] = true;
    for (std::int64_t looked = 0; !queue.empty(); ++looked) {
      if (looked % 65536 == 0) context_.check_stop("laplacian");
      const std::int64_t side = queue.front();
      queue.pop_front();
      queued[side] = false;
      if (weight(side) >= -flat || !flip(side)) continue;
      ++flips_;
      require(flips_ <= most_flips_a_side * sides(), Fault::convergence,
              "[laplacian] expected a Delaunay triangulation, found none after {} flips: check the mesh for points that are far off", flips_);
      for (const std::int64_t s : {next(side), next(next(side)), next(other_[side]), next(next(other_[side]))})
        if (!queued[s]) queue.push_back(s), queued[s] = true;
    }
  }

  MeshLaplacian matrices() const {
    const std::int64_t nodes = mesh_.nodes();
    MeshLaplacian result;
    result.flips = flips_;
    result.mollified = std::ldexp(mollified_, exponent_);
    result.mass = Vector::Zero(nodes);
    for (std::int64_t s = 0; s < sides(); ++s) result.mass[node_[s]] += area_of(s) / 6;
    for (double& mass : result.mass) mass = std::ldexp(mass, 2 * exponent_);
    const double whole = result.mass.sum();
    require(std::isfinite(whole) && whole > 0, Fault::input,
            "[laplacian] expected a surface of finite area above 0, found {}: give its points in another unit", whole);
    Vector diagonal = Vector::Zero(nodes);
    std::vector<engine::Edge> entries;
    entries.reserve(node_.size() + static_cast<std::size_t>(nodes));
    for (std::int64_t s = 0; s < sides(); ++s) {
      const std::int64_t a = node_[s], b = node_[next(s)];
      if (s > other_[s] || a == b) continue;  // from a node to itself nothing flows
      const double w = weight(s) / 2;
      diagonal[a] += w;
      diagonal[b] += w;
      entries.push_back({a, b, -w});
      entries.push_back({b, a, -w});
    }
    std::vector<bool> used(static_cast<std::size_t>(nodes), false);
    for (const std::int32_t corner : mesh_.triangles) used[corner] = true;
    for (std::int64_t i = 0; i < nodes; ++i)
      if (used[i]) entries.push_back({i, i, diagonal[i]});
    result.stiffness = from_edges(nodes, nodes, std::move(entries));
    return result;
  }

 private:
  // One triangle at an edge of the mesh, a < b.
  struct Edge {
    std::int32_t a, b;
    std::int64_t side;  // of its front
  };

  std::int64_t sides() const { return static_cast<std::int64_t>(node_.size()); }
  static std::int64_t next(std::int64_t side) { return side % 3 == 2 ? side - 2 : side + 1; }
  static std::int64_t front(std::int64_t face, std::int64_t i) { return 6 * face + i; }
  // The same edge seen from the other side: (a, b, c) is turned over to (a, c, b).
  static std::int64_t turned(std::int64_t front_side) { return front_side + 5 - 2 * (front_side % 3); }
  Point point(std::int64_t node) const { return Eigen::Map<const Point>(mesh_.points.data() + 3 * node); }

  // Those of the same edge follow each other, in the order of the triangles.
  std::vector<Edge> edges_of_mesh() const {
    std::vector<Edge> edges;
    edges.reserve(mesh_.triangles.size());
    for (std::int64_t f = 0; f < mesh_.faces(); ++f)
      for (std::int64_t i = 0; i < 3; ++i) {
        const std::int64_t side = front(f, i);
        const auto [a, b] = std::minmax(node_[side], node_[next(side)]);
        edges.push_back({a, b, side});
      }
    std::sort(edges.begin(), edges.end(), [](const Edge& x, const Edge& y) { return x.a != y.a ? x.a < y.a : x.b != y.b ? x.b < y.b : x.side < y.side; });
    return edges;
  }

  template <class Each>
  static void each_edge(const std::vector<Edge>& edges, Each&& each) {
    for (std::size_t begin = 0, end = 0; begin < edges.size(); begin = end) {
      while (end < edges.size() && edges[end].a == edges[begin].a && edges[end].b == edges[begin].b) ++end;
      each(std::span(edges).subspan(begin, end - begin));
    }
  }

  // In a power of two near the mean length, so that their squares neither overflow nor vanish.
  void measure(const std::vector<Edge>& edges) {
    double sum = 0;
    std::int64_t count = 0;
    each_edge(edges, [&](std::span<const Edge> same) {
      const Point along = point(same[0].b) - point(same[0].a);
      const double length = std::hypot(along.x(), along.y(), along.z());
      sum += length;
      ++count;
      for (const Edge& edge : same) length_[edge.side] = length_[turned(edge.side)] = length;
    });
    mean_ = sum / static_cast<double>(count);
    require(std::isfinite(mean_) && mean_ > 0, Fault::input,
            "[laplacian] expected a surface of finite area above 0, found edges of length {:.3g} on average: give its points in another unit",
            count ? mean_ : 0);
    exponent_ = std::ilogb(mean_);
    mean_ = std::ldexp(mean_, -exponent_);
    for (double& length : length_) length = std::ldexp(length, -exponent_);
  }

  void mollify() {
    for (std::int64_t s = 0; s < sides(); ++s)
      mollified_ = std::max(mollified_, length_[s] - length_[next(s)] - length_[next(next(s))] + relative_mollification * mean_);
    for (double& length : length_) length += mollified_;
  }

  // Around the edge from a to b, by angle, the triangles' sides that face growing angles go from a to b: each is glued to the next triangle's other side.
  void glue(const std::vector<Edge>& edges) {
    std::vector<Edge> around;
    each_edge(edges, [&](std::span<const Edge> same) {
      around.assign(same.begin(), same.end());
      if (around.size() > 2) sort_by_angle(around);
      for (std::size_t i = 0; i < around.size(); ++i) {
        const std::int64_t here = around[i].side, there = around[(i + 1) % around.size()].side;
        const std::int64_t growing = node_[here] == around[i].a ? here : turned(here), falling = node_[there] == around[i].a ? turned(there) : there;
        other_[growing] = falling;
        other_[falling] = growing;
      }
    });
  }

  void sort_by_angle(std::vector<Edge>& around) const {
    const Point from = point(around[0].a), axis = (point(around[0].b) - from).stableNormalized();
    Eigen::Index least = 0;
    axis.cwiseAbs().minCoeff(&least);
    const Point first = axis.cross(Point::Unit(least)), second = axis.cross(first);
    std::vector<std::pair<double, Edge>> angles;
    for (const Edge& edge : around) {
      const Point out = (point(node_[next(next(edge.side))]) - from).stableNormalized();
      angles.emplace_back(std::atan2(out.dot(second), out.dot(first)), edge);
    }
    std::ranges::stable_sort(angles, {}, [](const auto& one) { return one.first; });
    for (std::size_t i = 0; i < around.size(); ++i) around[i] = angles[i].second;
  }

  double area_of(std::int64_t side) const { return area(length_[side], length_[next(side)], length_[next(next(side))]); }
  // Of the corner across a side.
  double cotangent(std::int64_t side) const {
    const double a = length_[side], b = length_[next(side)], c = length_[next(next(side))];
    return (b * b + c * c - a * a) / (4 * area_of(side));
  }
  double weight(std::int64_t side) const { return (cotangent(side) + cotangent(other_[side])) / 2; }

  // The side from u to v of triangles u v w and v u x, laid out flat, becomes one from x to w (of side s) and back.  Two corners of one triangle have less than
  // a half turn together, so that the triangles of a side that is not Delaunay are different ones.  False where lengths leave nothing to compute.
  bool flip(std::int64_t side) {
    const std::int64_t back = other_[side];
    const std::array<std::int64_t, 4> outer{next(next(side)), next(back), next(next(back)), next(side)};  // w u, u x, x v, v w
    const std::int32_t w = node_[outer[0]], u = node_[outer[1]], x = node_[outer[2]], v = node_[outer[3]];
    const double across = length_[side];
    const auto along = [&](double from_u, double from_v) { return (across * across + from_u * from_u - from_v * from_v) / (2 * across); };
    const double length = std::hypot(along(length_[outer[0]], length_[outer[3]]) - along(length_[outer[1]], length_[outer[2]]),
                                     2 * (area_of(side) + area_of(back)) / across);
    if (!std::isfinite(length)) return false;
    const std::array<std::int64_t, 4> moved{next(side), next(next(side)), next(back), next(next(back))};  // where the outer sides will be
    std::array<std::int64_t, 4> glued;
    std::array<double, 4> lengths;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto within = std::ranges::find(outer, other_[outer[i]]);
      glued[i] = within == outer.end() ? other_[outer[i]] : moved[static_cast<std::size_t>(within - outer.begin())];
      lengths[i] = length_[outer[i]];
    }
    for (std::size_t i = 0; i < 4; ++i) {
      other_[moved[i]] = glued[i];
      other_[glued[i]] = moved[i];
      length_[moved[i]] = lengths[i];
    }
    length_[side] = length_[back] = length;
    node_[side] = x, node_[moved[0]] = w, node_[moved[1]] = u;  // x w u
    node_[back] = w, node_[moved[2]] = x, node_[moved[3]] = v;  // w x v
    return true;
  }

  const io::Mesh& mesh_;
  const Context& context_;
  std::vector<std::int32_t> node_;
  std::vector<std::int64_t> other_;
  std::vector<double> length_;
  double mean_ = 0, mollified_ = 0;
  int exponent_ = 0;  // lengths are in 2^exponent_
  std::int64_t flips_ = 0;
};

}  // namespace

void require_surface(const io::Mesh& mesh) {
  for (std::size_t i = 0; i < mesh.points.size(); ++i)
    require(std::isfinite(mesh.points[i]), Fault::input, "[laplacian] expected finite points, found {} at point {}", mesh.points[i], i / 3);
  for (std::size_t f = 0; f < mesh.triangles.size(); f += 3) {
    const std::int32_t a = mesh.triangles[f], b = mesh.triangles[f + 1], c = mesh.triangles[f + 2];
    require(std::min({a, b, c}) >= 0 && std::max({a, b, c}) < mesh.nodes() && a != b && b != c && c != a, Fault::input,
            "[laplacian] expected three different corners of {}, found {}, {} and {} in triangle {}", counted(mesh.nodes(), "point"), a, b, c, f / 3);
  }
}

MeshLaplacian mesh_laplacian(const io::Mesh& mesh, const Context& context) {
  require_surface(mesh);
  constexpr std::uint64_t bytes_a_face = 600;  // sides of the cover, edges while they are sorted, and entries before they are rows
  const Reservation reservation = context.memory.reserve(bytes_a_face * static_cast<std::uint64_t>(mesh.faces()), "laplacian",
                                                         fmt::format("a mesh of {}", counted(mesh.faces(), "triangle")),
                                                         "use a coarser mesh, or raise --max-memory");
  Cover cover(mesh, context);
  cover.flip_until_delaunay();
  return cover.matrices();
}

}  // namespace calor::engine
