// Kernels over all pairs against their definitions in plain loops here, on every instruction set, with 1 and 2 threads.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/paths.h"
#include "calor/kernels/stress.h"
#include "calor/kernels/symmetric.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

constexpr double far = std::numeric_limits<double>::infinity();
constexpr double eps = std::numeric_limits<double>::epsilon();

std::vector<double> normals(std::int64_t count, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  std::vector<double> x(static_cast<std::size_t>(count));
  for (double& value : x) value = random.normal();
  return x;
}

struct Graph {
  std::vector<std::int64_t> begin{0};
  std::vector<std::int32_t> column;
  std::vector<double> length;
  PathGraph view() const { return {static_cast<std::int64_t>(begin.size()) - 1, begin.data(), column.data(), length.data()}; }
};

// Random edges within the even and within the odd nodes, some of length 0; the last node has none.
Graph two_halves(std::int64_t nodes, std::int64_t edges) {
  std::vector<std::vector<double>> matrix(static_cast<std::size_t>(nodes), std::vector<double>(static_cast<std::size_t>(nodes), far));
  Random random(7, Purpose::test);
  for (std::int64_t e = 0; e < edges; ++e) {
    const auto i = static_cast<std::int64_t>(random.uniform() * static_cast<double>(nodes - 1));
    const auto j = static_cast<std::int64_t>(random.uniform() * static_cast<double>(nodes - 1));
    if (i == j || (i + j) % 2) continue;
    matrix[i][j] = matrix[j][i] = e % 11 == 0 ? 0 : random.uniform();
  }
  Graph graph;
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t j = 0; j < nodes; ++j)
      if (matrix[i][j] < far) {
        graph.column.push_back(static_cast<std::int32_t>(j));
        graph.length.push_back(matrix[i][j]);
      }
    graph.begin.push_back(static_cast<std::int64_t>(graph.column.size()));
  }
  return graph;
}

// Bellman and Ford, sums from the source.
std::vector<double> paths_by_definition(const Graph& graph, std::int64_t source) {
  const std::int64_t nodes = graph.view().nodes;
  std::vector<double> length(static_cast<std::size_t>(nodes), far);
  length[source] = 0;
  for (std::int64_t round = 0; round < nodes; ++round)
    for (std::int64_t i = 0; i < nodes; ++i)
      for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
        length[graph.column[e]] = std::min(length[graph.column[e]], length[i] + graph.length[e]);
  return length;
}

TEST(ShortestPaths, AreThoseOfBellmanAndFordToTheLastBit) {
  const Graph graph = two_halves(61, 260);
  const std::int64_t nodes = graph.view().nodes;
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    for (const std::vector<std::int32_t>& sources : {std::vector<std::int32_t>{0, 2, 4, 6, 8, 10, 12, 14}, {1, 3, 5}, {60}}) {
      const std::vector<std::int32_t> order = settling_order(graph.view(), sources.front());
      std::vector<double> reached(static_cast<std::size_t>(nodes * path_lanes));
      shortest_paths(graph.view(), sources, order, reached.data());
      for (std::int64_t lane = 0; lane < path_lanes; ++lane) {
        const bool used = lane < static_cast<std::int64_t>(sources.size());
        const std::vector<double> expected = used ? paths_by_definition(graph, sources[lane]) : std::vector<double>(static_cast<std::size_t>(nodes), far);
        for (std::int64_t i = 0; i < nodes; ++i) ASSERT_EQ(reached[i * path_lanes + lane], expected[i]) << isa << ", lane " << lane << ", node " << i;
      }
    }
  }
}

TEST(ShortestPaths, AreSettledNearestFirst) {
  const Graph graph = two_halves(61, 260);
  const std::vector<double> length = paths_by_definition(graph, 3);
  const std::vector<std::int32_t> order = settling_order(graph.view(), 3);
  std::int64_t reachable = 0;
  for (const double value : length) reachable += value < far;
  ASSERT_EQ(static_cast<std::int64_t>(order.size()), reachable);
  EXPECT_EQ(order.front(), 3);
  for (std::size_t n = 1; n < order.size(); ++n) EXPECT_LE(length[order[n - 1]], length[order[n]]);
}

SymmetricMatrix random_matrix(std::int64_t n, std::uint64_t seed, bool positive) {
  SymmetricMatrix a(n);
  const std::vector<double> x = normals(n * n, seed);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j) a.row(i)[j] = positive ? std::abs(x[i * n + j]) : x[i * n + j];
  return a;
}

double entry(const SymmetricMatrix& a, std::int64_t i, std::int64_t j) { return i > j ? a.row(i)[j] : a.row(j)[i]; }

TEST(SymmetricProduct, IsItsDefinition) {
  for (const std::int64_t n : {1, 2, 3, 4, 5, 7, 8, 63, 130, 1027}) {
    const SymmetricMatrix a = random_matrix(n, 1, false);
    const std::vector<double> x = normals(n * block_width, 2);
    std::vector<double> expected(x.size(), 0), bound(x.size(), 0);
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t c = 0; c < block_width; ++c) {
          expected[i * block_width + c] += entry(a, i, j) * x[j * block_width + c];
          bound[i * block_width + c] += 2 * static_cast<double>(n) * eps * std::abs(entry(a, i, j) * x[j * block_width + c]);
        }
    for (const std::string& isa : isa_names()) {
      const WithIsa forced(isa);
      std::vector<double> one(x.size()), two(x.size());
      Context context;
      context.threads = 1;
      symmetric_product(n, [&](std::int64_t i) { return a.row(i); }, x.data(), one.data(), context);
      context.threads = 2;
      symmetric_product(n, [&](std::int64_t i) { return a.row(i); }, x.data(), two.data(), context);
      for (std::size_t e = 0; e < x.size(); ++e) ASSERT_NEAR(one[e], expected[e], bound[e]) << isa << ", n = " << n << ", entry " << e;
      EXPECT_EQ(one, two) << isa << ", n = " << n;
    }
  }
}

TEST(StressPulls, AreTheirDefinition) {
  for (const std::int64_t n : {1, 2, 9, 17, 70, 600})
    for (const std::int64_t dims : {1, 2, 3, 5}) {
      const SymmetricMatrix delta = random_matrix(n, 3, true);
      std::vector<double> y = normals(n * dims, 4);
      if (n > 8)
        for (std::int64_t c = 0; c < dims; ++c) y[c * n + 1] = y[c * n + 8];  // coinciding
      std::vector<double> expected(y.size(), 0), size(y.size(), 0);
      double stress = 0;
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          double square = 0;
          for (std::int64_t c = 0; c < dims; ++c) square += (y[c * n + i] - y[c * n + j]) * (y[c * n + i] - y[c * n + j]);
          const double distance = std::sqrt(square);
          if (i < j) stress += (distance - entry(delta, i, j)) * (distance - entry(delta, i, j));
          if (distance == 0) continue;
          for (std::int64_t c = 0; c < dims; ++c) {
            const double pull = entry(delta, i, j) / distance * (y[c * n + i] - y[c * n + j]);
            expected[c * n + i] += pull;
            size[c * n + i] += std::abs(pull);
          }
        }
      for (const std::string& isa : isa_names()) {
        const WithIsa forced(isa);
        std::vector<double> one(y.size()), two(y.size());
        Context context;
        context.threads = 1;
        const double first = stress_pulls(delta, dims, y.data(), one.data(), context);
        context.threads = 2;
        const double second = stress_pulls(delta, dims, y.data(), two.data(), context);
        const double rounding = (static_cast<double>(n) + 8) * eps;
        EXPECT_NEAR(first, stress, 4 * rounding * stress) << isa << ", n = " << n;
        for (std::size_t e = 0; e < y.size(); ++e) ASSERT_NEAR(one[e], expected[e], 4 * rounding * size[e]) << isa << ", n = " << n << ", dims = " << dims;
        EXPECT_EQ(first, second);
        EXPECT_EQ(one, two);
      }
    }
}

}  // namespace
}  // namespace calor::kernels::test
