// Products of sparse rows with pruning, and the step of Markov clustering that is made of them, against matrices of all values written here:
// every instruction set, sizes on both sides of a group of sixteen rows and of a tile of 2048 columns, and one thread against two.
// Tolerance: a sum of k products is rounded at most k times.
#include "calor/engine/pruned_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "calor/engine/linked_order.h"
#include "calor/engine/markov_clustering.h"
#include "calor/engine/packed_rows.h"
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

// Groups of `group` nodes with strong edges, and weak ones anywhere, named in an order that says nothing of the groups.
Csr clustered_flow(std::int64_t n, std::int64_t group, int inside, int outside, double weak, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  std::vector<std::int64_t> name(static_cast<std::size_t>(n));
  std::iota(name.begin(), name.end(), 0);
  for (std::int64_t i = n - 1; i > 0; --i) std::swap(name[i], name[static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(i + 1)))]);
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t first = i / group * group;
    const auto size = static_cast<std::uint64_t>(std::min(group, n - first));
    for (int e = 0; e < inside; ++e) edges.push_back({name[i], name[first + static_cast<std::int64_t>(random.below(size))], 0.5 + random.uniform()});
    for (int e = 0; e < outside; ++e) edges.push_back({name[i], name[static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)))], weak * random.uniform()});
  }
  Csr graph = from_edges(n, n, std::move(edges));
  for (std::int64_t i = 0; i < n; ++i) {
    const double sum = std::accumulate(graph.values.begin() + graph.begin[i], graph.values.begin() + graph.begin[i + 1], 0.0);
    for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e) graph.values[e] /= sum;
  }
  return graph;
}

// Rows that lead to most columns: strong values among weak ones are found by way of the few that reach them, others by adding up all, and a row that pruning
// leaves too little of takes smaller ones.  Negative values have no bound on what is passed over.
TEST_P(PrunedProductOnIsa, OfWideRowsIsThatOfAllValues) {
  for (const double weak : {1e-4, 0.05, 1.0})
    for (const bool negative : {false, true}) {
      Csr flow = clustered_flow(603, 30, 25, 50, weak, 5);
      if (negative) flow.values[17] = -flow.values[17];
      const Matrix values = dense_of_graph(flow), square = values * values;
      for (const Pruning& pruning : {Pruning{1e-4, 0, 0, 0.9}, Pruning{1e-3, 30, 60, 0.9}, Pruning{0.02, 25, 500, 0.999}, Pruning{0, 20, 0, 0.9}, Pruning{1e-4, 1100, 1400, 0.9}}) {
        if (negative && pruning.recover > 0) continue;  // the reference adds up values, not sizes
        Matrix expected = square;
        for (Eigen::Index i = 0; i < expected.rows(); ++i) {
          const Eigen::RowVectorXd signs = expected.row(i).cwiseSign();
          Eigen::RowVectorXd sizes = expected.row(i).cwiseAbs();
          prune_row(sizes, pruning);
          expected.row(i) = sizes.cwiseProduct(signs);
        }
        const SparseRows rows = rows_of(flow);
        Context one, two;
        one.threads = 1;
        two.threads = 2;
        const Csr found = csr_of(pruned_product(rows, rows, pruning, [](std::int64_t, SparseRow&) {}, "test", one));
        const Csr again = csr_of(pruned_product(rows, rows, pruning, [](std::int64_t, SparseRow&) {}, "test", two));
        EXPECT_LE((dense_of_graph(found) - expected).cwiseAbs().maxCoeff(), 200 * eps) << "weak " << weak << ", least " << pruning.least << ", keep " << pruning.keep;
        EXPECT_EQ(found.column, again.column);
        EXPECT_EQ(found.values, again.values);
        for (std::int64_t i = 0; i < found.rows; ++i) EXPECT_TRUE(std::is_sorted(found.column.begin() + found.begin[i], found.column.begin() + found.begin[i + 1]));
      }
    }
}

// A column that many small steps lift over what is kept: 9.5e-4 by a large step, 0.8e-4 by two hundred of 4e-7 that are passed over at first.
TEST_P(PrunedProductOnIsa, SmallStepsCount) {
  constexpr std::int64_t n = 3700, columns = 400, steps = 200, rows_like_this = 16, lifted = 20;
  std::vector<Edge> edges;
  for (std::int64_t to = 0; to < lifted; ++to) edges.push_back({10, to, 9.5e-4 / 0.8});
  for (std::int64_t i = 0; i < rows_like_this; ++i) {
    edges.push_back({3400 + i, 10, 0.8});
    for (std::int64_t step = 0; step < steps; ++step) {
      const std::int64_t through = 100 + i * steps + step;
      edges.push_back({3400 + i, through, 1e-3});
      for (std::int64_t to = 0; to < columns; ++to) edges.push_back({through, to, 4e-4});
    }
  }
  const SparseRows rows = rows_of(from_edges(n, n, std::move(edges)));
  const SparseRows found = pruned_product(rows, rows, {1e-3, 0, 0, 0.9}, [](std::int64_t, SparseRow&) {}, "test", Context());
  for (std::int64_t i = 0; i < rows_like_this; ++i) {
    const SparseRow& row = found.rows[3400 + i];
    ASSERT_EQ(row.column.size(), static_cast<std::size_t>(lifted));
    for (const double value : row.value) EXPECT_NEAR(value, 10.3e-4, 1e-15);
  }
}

TEST(PrunedProduct, OfMoreColumnsThanAPackedTileHasIsTheSame) {
  constexpr std::int64_t n = PackedRows::tile + 300, hubs = 40;  // a few hubs lead everywhere: every row that leads to them is wide
  Random random(9, Purpose::test);
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < n; ++i)
    for (int e = 0; e < 3; ++e) edges.push_back({i, static_cast<std::int64_t>(random.below(hubs)), 0.1 + random.uniform()});
  for (std::int64_t h = 0; h < hubs; ++h)
    for (std::int64_t i = h % 2; i < n; i += 2 + h % 5) edges.push_back({h, i, (1 + random.uniform()) / (i % 97 ? 3e4 : 300.0)});
  const Csr flow = from_edges(n, n, std::move(edges));
  const SparseRows rows = rows_of(flow);
  const Pruning pruning{1e-3, 0, 0, 0.9};
  const SparseRows found = pruned_product(rows, rows, pruning, [](std::int64_t, SparseRow&) {}, "test", Context());
  for (const std::int64_t i : {std::int64_t{3}, hubs + 1, n / 2, n - 1}) {
    std::vector<double> sums(static_cast<std::size_t>(n), 0);
    for (std::size_t e = 0; e < rows.rows[i].column.size(); ++e) {
      const SparseRow& through = rows.rows[rows.rows[i].column[e]];
      for (std::size_t f = 0; f < through.column.size(); ++f) sums[through.column[f]] += rows.rows[i].value[e] * through.value[f];
    }
    std::size_t at = 0;
    for (std::int64_t c = 0; c < n; ++c) {
      if (sums[c] < pruning.least) continue;
      ASSERT_LT(at, found.rows[i].column.size());
      EXPECT_EQ(found.rows[i].column[at], c);
      EXPECT_NEAR(found.rows[i].value[at++], sums[c], 100 * eps * sums[c]);
    }
    EXPECT_GT(at, 0U);
    EXPECT_EQ(at, found.rows[i].column.size());
  }
}

// A row's bins and a column's rows hold what the matrix holds, and what is passed over is bounded as said.
TEST(PackedRowsTest, HoldTheMatrixInAnotherOrder) {
  const Csr flow = clustered_flow(500, 25, 10, 20, 0.01, 2);
  const SparseRows matrix = rows_of(flow);
  const std::vector<std::int32_t> order = linked_order(matrix);
  std::vector<std::int32_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::int32_t i = 0; i < 500; ++i) ASSERT_EQ(sorted[i], i);
  const PackedRows packed(matrix, order);
  const PackedColumns packed_columns(packed);
  const Matrix values = dense_of_graph(flow);
  Matrix by_rows = Matrix::Zero(500, 500), by_columns = by_rows;
  for (std::int32_t p = 0; p < 500; ++p) {
    EXPECT_EQ(packed.place(order[p]), p);
    EXPECT_NEAR(packed.sum(p), 1, 1e-12);
    const auto piece = packed.piece(0, p);
    EXPECT_EQ(piece.count, packed.edges(p));
    for (std::int64_t e = 0; e < piece.count; ++e) by_rows(order[p], order[piece.column[e]]) = piece.value[e];
    const auto column = packed_columns.column(p);
    EXPECT_TRUE(std::is_sorted(column.row.begin(), column.row.end()));
    for (std::size_t e = 0; e < column.row.size(); ++e) by_columns(order[column.row[e]], order[p]) = column.value[e];
    double beyond = 0;
    for (const double most : {1.0, 0.02, 0.003, 0.0002, 0.0}) {
      const std::int64_t number = packed.bins_above(p, 0.5, most, beyond);
      EXPECT_LE(beyond, most);
      for (std::int64_t e = packed.edges(p, number); e < piece.count; ++e) EXPECT_LE(0.5 * piece.value[e], beyond);
    }
    EXPECT_EQ(packed.bins_above(p, 0.5, 0, beyond), PackedRows::bins);
  }
  EXPECT_EQ((by_rows - values).cwiseAbs().maxCoeff(), 0);
  EXPECT_EQ((by_columns - values).cwiseAbs().maxCoeff(), 0);
}

// In the order of a flow's linkage a group is a run.
TEST(LinkedOrder, PutsGroupsTogether) {
  const Csr flow = clustered_flow(600, 30, 25, 1, 1e-3, 4);
  Random random(4, Purpose::test);  // the names as clustered_flow draws them
  std::vector<std::int64_t> name(600), group(600);
  std::iota(name.begin(), name.end(), 0);
  for (std::int64_t i = 599; i > 0; --i) std::swap(name[i], name[static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(i + 1)))]);
  for (std::int64_t i = 0; i < 600; ++i) group[name[i]] = i / 30;
  const std::vector<std::int32_t> order = linked_order(rows_of(flow));
  std::int64_t changes = 0;
  for (std::size_t p = 1; p < order.size(); ++p) changes += group[order[p]] != group[order[p - 1]];
  EXPECT_EQ(changes, 19);
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
  context.memory = MemoryLimit(900'000);
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
