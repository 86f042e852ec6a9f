// The Laplacian of meshes against closed forms, the cotangent formula from coordinates, and robust_laplacian 1.1.0 (the authors' own package, whose numbers are
// stored here); its eigenpairs against the sphere's, a dense solution and the definition; heat kernel signatures against the sphere's series.
#include "calor/engine/mesh_laplacian.h"

#include <cstdlib>
#include <filesystem>

#include "calor/engine/heat_kernel_signature.h"
#include "calor/engine/solve/dense.h"
#include "surfaces.h"

namespace calor::engine {
namespace {

const Context context;
constexpr double eps = std::numeric_limits<double>::epsilon();

io::Mesh together(const io::Mesh& a, const io::Mesh& b, double apart) {
  io::Mesh both = a;
  for (std::size_t i = 0; i < b.points.size(); ++i) both.points.push_back(b.points[i] + (i % 3 == 0 ? apart : 0));
  for (const std::int32_t corner : b.triangles) both.triangles.push_back(corner + static_cast<std::int32_t>(a.nodes()));
  return both;
}

Matrix dense(const Csr& graph) {
  Matrix full = Matrix::Zero(graph.rows, graph.columns);
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) full(i, graph.column[e]) = graph.values[e];
  return full;
}

// By the formula, from dot and cross products.
struct Plain {
  Matrix stiffness;
  Vector mass;
};
Plain cotangent_formula(const io::Mesh& mesh) {
  Plain plain{Matrix::Zero(mesh.nodes(), mesh.nodes()), Vector::Zero(mesh.nodes())};
  const Matrix points = points_of(mesh);
  for (std::size_t f = 0; f < mesh.triangles.size(); f += 3)
    for (std::size_t i = 0; i < 3; ++i) {
      const std::int32_t at = mesh.triangles[f + i], a = mesh.triangles[f + (i + 1) % 3], b = mesh.triangles[f + (i + 2) % 3];
      const Eigen::Vector3d u = points.row(a) - points.row(at), v = points.row(b) - points.row(at);
      const Eigen::Vector3d cross(u.y() * v.z() - u.z() * v.y(), u.z() * v.x() - u.x() * v.z(), u.x() * v.y() - u.y() * v.x());
      const double weight = u.dot(v) / cross.norm() / 2;
      plain.mass[at] += cross.norm() / 6;
      plain.stiffness(a, b) -= weight, plain.stiffness(b, a) -= weight, plain.stiffness(a, a) += weight, plain.stiffness(b, b) += weight;
    }
  return plain;
}

// Numbers in the order of rows.
void expect_matrices(const io::Mesh& mesh, const std::vector<double>& mass, const std::vector<double>& stiffness, double tolerance, const char* what) {
  const MeshLaplacian found = mesh_laplacian(mesh, context);
  const std::int64_t n = mesh.nodes();
  EXPECT_TRUE(is_symmetric(found.stiffness)) << what;
  EXPECT_LE(relative_difference(found.mass, Eigen::Map<const Vector>(mass.data(), n)), tolerance) << what;
  EXPECT_LE(relative_difference(dense(found.stiffness), Eigen::Map<const Matrix>(stiffness.data(), n, n)),
            tolerance) << what << "\n" << dense(found.stiffness);
}

// Right angles in all: diagonals weigh nothing, each edge of the cube cot(45 degrees) = 1.
TEST(MeshLaplacian, OfACubeIsItsGraph) {
  const io::Mesh cube = mesh_of({0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1, 1}, {0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6, 0, 1,
      5, 0, 5, 4, 2, 6, 7, 2, 7, 3, 0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5});
  const MeshLaplacian found = mesh_laplacian(cube, context);
  EXPECT_EQ(found.flips, 0);
  EXPECT_EQ(found.mollified, 0);
  const Matrix full = dense(found.stiffness);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j) EXPECT_NEAR(full(i, j), i == j ? 3 : std::popcount(static_cast<unsigned>(i ^ j)) == 1 ? -1 : 0, 16 * eps) << i << ' ' << j;
  EXPECT_NEAR(found.mass.sum(), 6, 32 * eps);
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(found.mass[i], (i == 0 || i == 7 ? 6 : 4) / 6.0, 8 * eps) << i;  // triangles of area 1/2
}

TEST(MeshLaplacian, OfASquareByHand) {
  expect_matrices(mesh_of({0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0}, {0, 1, 2, 0, 2, 3}), {2 / 6.0, 1 / 6.0, 2 / 6.0, 1 / 6.0}, {1, -.5, 0, -.5, -.5, 1,
      -.5, 0, 0, -.5, 1, -.5, -.5, 0, -.5, 1}, 8 * eps, "square");
  // Two equilateral triangles of side 2: cot(60 degrees) / 2 outside, twice that between.
  const double h = std::sqrt(3.0), c = 1 / h / 2;
  expect_matrices(mesh_of({0, 0, 0, 2, 0, 0, 1, h, 0, 1, -h, 0}, {0, 1, 2, 1, 0, 3}), {2 * h / 3, 2 * h / 3, h / 3, h / 3}, {4 * c, -2 * c, -c, -c,
      -2 * c, 4 * c, -c, -c, -c, -c, 2 * c, 0, -c, -c, 0, 2 * c}, 8 * eps,
                  "rhombus");
}

// What robust_laplacian 1.1.0 gives, 17 digits.  The order of its sums is another; slivers magnify that.
TEST(MeshLaplacian, AgreesWithTheAuthorsOnWhatIsNoManifold) {
  expect_matrices(mesh_of({0, 0, 0, 2, .3, 0, 4, 0, 0, 2, -.3, .2}, {0, 1, 2, 0, 2, 3}), {0.22018504251546667, 0.44037008503093333,
      0.22018504251546667, 0.44037008503093333},
                  {0.16513878188660022, -0.0901387818865998, 0, -0.07500000000000043, -0.0901387818865998, 3.1261584595828387, -0.0901387818865998,
                   -2.945880895809639, 0, -0.0901387818865998, 0.16513878188660022,
                   -0.07500000000000043, -0.07500000000000043, -2.945880895809639, -0.07500000000000043, 3.09588089580964},
                  1e-13, "a flip");
  expect_matrices(mesh_of({0, 0, 0, 0, 0, 1, 1, 0, .3, -.4, .9, .6, -.6, -.8, .1}, {0, 1, 2, 0, 1, 3, 1, 0, 4}),
                  {0.4974809633632684, 0.4974809633632684, 0.16666666666666666, 0.16414763002993504, 0.16666666666666677},
                  {2.2236705833004944, -1.2206013502737707, -0.35, -0.20306923302672386, -0.44999999999999984, -1.2206013502737707,
                   1.7252051998138564, -0.15000000000000002, -0.3046038495400858, -0.04999999999999984, -0.35,
                   -0.15000000000000002, 0.5, 0, 0, -0.20306923302672386, -0.3046038495400858, 0, 0.5076730825668097, 0, -0.44999999999999984, -0.04999999999999984, 0, 0, 0.49999999999999967},
                  1e-13, "three pages of a book");
  expect_matrices(mesh_of({0, 0, 0, 1, 0, 0, 0, 1, 0, -1, 0, .5, 0, -1, .2}, {0, 1, 2, 0, 3, 4}), {0.3559636115266758, 0.1666666666666666,
      0.1666666666666666, 0.1892969448600092, 0.1892969448600092},
                  {1.9200711971102773, -0.5000000000000003, -0.5000000000000003, -0.41381192597304306, -0.5062592711372336, -0.5000000000000003,
                   0.5000000000000002, 0, 0, 0, -0.5000000000000003, 0, 0.5000000000000002, 0, 0,
                   -0.41381192597304306, 0, 0, 0.4578344712893242, -0.044022545316281164, -0.5062592711372336, 0, 0, -0.044022545316281164, 0.5502818164535147},
                  1e-13, "two triangles at a point");
  expect_matrices(mesh_of({0, 0, 0, 1, 0, 0, .5, 1e-9, 0, .5, -1, 0}, {0, 1, 2, 1, 0, 3}), {0.08350616898686469, 0.08350616898686469,
      0.16701233797372939, 0.16701233797372939},
                  {1.0020570486433498, 0, -0.9999988819753584, -0.00205816666799137, 0, 1.0020570486433498, -0.9999988819753584, -0.00205816666799137,
                   -0.9999988819753584, -0.9999988819753584, 2.4948634723827254,
                   -0.49486570843200883, -0.00205816666799137, -0.00205816666799137, -0.49486570843200883, 0.49898204176799155},
                  1e-10, "a sliver");
}

TEST(MeshLaplacian, IsTheCotangentFormulaWhereNothingIsFlipped) {
  const io::Mesh mesh = sphere(2);
  const MeshLaplacian found = mesh_laplacian(mesh, context);
  const Plain plain = cotangent_formula(mesh);
  EXPECT_EQ(found.flips, 0);
  EXPECT_LE(relative_difference(dense(found.stiffness), plain.stiffness), 100 * eps);
  EXPECT_LE(relative_difference(found.mass, plain.mass), 100 * eps);
}

// Flips in a plane leave it flat: linear functions are harmonic at all points inside, and have the energy area |gradient|^2.
TEST(CotangentLaplacian, IsTheFormulaOnAnyTriangles) {
  for (const io::Mesh& mesh : {sphere(1), square(6, 0.45)}) {
    const MeshLaplacian found = cotangent_laplacian(mesh, context);
    const Plain plain = cotangent_formula(mesh);
    EXPECT_LE(relative_difference(dense(found.stiffness), plain.stiffness), 1e-13);
    EXPECT_LE(relative_difference(found.mass, plain.mass), 1e-13);
    EXPECT_LE((dense(found.stiffness) * Vector::Ones(mesh.nodes())).cwiseAbs().maxCoeff(), 1e-11);
  }
  expect_fault(Fault::input, "three different corners", [] { cotangent_laplacian(mesh_of({0, 0, 0, 1, 0, 0}, {0, 1, 2}), context); });
}

TEST(MeshLaplacian, IsExactForLinearFunctionsOfAPlane) {
  const std::int64_t cells = 12;
  const io::Mesh mesh = square(cells, 0.2);
  const MeshLaplacian found = mesh_laplacian(mesh, context);
  EXPECT_GT(found.flips, 20);
  EXPECT_NEAR(found.mass.sum(), 1, 1e-13);
  const Matrix points = points_of(mesh).leftCols(2), flow = times(found.stiffness, points);
  for (std::int64_t i = 0; i < mesh.nodes(); ++i) {
    const std::int64_t row = i / (cells + 1), column = i % (cells + 1);
    if (row % cells == 0 || column % cells == 0) continue;
    EXPECT_LE(flow.row(i).norm(), 1e-12) << i;
  }
  EXPECT_LE((points.transpose() * flow - Matrix::Identity(2, 2)).norm(), 1e-12);
  for (std::int64_t i = 0; i < mesh.nodes(); ++i)
    for (std::int64_t e = found.stiffness.begin[i]; e < found.stiffness.begin[i + 1]; ++e)
      EXPECT_LE(found.stiffness.column[e] == i ? 0 : found.stiffness.values[e], 1e-6);
}

// Neither the order of points and triangles, nor which way they turn, nor where they stand; twice the size to the bit.
TEST(MeshLaplacian, DependsOnTheShapeAlone) {
  Random random(3, Purpose::test);
  io::Mesh mesh = sphere(2);
  for (double& value : mesh.points) value *= 1 + 0.3 * random.uniform();
  mesh.triangles.insert(mesh.triangles.end(), {0, 20, 40, 0, 20, 60});  // no manifold any more
  const MeshLaplacian found = mesh_laplacian(mesh, context);
  EXPECT_GT(found.flips, 0);
  const Matrix full = dense(found.stiffness);
  EXPECT_LE(full.rowwise().sum().cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_GE(symmetric_eigenvalues(full).minCoeff(), -1e-12);

  io::Mesh other = mesh;
  const std::int64_t n = mesh.nodes(), m = mesh.faces();
  const auto moved = [&](std::int64_t i) { return (7 * i + 3) % n; };
  ASSERT_NE(n % 7, 0);
  for (std::int64_t i = 0; i < n; ++i) std::copy_n(mesh.points.begin() + 3 * i, 3, other.points.begin() + 3 * moved(i));
  for (std::int64_t f = 0; f < m; ++f) {
    std::array<std::int32_t, 3> corners;
    for (std::int64_t c = 0; c < 3; ++c) corners[static_cast<std::size_t>(c)] = static_cast<std::int32_t>(moved(mesh.triangles[3 * f + (c + f) % 3]));
    if (random.below(2)) std::swap(corners[0], corners[1]);
    std::ranges::copy(corners, other.triangles.begin() + 3 * (m - 1 - f));
  }
  const Matrix turn = thin_qr(random_points(3, 3, 5)).q;
  Eigen::Map<Matrix> points(other.points.data(), n, 3);
  points = (points * turn).eval();
  points.rowwise() += Eigen::RowVector3d(5, -2, 1);
  const MeshLaplacian again = mesh_laplacian(other, context);
  const Matrix shuffled = dense(again.stiffness);
  for (std::int64_t i = 0; i < n; ++i) {
    EXPECT_NEAR(again.mass[moved(i)], found.mass[i], 1e-12);
    for (std::int64_t j = 0; j < n; ++j) ASSERT_NEAR(shuffled(moved(i), moved(j)), full(i, j), 1e-11 * full.maxCoeff()) << i << ' ' << j;
  }

  for (const int power : {1, -400, 400}) {
    io::Mesh scaled = mesh;
    for (double& value : scaled.points) value = std::ldexp(value, power);
    const MeshLaplacian large = mesh_laplacian(scaled, context);
    EXPECT_EQ(large.stiffness.values, found.stiffness.values) << power;
    for (std::int64_t i = 0; i < n; ++i) EXPECT_EQ(large.mass[i], std::ldexp(found.mass[i], 2 * power)) << power;
  }
}

TEST(MeshLaplacian, TrianglesWithoutAreaAndPointsWithoutTriangles) {
  // Points that coincide, three on a line, one that nothing uses, the same triangle twice and turned over.
  const io::Mesh mesh = mesh_of({0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, .5, 0, 0, 9, 9, 9, 0, 0, 0}, {0, 1, 2, 0, 3, 6, 0, 4, 1, 0, 1, 2, 2, 1, 0});
  const MeshLaplacian found = mesh_laplacian(mesh, context);
  EXPECT_GT(found.mollified, 0);
  for (const double value : found.stiffness.values) EXPECT_TRUE(std::isfinite(value));
  EXPECT_LE(dense(found.stiffness).rowwise().sum().cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_EQ(found.mass[5], 0);
  EXPECT_EQ(found.stiffness.begin[6], found.stiffness.begin[5]);
  EXPECT_GT(found.mass[6], 0);
}

TEST(MeshLaplacian, RefusesWhatIsNoMesh) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_fault(Fault::input, "found nan at point 1", [&] { mesh_laplacian(mesh_of({0, 0, 0, 1, nan, 0, 0, 1, 0}, {0, 1, 2}), context); });
  expect_fault(Fault::input, "found 0, 1 and 3 in triangle 0", [] { mesh_laplacian(mesh_of({0, 0, 0, 1, 0, 0, 0, 1, 0}, {0, 1, 3}), context); });
  expect_fault(Fault::input, "found 0, 1 and 1 in triangle 1", [] { mesh_laplacian(mesh_of({0, 0, 0, 1, 0, 0, 0, 1, 0}, {0, 1, 2, 0, 1, 1}), context); });
  expect_fault(Fault::input, "area above 0", [] { mesh_laplacian(mesh_of({1, 1, 1, 1, 1, 1, 1, 1, 1}, {0, 1, 2}), context); });
  expect_fault(Fault::input, "area above 0", [] { mesh_laplacian(mesh_of({1, 1, 1}, {}), context); });
  expect_fault(Fault::input, "another unit", [] { mesh_laplacian(mesh_of({0, 0, 0, 1e200, 0, 0, 0, 1e200, 0}, {0, 1, 2}), context); });
  Context little;
  little.memory = MemoryLimit(1000);
  expect_fault(Fault::memory, "triangles", [&] { mesh_laplacian(sphere(1), little); });
}

// robust_laplacian's area, sum of mass x^2, trace, sum of squares of the stiffness, and energies of x, y and z.  Entry by entry the 18 test bodies agreed to
// 7e-15 of the largest; the 52 molecules to 3e-10, and masses where four points lie on a circle and either diagonal is Delaunay do not (hence no area-weighted sum there).
TEST(RealMeshes, AgreeWithTheAuthors) {
  const char* data = std::getenv("CALOR_DATA");
  if (!data || !std::filesystem::exists(std::string(data) + "/human_seg")) GTEST_SKIP() << "SKIPPED: CALOR_DATA names no folder with human_seg/";
  const std::pair<const char*, std::array<double, 7>> expected[] = {
      {"human_seg/test/shrec__1.obj", {1.75192954623712, 0.0366870808498072, 3359.34961676947, 19806.6537002459, 0.95908663244386, 0.993197207228313,
                                       1.52580274041304}},
      {"human_seg/test/shrec__5.obj", {2.56466464865596, 0.080043885017298, 3223.46295402329, 18061.6948948591, 1.49238558834671, 2.21146965980161,
                                       1.40347988791686}},
      {"human_seg/test/shrec__14.obj", {1.10512636055991, 0.0518930741923453, 3464.67310370507, 21665.280804682, 0.717295974351147, 0.725956994470361,
                                        0.744315561575255}},
      {"rna/off/4XEJ_A5S.off", {13468.1288884424, 173982662.690393, 2154495.78866995, 344001553585.747, 9309.98788430426, 8917.72048950041, 8663.464987572}}};
  for (const auto& [file, numbers] : expected) {
    const io::Mesh mesh = io::load_mesh(std::string(data) + "/" + file, context);
    const MeshLaplacian found = mesh_laplacian(mesh, context);
    const Matrix points = points_of(mesh), energies = points.transpose() * times(found.stiffness, points);
    double trace = 0, squares = 0;
    for (std::int64_t i = 0; i < mesh.nodes(); ++i)
      for (std::int64_t e = found.stiffness.begin[i]; e < found.stiffness.begin[i + 1]; ++e) {
        squares += found.stiffness.values[e] * found.stiffness.values[e];
        if (found.stiffness.column[e] == i) trace += found.stiffness.values[e];
      }
    const std::array<double, 7> numbers_here{found.mass.sum(), points.col(0).cwiseAbs2().dot(found.mass), trace, squares, energies(0, 0), energies(1,
        1), energies(2, 2)};
    for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(numbers_here[i] / numbers[i], 1, 1e-9) << file << " number " << i;
  }
}

void expect_pairs(const MeshLaplacian& laplacian, const Pairs& pairs, double tolerance) {
  const Matrix gram = pairs.vectors.transpose() * (laplacian.mass.asDiagonal() * pairs.vectors);
  EXPECT_LE((gram - Matrix::Identity(gram.rows(), gram.cols())).cwiseAbs().maxCoeff(), tolerance);
  const Matrix left = times(laplacian.stiffness, pairs.vectors) - laplacian.mass.asDiagonal() * pairs.vectors * pairs.values.asDiagonal();
  // In the norm of mass^-1, to the largest eigenvalue there is.
  double largest = 0, worst = 0;
  for (std::int64_t i = 0; i < laplacian.mass.size(); ++i) {
    if (laplacian.mass[i] == 0) continue;
    for (std::int64_t e = laplacian.stiffness.begin[i]; e < laplacian.stiffness.begin[i + 1]; ++e)
      if (laplacian.stiffness.column[e] == i) largest = std::max(largest, laplacian.stiffness.values[e] / laplacian.mass[i]);
  }
  for (Eigen::Index c = 0; c < left.cols(); ++c) {
    double sum = 0;
    for (std::int64_t i = 0; i < laplacian.mass.size(); ++i)
      if (laplacian.mass[i] > 0) sum += left(i, c) * left(i, c) / laplacian.mass[i];
    worst = std::max(worst, std::sqrt(sum));
  }
  EXPECT_LE(worst, tolerance * largest);
  for (Eigen::Index c = 1; c < pairs.values.size(); ++c) EXPECT_LE(pairs.values[c - 1], pairs.values[c]);
}

// Eigenvalues l (l + 1), each 2 l + 1 times.
TEST(MassPairs, OfASphere) {
  for (const int level : {2, 3, 4}) {
    const MeshLaplacian laplacian = mesh_laplacian(sphere(level), context);
    const std::int64_t k = level == 2 ? 16 : 64;
    const Pairs pairs = smallest_mass_pairs(laplacian.stiffness, laplacian.mass, k, context);
    expect_pairs(laplacian, pairs, 1e-9);
    const double h = std::sqrt(4 * std::numbers::pi / static_cast<double>(laplacian.mass.size()));
    for (std::int64_t l = 0, i = 0; i < k; ++l)
      for (std::int64_t m = 0; m < 2 * l + 1 && i < k; ++m, ++i) {
        const double expected = static_cast<double>(l * (l + 1));
        EXPECT_NEAR(pairs.values[i], expected, expected * (expected / 16 + 1) * h * h + (l == 0 ? 0 : 1e-9)) << "level " << level << ", pair " << i;
      }
  }
}

TEST(MassPairs, OfAFineSphereAreAllFound) {
  const MeshLaplacian laplacian = mesh_laplacian(sphere(5), context);
  const Pairs pairs = smallest_mass_pairs(laplacian.stiffness, laplacian.mass, 128, context);
  expect_pairs(laplacian, pairs, 1e-9);
  for (std::int64_t i = 0; i < 128; ++i) {
    const auto l = static_cast<std::int64_t>(std::sqrt(static_cast<double>(i)));
    EXPECT_NEAR(pairs.values[i], static_cast<double>(l * (l + 1)), 0.02 * static_cast<double>(l * (l + 1))) << i;
  }
}

// Against the dense solution, which neither shifts nor inverts.
TEST(MassPairs, AgreeWithTheDenseSolution) {
  io::Mesh mesh = square(20, 0.2);
  mesh.points.insert(mesh.points.end(), {7, 7, 7});
  const MeshLaplacian laplacian = mesh_laplacian(mesh, context);
  const std::int64_t n = mesh.nodes() - 1;
  const Vector half = laplacian.mass.head(n).cwiseSqrt().cwiseInverse();
  const Matrix conjugate = half.asDiagonal() * dense(laplacian.stiffness).topLeftCorner(n, n) * half.asDiagonal();
  const Vector expected = symmetric_eigenvalues(conjugate);
  for (const std::int64_t k : {1, 2, 40, 440, 441, 500}) {
    const Pairs pairs = smallest_mass_pairs(laplacian.stiffness, laplacian.mass, k, context);
    ASSERT_EQ(pairs.values.size(), std::min(k, n));
    EXPECT_EQ(pairs.values[0], 0);
    EXPECT_LE((pairs.values - expected.head(pairs.values.size())).cwiseAbs().maxCoeff(), 1e-9 * expected[n - 1]);
    EXPECT_LE((pairs.values - expected.head(pairs.values.size())).head(std::min<std::int64_t>(k, 40)).cwiseAbs().maxCoeff(), 1e-9 * expected[39]);
    EXPECT_EQ(pairs.vectors.row(n).norm(), 0);
    expect_pairs(laplacian, pairs, 1e-9);
  }
}

// Two spheres that are the same: every eigenvalue twice as often.
TEST(MassPairs, OfSeveralPieces) {
  for (const int level : {1, 3}) {
    const io::Mesh one = sphere(level), both = together(one, one, 3);
    const MeshLaplacian single = mesh_laplacian(one, context), twice = mesh_laplacian(both, context);
    const Pairs expected = smallest_mass_pairs(single.stiffness, single.mass, 32, context), found = smallest_mass_pairs(twice.stiffness, twice.mass,
        64, context);
    expect_pairs(twice, found, 1e-9);
    for (std::int64_t i = 0; i < 64; ++i) EXPECT_NEAR(found.values[i], expected.values[i / 2], 1e-8 * expected.values[31]) << i;
  }
}

TEST(MassPairs, TheSameBitsForAnyNumberOfThreads) {
  const MeshLaplacian laplacian = mesh_laplacian(sphere(3), context);
  Context one, two;
  one.threads = 1;
  two.threads = 2;
  const Pairs a = smallest_mass_pairs(laplacian.stiffness, laplacian.mass, 40, one), b = smallest_mass_pairs(laplacian.stiffness, laplacian.mass, 40, two);
  EXPECT_TRUE(a.values == b.values);
  EXPECT_TRUE(a.vectors == b.vectors);
}

Matrix signature(const io::Mesh& mesh, std::int64_t k, const Vector& times) {
  const MeshLaplacian laplacian = mesh_laplacian(mesh, context);
  return heat_kernel_signature(smallest_mass_pairs(laplacian.stiffness, laplacian.mass, k, context), times);
}

TEST(HeatKernelSignature, TimesAreDiffusionNets) {
  const Vector times = signature_times();
  ASSERT_EQ(times.size(), 16);
  EXPECT_DOUBLE_EQ(times[0], 0.01);
  EXPECT_DOUBLE_EQ(times[15], 1);
  for (int i = 1; i < 16; ++i) EXPECT_NEAR(times[i] / times[i - 1], std::pow(10, 2 / 15.0), 4 * eps);
}

// sum_l (2 l + 1) exp(-l (l + 1) t) / (4 pi) at every point; what 121 pairs leave out is below exp(-132 t).
TEST(HeatKernelSignature, OfASphere) {
  const Vector times = (Vector(4) << 0.1, 0.2, 0.5, 1).finished();
  const io::Mesh mesh = sphere(4);
  const double h2 = 4 * std::numbers::pi / static_cast<double>(mesh.nodes());
  const Matrix found = signature(mesh, 121, times);
  for (int t = 0; t < 4; ++t) {
    double expected = 0;
    for (int l = 0; l < 60; ++l) expected += (2 * l + 1) * std::exp(-l * (l + 1) * times[t]) / (4 * std::numbers::pi);
    for (std::int64_t i = 0; i < mesh.nodes(); ++i) ASSERT_NEAR(found(i, t) / expected, 1, h2 / times[t]) << i << " at time " << times[t];
  }
}

TEST(HeatKernelSignature, IsInvariantUnderMotionsAndScales) {
  Random random(3, Purpose::test);
  io::Mesh mesh = sphere(3);
  for (double& value : mesh.points) value *= 1 + 0.1 * random.uniform();
  const Vector times = signature_times();
  const Matrix found = signature(mesh, 64, times);
  io::Mesh moved = mesh;
  Eigen::Map<Matrix> points(moved.points.data(), moved.nodes(), 3);
  points = (points * thin_qr(random_points(3, 3, 5)).q).eval();
  points.rowwise() += Eigen::RowVector3d(1, 2, 3);
  EXPECT_LE(relative_difference(signature(moved, 64, times), found), 1e-8);
  points *= 3;
  EXPECT_LE(relative_difference(9 * signature(moved, 64, 9 * times), found), 1e-8);
  const io::Mesh unit = in_unit_ball(moved);
  const Matrix there = points_of(unit);
  EXPECT_NEAR(there.rowwise().norm().maxCoeff(), 1, 4 * eps);
  EXPECT_LE(there.colwise().mean().norm(), 1e-14);
  EXPECT_LE(relative_difference(signature(unit, 64, times), signature(in_unit_ball(mesh), 64, times)), 1e-8);
}

}  // namespace
}  // namespace calor::engine
