// Gradients on meshes: linear functions on planes, a closed form with regularisation, and what a sphere's coordinates do.
#include "calor/engine/mesh_gradient.h"
#include "calor/engine/mesh_graphs.h"

#include <Eigen/Geometry>

#include "calor/engine/mesh_laplacian.h"
#include "calor/engine/solve/dense.h"
#include "surfaces.h"

namespace calor::engine {
namespace {

const Context context;
constexpr double eps = std::numeric_limits<double>::epsilon();

MeshGradient gradient_of(const io::Mesh& mesh, const TangentFrames& frames, double regularisation) {
  return mesh_gradient(mesh, frames, mesh_laplacian(mesh, context).stiffness, regularisation, context);
}

// Gradients in space of each column of u, one after the other.
Matrix in_space(const MeshGradient& gradient, const TangentFrames& frames, const Vector& u) {
  return times(gradient.x, u).col(0).asDiagonal() * frames.x + times(gradient.y, u).col(0).asDiagonal() * frames.y;
}

TEST(TangentFrames, AreOrthonormalAndTurnWithTheTriangles) {
  const io::Mesh mesh = sphere(2);
  const TangentFrames frames = tangent_frames(mesh);
  const Matrix points = points_of(mesh);
  for (std::int64_t i = 0; i < mesh.nodes(); ++i) {
    Eigen::Matrix3d frame;
    frame << frames.x.row(i), frames.y.row(i), frames.normal.row(i);
    EXPECT_LE((frame * frame.transpose() - Eigen::Matrix3d::Identity()).norm(), 8 * eps);
    EXPECT_LE((frame.row(0).cross(frame.row(1)) - frame.row(2)).norm(), 8 * eps);
    EXPECT_GT(frames.normal.row(i).dot(points.row(i)), 0.99);  // outwards
  }
  const TangentFrames cancelled = tangent_frames(mesh_of({0, 0, 0, 1, 0, 0, 0, 0, 1, 5, 5, 5}, {0, 1, 2, 0, 2, 1}));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(cancelled.normal(i, 2), 1);
}

// Any plane in space, any triangles; at the boundary too.
TEST(MeshGradient, IsExactForLinearFunctionsOfAPlane) {
  io::Mesh mesh = square(9, 0.2);
  const Matrix turn = thin_qr(random_points(3, 3, 7)).q;
  Eigen::Map<Matrix> points(mesh.points.data(), mesh.nodes(), 3);
  points = (points * turn).eval();
  const TangentFrames frames = tangent_frames(mesh);
  const MeshGradient gradient = gradient_of(mesh, frames, 0);
  const Eigen::RowVector3d slope(0.3, -2, 0.7), normal = turn.row(2), tangent = slope - slope.dot(normal) * normal;
  const Vector u = (points * slope.transpose()).array() + 5;
  const Matrix found = in_space(gradient, frames, u);
  for (std::int64_t i = 0; i < mesh.nodes(); ++i) EXPECT_LE((found.row(i) - tangent).norm(), 1e-12) << i;
  EXPECT_LE(times(gradient.x, Vector::Ones(mesh.nodes())).norm() + times(gradient.y, Vector::Ones(mesh.nodes())).norm(), 1e-11);
}

// Six neighbours at distance r: sum e e' = 3 r^2, so that gradients are short by 3 r^2 / (3 r^2 + regularisation).
TEST(MeshGradient, RegularisationShortens) {
  const double r = 0.01, h = r * std::sqrt(3.0) / 2;
  const io::Mesh mesh = mesh_of({0, 0, 0, r, 0, 0, r / 2, h, 0, -r / 2, h, 0, -r, 0, 0, -r / 2, -h, 0, r / 2, -h, 0}, {0, 1, 2, 0, 2, 3, 0, 3, 4, 0,
      4, 5, 0, 5, 6, 0, 6, 1});
  const TangentFrames frames = tangent_frames(mesh);
  const MeshGradient gradient = gradient_of(mesh, frames, diffusion_net_regularisation);
  const Vector u = points_of(mesh) * Eigen::Vector3d(2, -1, 0);
  const Matrix found = in_space(gradient, frames, u);
  const double share = 3 * r * r / (3 * r * r + 1e-5);
  EXPECT_NEAR(found(0, 0), 2 * share, 1e-12);
  EXPECT_NEAR(found(0, 1), -share, 1e-12);
}

// z on the unit sphere has the gradient e_z - z n; errors of first order in the distance of neighbours.
TEST(MeshGradient, OfASphere) {
  for (const int level : {2, 3, 4}) {
    const io::Mesh mesh = sphere(level);
    const TangentFrames frames = tangent_frames(mesh);
    const Matrix points = points_of(mesh), found = in_space(gradient_of(mesh, frames, 0), frames, points.col(2));
    const double h = std::sqrt(4 * std::numbers::pi / static_cast<double>(mesh.nodes()));
    for (std::int64_t i = 0; i < mesh.nodes(); ++i) {
      const Eigen::RowVector3d expected = Eigen::RowVector3d(0, 0, 1) - points(i, 2) * points.row(i);
      EXPECT_LE((found.row(i) - expected).norm(), h / 4) << "level " << level << ", node " << i;
    }
  }
}

TEST(MeshGradient, NeighboursOnALineAndNone) {
  const io::Mesh mesh = mesh_of({0, 0, 0, 1, 0, 0, 3, 0, 0, 0, 1, 0}, {0, 1, 3});
  const TangentFrames frames = tangent_frames(mesh);
  const Csr neighbours = from_edges(4, 4, {{0, 1, 1}, {0, 2, 1}, {1, 0, 1}, {1, 1, 1}, {3, 3, 1}});
  for (const double regularisation : {0.0, 1e-5}) {
    const MeshGradient gradient = mesh_gradient(mesh, frames, neighbours, regularisation, context);
    const Matrix found = in_space(gradient, frames, (Vector(4) << 0, 2, 6, 9).finished());
    EXPECT_LE((found.row(0) - Eigen::RowVector3d(2, 0, 0)).norm(), 1e-5);
    EXPECT_LE((found.row(1) - Eigen::RowVector3d(2, 0, 0)).norm(), 3e-5);
    EXPECT_EQ(found.row(2).norm() + found.row(3).norm(), 0);
    EXPECT_EQ(gradient.x.begin[3], gradient.x.begin[2]);
  }
  expect_fault(Fault::usage, "found 4 and 3", [&] { mesh_gradient(mesh, frames, from_edges(3, 3, {}), 0, context); });
  expect_fault(Fault::usage, "at least 0, found -1", [&] { mesh_gradient(mesh, frames, neighbours, -1, context); });
}

TEST(MeshGraphs, OfAStripOfTwoTrianglesAndAThirdOnTheirSide) {
  const io::Mesh mesh = mesh_of({0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 5, 5, 5}, {0, 1, 2, 2, 1, 3, 1, 2, 4});
  const Csr points = point_graph(mesh), faces = face_graph(mesh), means = corner_means(mesh);
  EXPECT_EQ(points.begin, (std::vector<std::int64_t>{0, 2, 6, 10, 12, 14, 14}));
  EXPECT_EQ(points.column, (std::vector<std::int32_t>{1, 2, 0, 2, 3, 4, 0, 1, 3, 4, 1, 2, 1, 2}));
  EXPECT_EQ(points.values, std::vector<double>(14, 1));
  EXPECT_EQ(faces.column, (std::vector<std::int32_t>{1, 2, 0, 2, 0, 1}));  // the side 1 2 has three
  EXPECT_EQ(faces.values, std::vector<double>(6, 1));
  EXPECT_EQ(means.column, (std::vector<std::int32_t>{0, 1, 2, 1, 2, 3, 1, 2, 4}));
  EXPECT_EQ(means.values, std::vector<double>(9, 1.0 / 3));
}

}  // namespace
}  // namespace calor::engine
