// The descents of t-SNE, SNE and UMAP: gradients by central differences, the grid against all pairs with its bound, losses that do not
// rise, the fitted curve against umap-learn's, and the same bits for any number of threads.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <string>

#include "calor/engine/solve/gaussian_descent.h"
#include "calor/engine/solve/dense.h"
#include "calor/engine/solve/rational_descent.h"
#include "calor/engine/solve/slow_modes.h"
#include "calor/engine/solve/start.h"
#include "calor/engine/solve/student_descent.h"
#include "calor/kernels/student_sums.h"
#include "support.h"

namespace calor::engine {
namespace {

// Each point to the next three around a ring, both ways, weights that add up to `total`.
Csr ring(std::int64_t n, double total) {
  std::vector<Edge> edges;
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t step = 1; step <= 3; ++step) {
      const double weight = 1 / static_cast<double>(step + i % 2);
      edges.push_back({i, (i + step) % n, weight});
      edges.push_back({(i + step) % n, i, weight});
      sum += 2 * weight;
    }
  for (Edge& edge : edges) edge.value *= total / sum;
  return from_edges(n, n, std::move(edges));
}

Context with_threads(int threads) {
  Context context;
  context.threads = threads;
  return context;
}

// dL/dY = 4 times what is returned.  Differences of 1e-5: an error of h^2 L''' / 6 + eps L / h, below 1e-9.
TEST(StudentLoss, GradientByCentralDifferences) {
  constexpr std::int64_t n = 37;
  const Csr p = ring(n, 1);
  for (const double freedom : {1.0, 0.5, 2.0})
    for (const std::int64_t dims : {1, 2, 3, 4}) {
      StudentLoss loss(p, dims, freedom, StudentSums::exact);
      const Matrix y = random_points(n, dims, 4);
      std::vector<double> points(static_cast<std::size_t>(dims * loss.stride()), 0.0), gradient(points.size()), unused(points.size());
      for (std::int64_t c = 0; c < dims; ++c)
        for (std::int64_t i = 0; i < n; ++i) points[c * loss.stride() + i] = y(i, c);
      loss(points.data(), 1, true, gradient.data(), Context());
      constexpr double h = 1e-5;
      for (std::int64_t c = 0; c < dims; ++c)
        for (std::int64_t i = 0; i < n; ++i) {
          double& at = points[c * loss.stride() + i];
          const double before = at;
          at = before + h;
          const double above = loss(points.data(), 1, true, unused.data(), Context());
          at = before - h;
          const double below = loss(points.data(), 1, true, unused.data(), Context());
          at = before;
          ASSERT_NEAR(4 * gradient[c * loss.stride() + i], (above - below) / (2 * h), 1e-8) << "freedom " << freedom << ", " << dims << " dimensions";
        }
    }
}

TEST(StudentLoss, IsTheDivergenceByHand) {
  const Csr p = ring(20, 1);
  const Matrix y = random_points(20, 2, 6);
  double total = 0, expected = 0;
  const auto weight = [&](Eigen::Index i, Eigen::Index j) { return 1 / (1 + (y.row(i) - y.row(j)).squaredNorm()); };
  for (int i = 0; i < 20; ++i)
    for (int j = 0; j < 20; ++j) total += i == j ? 0 : weight(i, j);
  for (int i = 0; i < 20; ++i)
    for (std::int64_t e = p.begin[i]; e < p.begin[i + 1]; ++e) expected += p.values[e] * std::log(p.values[e] * total / weight(i, p.column[e]));
  StudentLoss loss(p, 2, 1, StudentSums::exact);
  std::vector<double> points(static_cast<std::size_t>(2 * loss.stride()), 0.0), gradient(points.size());
  for (int c = 0; c < 2; ++c)
    for (int i = 0; i < 20; ++i) points[c * loss.stride() + i] = y(i, c);
  EXPECT_NEAR(loss(points.data(), 1, true, gradient.data(), Context()), expected, 1e-12);
}

// The bounds are those that student_grid.h gives.
TEST(StudentGrid, IsTheSumOverAllPairsWithinItsBound) {
  for (const double spread : {1e-4, 1.0, 10.0, 40.0})
    for (const double freedom : {1.0, 0.5})
      for (const std::int64_t n : {3, 100, 1500}) {
        const std::int64_t stride = kernels::padded(n);
        const Matrix y = spread * random_points(n, 2, 8);
        std::vector<double> points(static_cast<std::size_t>(2 * stride), 0.0), exact(points.size()), found(points.size());
        for (std::int64_t c = 0; c < 2; ++c)
          for (std::int64_t i = 0; i < n; ++i) points[c * stride + i] = y(i, c);
        const double total = kernels::student_sums(n, 2, points.data(), stride, freedom, exact.data(), Context());
        StudentGrid grid(freedom);
        const double sum = grid.sums(n, points.data(), stride, 0, n, found.data(), Context());
        EXPECT_NEAR(sum, total, 2e-3 * (total + static_cast<double>(n))) << n << " points, spread " << spread << ", freedom " << freedom;
        if (n < 1500) continue;
        double largest = 0, worst = 0;
        for (std::size_t e = 0; e < exact.size(); ++e) {
          largest = std::max(largest, std::abs(exact[e]));
          worst = std::max(worst, std::abs(exact[e] - found[e]));
        }
        EXPECT_LT(worst, 0.015 * largest) << "spread " << spread << ", freedom " << freedom;
        std::vector<double> again(points.size());
        EXPECT_EQ(grid.sums(n, points.data(), stride, 0, n, again.data(), with_threads(3)), sum);
        EXPECT_EQ(again, found);
      }
}

TEST(StudentDescent, TheSameBitsForAnyNumberOfThreads) {
  const Csr p = ring(900, 1);
  Matrix start = random_points(900, 2, 2) * 1e-4;
  for (const StudentSums sums : {StudentSums::exact, StudentSums::grid}) {
    StudentOptions options;
    options.steps = 60;
    options.early_steps = 20;
    options.sums = sums;
    const DescentResult one = student_descent(p, start, options, with_threads(1));
    EXPECT_EQ(one.points, student_descent(p, start, options, with_threads(3)).points);
    EXPECT_LT(one.loss, one.losses.front());
  }
}

Similarity row_stochastic(std::int64_t n) {
  Csr graph = ring(n, 1);
  for (std::int64_t i = 0; i < n; ++i) {
    double sum = 0;
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) sum += graph.values[e];
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) graph.values[e] /= sum;
  }
  return stored_similarity(std::move(graph));
}

TEST(GaussianLoss, GradientByCentralDifferences) {
  for (const std::int64_t dims : {1, 2, 3, 4}) {
    const GaussianLoss loss(row_stochastic(31), Context());
    Matrix y = random_points(31, dims, 5), gradient, unused;
    loss(y, gradient, Context());
    constexpr double h = 1e-5;
    for (Eigen::Index e = 0; e < y.size(); ++e) {
      const double before = y.data()[e];
      y.data()[e] = before + h;
      const double above = loss(y, unused, Context());
      y.data()[e] = before - h;
      const double below = loss(y, unused, Context());
      y.data()[e] = before;
      ASSERT_NEAR(gradient.data()[e], (above - below) / (2 * h), 1e-6);  // losses of some hundred: eps L / h
    }
  }
}

TEST(GaussianDescent, NeverRisesAndGivesTheSameBits) {
  const GaussianLoss loss(row_stochastic(120), Context());
  for (const double deviation : {1e-4, 1.0, 100.0}) {
    Matrix one = random_points(120, 2, 7) * deviation, three = one;
    DownhillOptions options;
    options.most_steps = 200;
    const Downhill found = gaussian_descent(loss, one, options, with_threads(1));
    ASSERT_GT(found.values.size(), 10);
    for (std::size_t s = 1; s < found.values.size(); ++s) ASSERT_LE(found.values[s], found.values[s - 1]) << "step " << s;
    EXPECT_LT(found.values.back(), 0.8 * found.values.front());
    gaussian_descent(loss, three, options, with_threads(3));
    EXPECT_EQ(one, three);
  }
}

// umap-learn 0.5.12: python -c "from umap.umap_ import find_ab_params as f; print(f(1, 0.1))", by scipy's curve_fit (to about 1e-8).
TEST(RationalCurve, IsUmapLearns) {
  struct Known {
    double spread, min_dist, a, b;
  };
  for (const Known& known : {Known{1, 0.1, 1.57694346046584, 0.8950608779639974}, Known{1, 0.5, 0.5830300203968329, 1.3341669926352966},
                             Known{1, 0.0, 1.9328083980052901, 0.7904949736958765}, Known{2, 0.3, 0.37949468863916164, 0.9488152193905367},
                             Known{1.5, 0.25, 0.6218944604464236, 0.966823341613296}}) {
    const RationalCurve found = fit_curve(known.spread, known.min_dist);
    EXPECT_NEAR(found.a, known.a, 1e-5 * known.a) << known.spread << ", " << known.min_dist;
    EXPECT_NEAR(found.b, known.b, 1e-5 * known.b) << known.spread << ", " << known.min_dist;
  }
}

TEST(RationalDescent, TheSameBitsForAnyNumberOfThreads) {
  const Csr weights = ring(700, 700);
  const Matrix start = 5 + random_points(700, 2, 2).array();
  RationalOptions options;
  options.curve = fit_curve(1, 0.1);
  options.epochs = 30;
  const Matrix one = rational_descent(weights, start, options, with_threads(1));
  for (const int threads : {2, 3}) EXPECT_EQ(one, rational_descent(weights, start, options, with_threads(threads)));
  options.seed = 1;
  EXPECT_NE(one, rational_descent(weights, start, options, with_threads(1)));
}

TEST(Start, PrincipalComponentsAreThoseOfTheCovariance) {
  for (const std::int64_t d : {1, 3, 40, 300}) {
    Matrix x = random_points(500, d, 3);
    for (Eigen::Index c = 0; c < d; ++c) x.col(c) *= 1 / (1.0 + static_cast<double>(c) * 0.5);
    x.array() += 7;
    const Matrix found = principal_start(x, 2, Context());
    const Matrix centred = x.rowwise() - x.colwise().mean();
    Vector axis = Vector::Random(d);
    for (int step = 0; step < 3000; ++step) axis = (centred.transpose() * (centred * axis)).normalized();
    const Vector expected = centred * axis;
    EXPECT_GT(std::abs(expected.normalized().dot(found.col(0).normalized())), 1 - 1e-4);
    EXPECT_NEAR(found.col(0).norm(), expected.norm(), 1e-3 * expected.norm());
    if (d == 1) {
      EXPECT_EQ(found.col(1).norm(), 0);
    }
  }
}

Csr star(std::int64_t n) {
  std::vector<Edge> edges;
  for (std::int64_t i = 1; i < n; ++i) {
    edges.push_back({0, i, 0.5});
    edges.push_back({i, 0, 0.5});
  }
  return from_edges(n, n, std::move(edges));
}

// Two rings of n / 2 held together by one weak edge: a mode that hardly decays.
Csr barbell(std::int64_t n) {
  const Csr half = ring(n / 2, 1);
  std::vector<Edge> edges{{0, n / 2, 1e-4}, {n / 2, 0, 1e-4}};
  for (const std::int64_t first : {std::int64_t{0}, n / 2})
    for (std::int64_t i = 0; i < half.rows; ++i)
      for (std::int64_t e = half.begin[i]; e < half.begin[i + 1]; ++e) edges.push_back({first + i, first + half.column[e], half.values[e]});
  return from_edges(n, n, std::move(edges));
}

Csr complete(std::int64_t n) {
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      if (i != j) edges.push_back({i, j, 1.0 / static_cast<double>(1 + (i + j) % 3)});
  return from_edges(n, n, std::move(edges));
}

// The truth is a dense decomposition in double.  Residuals as slow_modes.h bounds them, 1e-6 for a product in double beside its own in floats; a value is off
// by no more than its residual.
TEST(SlowModes, AreTheLeadingEigenvectorsWithinTheirBound) {
  const std::map<std::string, Csr> graphs{{"ring", ring(700, 1)}, {"star", star(300)}, {"barbell", barbell(600)}, {"complete", complete(250)}, {"small", ring(40, 1)}};
  for (const auto& [name, graph] : graphs) {
    const std::int64_t n = graph.rows;
    std::vector<std::int64_t> all(static_cast<std::size_t>(n));
    std::iota(all.begin(), all.end(), 0);
    Eigen::MatrixXd walk = Eigen::MatrixXd::Zero(n, n);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) walk(i, graph.column[e]) += graph.values[e];
    const Vector root = walk.rowwise().sum().cwiseSqrt();
    walk = root.cwiseInverse().asDiagonal() * walk * root.cwiseInverse().asDiagonal();
    const Vector values = symmetric_eigenvalues(walk).reverse();
    for (const std::int64_t count : {1, 2, 7}) {
      const Matrix found = slow_modes(graph, all, all, count, with_threads(1));
      ASSERT_EQ(found.cols(), count);
      EXPECT_LT((found.transpose() * found - Matrix::Identity(count, count)).cwiseAbs().maxCoeff(), 1e-5) << name;
      EXPECT_LT((found.transpose() * root.normalized()).cwiseAbs().maxCoeff(), 1e-5) << name;
      for (std::int64_t c = 0; c < count; ++c) {
        const Vector mode = found.col(c), walked = walk * mode;
        const double value = mode.dot(walked), bound = std::max(1e-6, 0.03 * (1 - value)) + 1e-6;
        EXPECT_LT((walked - value * mode).norm(), bound) << name << ", mode " << c << " of " << count;
        EXPECT_NEAR(value, values[c + 1], bound) << name << ", mode " << c << " of " << count;
      }
      EXPECT_EQ(found, slow_modes(graph, all, all, count, with_threads(3))) << name;
    }
  }
}

// Islands that hang together by a thread have modes that only very many products would tell apart: the work has an end all the same.
TEST(SlowModes, TakeABoundedNumberOfProducts) {
  constexpr std::int64_t islands = 30, size = 8;
  std::vector<Edge> edges;
  const auto both_ways = [&](std::int64_t a, std::int64_t b, double weight) {
    edges.push_back({a, b, weight});
    edges.push_back({b, a, weight});
  };
  for (std::int64_t first = 0; first < islands * size; first += size) {
    for (std::int64_t n = 0; n < size; ++n) both_ways(first + n, first + (n + 1) % size, 1);
    if (first > 0) both_ways(first, first - 1, 1e-9);
  }
  const Csr graph = from_edges(islands * size, islands * size, std::move(edges));
  std::vector<std::int64_t> all(static_cast<std::size_t>(graph.rows));
  std::iota(all.begin(), all.end(), 0);
  std::int64_t products = 0;
  const Matrix found = slow_modes(graph, all, all, 2, Context(), &products);
  EXPECT_GT(products, 0);
  EXPECT_LE(products, 4000);
  EXPECT_LT((found.transpose() * found - Matrix::Identity(2, 2)).cwiseAbs().maxCoeff(), 1e-4);
}

// A chain's slowest mode is half a cosine, on which D^-1/2 leaves its trace at the ends; two rings are laid out apart.
TEST(Start, TheSlowestModeOfAChainIsHalfACosine) {
  for (const std::int64_t n : {100, 400}) {
    std::vector<Edge> chain;
    Vector cosine(n);
    for (std::int64_t i = 0; i < n; ++i) {
      cosine[i] = std::cos(3.14159265358979 * (static_cast<double>(i) + 0.5) / static_cast<double>(n));
      for (std::int64_t step = 1; step <= 3 && i + step < n; ++step) {
        chain.push_back({i, i + step, 1.0});
        chain.push_back({i + step, i, 1.0});
      }
    }
    const Matrix found = spectral_start(from_edges(n, n, chain), 2, Context());
    EXPECT_GT(std::abs(found.col(0).normalized().dot(cosine.normalized())), 0.99) << n;
    EXPECT_LE(found.cwiseAbs().maxCoeff(), 1);
  }
  std::vector<Edge> edges;
  const Csr one = ring(50, 1);
  for (std::int64_t i = 0; i < 50; ++i)
    for (std::int64_t e = one.begin[i]; e < one.begin[i + 1]; ++e) {
      edges.push_back({i, one.column[e], one.values[e]});
      edges.push_back({i + 50, one.column[e] + 50, one.values[e]});
    }
  const Matrix both = spectral_start(from_edges(101, 101, edges), 2, Context());  // and a point on its own
  EXPECT_TRUE(both.allFinite());
  EXPECT_GT((both.topRows(50).colwise().mean() - both.middleRows(50, 50).colwise().mean()).norm(), 0.5);
}

}  // namespace
}  // namespace calor::engine
