// One implicit step of heat on a mesh against the dense inverse, and against its own eigenvectors, of which there are as many as points; nodes without a triangle.
// Tolerance: a solve's relative error is about the condition number times eps; mass + t stiffness of these spheres has one below 1e4 for t up to 1.
#include "calor/engine/implicit_heat.h"

#include <Eigen/LU>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/engine/solve/eigenpairs.h"
#include "surfaces.h"

namespace calor::engine {
namespace {

constexpr double tolerance = 1e-11;

Matrix random_columns(std::int64_t rows, std::int64_t columns) {
  Random random(4, Purpose::test);
  Matrix result(rows, columns);
  for (double& value : result.reshaped<Eigen::RowMajor>()) value = random.normal();
  return result;
}

TEST(ImplicitHeat, IsTheInverseForEachColumnsOwnTime) {
  const io::Mesh mesh = sphere(2);
  const Vector times{{0.3, 0, 1e-8, 0.3, 1}};
  for (const MeshLaplacian& laplacian : {mesh_laplacian(mesh, Context()), cotangent_laplacian(mesh, Context())}) {
    const Matrix b = random_columns(mesh.nodes(), times.size()), found = implicit_heat(laplacian, b, times, Context());
    for (Eigen::Index c = 0; c < times.size(); ++c) {
      Eigen::MatrixXd full = Eigen::MatrixXd::Zero(mesh.nodes(), mesh.nodes());
      for (std::int64_t i = 0; i < mesh.nodes(); ++i) {
        full(i, i) = laplacian.mass[i];
        for (std::int64_t e = laplacian.stiffness.begin[i]; e < laplacian.stiffness.begin[i + 1]; ++e) full(i, laplacian.stiffness.column[e]) += times[c] * laplacian.stiffness.values[e];
      }
      const Vector truth = full.partialPivLu().solve(Eigen::VectorXd(b.col(c)));
      EXPECT_LE((found.col(c) - truth).norm(), tolerance * truth.norm()) << times[c];
    }
  }
}

TEST(ImplicitHeat, DampsEachModeByItsEigenvalue) {
  const io::Mesh mesh = sphere(1);
  const MeshLaplacian laplacian = mesh_laplacian(mesh, Context());
  const Pairs pairs = smallest_mass_pairs(laplacian.stiffness, laplacian.mass, mesh.nodes(), Context());
  const Matrix f = random_columns(mesh.nodes(), 1), b = laplacian.mass.asDiagonal() * f;
  const double time = 0.2;
  const Matrix truth = pairs.vectors * ((1 + time * pairs.values.array()).inverse().matrix().asDiagonal() * (pairs.vectors.transpose() * b));
  EXPECT_LE((implicit_heat(laplacian, b, Vector::Constant(1, time), Context()) - truth).norm(), tolerance * truth.norm());
}

TEST(ImplicitHeat, LeavesNodesWithoutATriangleAtZero) {
  io::Mesh mesh = sphere(1);
  const std::int64_t lonely = mesh.nodes();
  const Matrix all = random_columns(lonely + 1, 2);
  const Vector times{{0.1, 0.4}};
  const Matrix without = implicit_heat(mesh_laplacian(mesh, Context()), all.topRows(lonely), times, Context());
  mesh.points.insert(mesh.points.end(), {3, 3, 3});
  const Matrix with = implicit_heat(mesh_laplacian(mesh, Context()), all, times, Context());
  EXPECT_EQ(with.row(lonely).cwiseAbs().maxCoeff(), 0);
  EXPECT_LE((with.topRows(lonely) - without).norm(), tolerance * without.norm());
}

}  // namespace
}  // namespace calor::engine
