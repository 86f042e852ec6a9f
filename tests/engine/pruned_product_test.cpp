// Products of sparse rows with pruning, and the step of Markov clustering that is made of them, against matrices of all values written here:
// every instruction set, sizes on both sides of a group of sixteen rows and of a tile of 2048 columns, and one thread against two.
// Tolerance: a sum of k products is rounded at most k times.
#include "calor/engine/pruned_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/engine/markov_clustering.h"
#include "isa.h"
#include "support.h"

namespace calor::engine {
namespace {

constexpr double eps = std::numeric_limits<double>::epsilon();

// n x n, about `degree` values a row, rows adding up to 1.
Csr random_flow(std::int64_t n, double degree, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < n; ++i) {
    edges.push_back({i, i, 0.1 + random.uniform()});
    for (int e = 0; e < static_cast<int>(degree); ++e)
      edges.push_back({i, static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n))), 0.1 + random.uniform()});
  }
  Csr graph = from_edges(n, n, std::move(edges));
  for (std::int64_t i = 0; i < n; ++i) {
    const double sum = std::accumulate(graph.values.begin() + graph.begin[i], graph.values.begin() + graph.begin[i + 1], 0.0);
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) graph.values[e] /= sum;
  }
  return graph;
}

Matrix dense_of_graph(const Csr& graph) {
  Matrix values = Matrix::Zero(graph.rows, graph.columns);
  for (std::int64_t i = 0; i < graph.rows; ++i)
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) values(i, graph.column[e]) = graph.values[e];
  return values;
}

// What Pruning says, of a row with all its values.
void prune_row(Eigen::Ref<Eigen::RowVectorXd> row, const Pruning& pruning) {
  std::vector<double> sorted(row.begin(), row.end());
  std::sort(sorted.rbegin(), sorted.rend());
  const auto mass_from = [&](double from) { return row.unaryExpr([&](double v) { return v >= from ? v : 0; }).sum(); };
  const auto kth = [&](std::int64_t k) { return k >= row.size() ? 0 : sorted[static_cast<std::size_t>(k - 1)] * (1 - 1e-9); };
  double from = pruning.least * (1 - 1e-9);
  const auto left = static_cast<std::int64_t>((row.array() >= from && row.array() > 0).count());
  const std::int64_t recover = pruning.recover ? std::max(pruning.keep, pruning.recover) : 0;
  if (mass_from(from) < pruning.mass * row.sum() && left < recover) {
    from = kth(recover);
  } else if (pruning.keep && left > pruning.keep) {
    from = kth(pruning.keep);
    if (recover && mass_from(from) < pruning.mass * row.sum()) from = kth(recover);
  }
  row = row.unaryExpr([&](double v) { return v >= from ? v : 0; }).eval();
}

const std::vector<Pruning>& prunings() {
  static const std::vector<Pruning> all{{0, 0, 0, 0.9}, {0.01, 0, 0, 0.9}, {0.03, 0, 12, 0.9}, {0.001, 9, 0, 0.9}, {0.001, 5, 11, 0.9}, {0.05, 3, 4, 0.2}, {0.02, 8, 2, 1}};
  return all;
}

class PrunedProductOnIsa : public OnIsa {};
CALOR_ON_EVERY_ISA(PrunedProductOnIsa);

TEST_P(PrunedProductOnIsa, IsThatOfAllValues) {
  for (const std::int64_t n : {1, 2, 15, 16, 17, 50, 131})
    for (const double degree : {0.0, 2.0, 7.0, 40.0}) {
      const Csr flow = random_flow(n, degree, 7 + static_cast<std::uint64_t>(n));
      const Matrix square = dense_of_graph(flow) * dense_of_graph(flow);
      for (const Pruning& pruning : prunings()) {
        Matrix expected = square;
        for (Eigen::Index i = 0; i < n; ++i) prune_row(expected.row(i), pruning);
        const SparseRows rows = rows_of(flow);
        const Matrix found = dense_of_graph(csr_of(pruned_product(rows, rows, pruning, [](std::int64_t, SparseRow&) {}, "test", Context())));
        EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), static_cast<double>(n) * eps) << n << " rows, degree " << degree << ", least " << pruning.least << ", keep " << pruning.keep;
      }
    }
}

TEST(PrunedProduct, OfMoreColumnsThanATileHasIsTheSame) {
  const Csr flow = random_flow(2100, 60, 3);  // sixteen rows meet more values than there are columns
  const SparseRows rows = rows_of(flow);
  const Pruning pruning{1e-5, 300, 400, 0.9};
  const Matrix values = dense_of_graph(flow);
  Matrix expected = values * values;
  for (Eigen::Index i = 0; i < expected.rows(); ++i) prune_row(expected.row(i), pruning);
  Context one, two;
  one.threads = 1;
  two.threads = 2;
  const Csr found = csr_of(pruned_product(rows, rows, pruning, [](std::int64_t, SparseRow&) {}, "test", one));
  const Csr again = csr_of(pruned_product(rows, rows, pruning, [](std::int64_t, SparseRow&) {}, "test", two));
  EXPECT_LE((dense_of_graph(found) - expected).cwiseAbs().maxCoeff(), 100 * eps);
  EXPECT_EQ(found.column, again.column);
  EXPECT_EQ(found.values, again.values);
}

TEST(PrunedProduct, KeepsValuesThatAreEqual) {
  // A star: the hub's row has one value for every leaf.
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < 30; ++i) edges.push_back({0, i, 1.0 / 30});
  for (std::int64_t i = 1; i < 30; ++i) {
    edges.push_back({i, 0, 0.5});
    edges.push_back({i, i, 0.5});
  }
  const SparseRows rows = rows_of(from_edges(30, 30, std::move(edges)));
  const SparseRows found = pruned_product(rows, rows, {0, 4, 0, 0.9}, [](std::int64_t, SparseRow&) {}, "test", Context());
  EXPECT_EQ(found.rows[0].column.size(), 30U);
}

TEST(PrunedProduct, IsRefusedBeyondTheLimit) {
  const SparseRows rows = rows_of(random_flow(300, 40, 5));
  Context context;
  context.memory = MemoryLimit(100'000);
  expect_fault(Fault::memory, "the values that the pruning keeps", [&] { pruned_product(rows, rows, {}, [](std::int64_t, SparseRow&) {}, "test", context); });
  EXPECT_GT(pruned_product(rows, rows, {0, 20, 20, 0.9}, [](std::int64_t, SparseRow&) {}, "test", context).edges(), 0);
}

TEST(MarkovStep, IsExpandInflateNormalise) {
  for (const std::int64_t n : {1, 3, 40, 100})
    for (const double inflation : {1.4, 2.0, 3.7})
      for (const std::int64_t power : {2, 3}) {
        const Csr flow = random_flow(n, 4, 11);
        const Pruning pruning{0.01, 0, 0, 0.9};
        const Matrix once = dense_of_graph(flow);
        Matrix expected = once;
        for (std::int64_t step = 1; step < power; ++step) {
          expected *= once;
          for (Eigen::Index i = 0; i < n; ++i) prune_row(expected.row(i), pruning);
        }
        expected = expected.array().pow(inflation);
        for (Eigen::Index i = 0; i < n; ++i) expected.row(i) /= expected.row(i).sum();
        double change = 0;
        const Matrix found = dense_of_graph(csr_of(markov_step(rows_of(flow), {power, inflation, pruning}, change, Context())));
        EXPECT_LE((found - expected).cwiseAbs().maxCoeff(), 10 * static_cast<double>(n) * eps);
        EXPECT_NEAR(change, (expected - once).cwiseAbs().maxCoeff() / expected.maxCoeff(), 10 * static_cast<double>(n) * eps);
      }
}

TEST(Attraction, NamesSystemsAndWhatFlowsThere) {
  // 0, 1 attract each other; 2 flows there; 3 keeps its own; 4 flows to both systems; 5 has nothing; 6 is on its way to 3.
  const Csr flow = from_edges(7, 7, {{0, 0, 0.5}, {0, 1, 0.5}, {1, 0, 0.5}, {1, 1, 0.5}, {2, 0, 0.5}, {2, 1, 0.5}, {3, 3, 1}, {4, 1, 0.5}, {4, 3, 0.5}, {6, 3, 0.9}, {6, 0, 0.1}});
  const Attraction found = attraction(rows_of(flow));
  EXPECT_EQ(found.cluster, (std::vector<std::int64_t>{0, 0, 0, 1, 0, 2, 1}));
  EXPECT_EQ(found.leads_to, (std::vector<std::int64_t>{0, 0, 0, 3, 0, 5, 3}));
  EXPECT_EQ(found.clusters, 3);
  EXPECT_EQ(found.attractors, 3);
  EXPECT_EQ(found.shared, 1);
}

}  // namespace
}  // namespace calor::engine
