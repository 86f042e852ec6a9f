// The factorisation behind of=residual: solutions put back into the matrix, which shares no code with it.  Cholesky's method is
// backward stable: |A x - b| <= c n eps |A| |x| with c about 1 (Higham 2002, theorem 10.4); sizes straddle the widths of a panel (4, 8,
// 16) and of a block (128), and every instruction set is tried.
#include "calor/engine/solve/sparse_cholesky.h"

#include <gtest/gtest.h>

#include <limits>

#include "calor/kernels/attention.h"
#include "support.h"

namespace calor::engine {
namespace {

const Context context;

struct Entry {
  int row, column;
  double value;
};

// Both triangles of the entries (the lower one given), with a diagonal that makes it positive definite.
Sparse positive(int n, const std::vector<Entry>& lower) {
  std::vector<Eigen::Triplet<double>> all;
  Vector sums = Vector::Constant(n, 0.1);
  for (const auto& [row, column, value] : lower) {
    all.emplace_back(row, column, value);
    all.emplace_back(column, row, value);
    sums[row] += std::abs(value);
    sums[column] += std::abs(value);
  }
  for (int i = 0; i < n; ++i) all.emplace_back(i, i, sums[i]);
  Sparse a(n, n);
  a.setFromTriplets(all.begin(), all.end());
  return a;
}

Sparse chain(int n) {
  std::vector<Entry> entries;
  for (int i = 1; i < n; ++i) entries.push_back({i, i - 1, -1.0});
  return positive(n, entries);
}

Sparse full(int n) {
  std::vector<Entry> entries;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) entries.push_back({i, j, std::sin(i * 7.0 + j)});
  return positive(n, entries);
}

// Each node to some others at random, as neighbours in many dimensions are; node 0 to many; the last third is a graph of its own.
Sparse scattered(int n, int links, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  std::vector<Entry> entries;
  const int split = 2 * n / 3;
  for (int i = 1; i < n; ++i) {
    const int first = i < split ? 0 : split;
    for (int l = 0; l < links && i > first; ++l)
      entries.push_back({i, first + static_cast<int>(random.below(static_cast<std::uint64_t>(i - first))), random.normal()});
    if (i < split && i % 5 == 0) entries.push_back({i, 0, 0.5});
  }
  return positive(n, entries);
}

void expect_solved(const Sparse& a, const char* what) {
  SparseCholesky factors(a);
  ASSERT_TRUE(factors.factorise(a, context)) << what;
  const Vector b = random_points(a.rows(), 1, 3).col(0);
  const Vector x = factors.solve(b);
  const double n = static_cast<double>(a.rows());
  EXPECT_LE((a * x - b).norm(), n * std::numeric_limits<double>::epsilon() * a.norm() * x.norm()) << what << " of " << n;
}

TEST(SparseCholesky, SolvesOnEveryInstructionSet) {
  for (const std::string& isa : kernels::isa_names()) {
    kernels::force_isa(isa);
    for (const int n : {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 127, 128, 129, 257}) {
      expect_solved(chain(n), "chain");
      expect_solved(full(n), "full");
    }
    for (const int n : {60, 500, 1500}) expect_solved(scattered(n, 3, 5), "scattered");
  }
  kernels::force_isa("");
}

TEST(SparseCholesky, KnowsItsSizeBeforehand) {
  // A full matrix: nothing but the lower triangle, panels and blocks filled up to their widths.
  const int n = 300;
  const SparseCholesky factors(full(n));
  const double triangle = 0.5 * n * (n + 1);
  EXPECT_GE(factors.nonzeros(), triangle);
  EXPECT_LE(factors.nonzeros(), 1.6 * triangle);  // blocks of 100 columns: the upper triangle of each is stored too
  EXPECT_GE(factors.bytes(), 8 * static_cast<std::uint64_t>(factors.nonzeros()));
  EXPECT_NEAR(factors.operations(), n * (n + 1.0) * (2 * n + 1.0) / 12, 1);  // half the sum of squares
}

TEST(SparseCholesky, FactorisesAgainWithOtherNumbers) {
  Sparse a = scattered(400, 3, 5);
  SparseCholesky factors(a);
  const Vector b = random_points(400, 1, 3).col(0);
  ASSERT_TRUE(factors.factorise(a, context));
  const Vector first = factors.solve(b);
  a *= 2;
  ASSERT_TRUE(factors.factorise(a, context));
  EXPECT_LT((2 * factors.solve(b) - first).norm(), 1e-12 * first.norm());
}

TEST(SparseCholesky, RefusesWhatIsNotPositive) {
  Sparse a = scattered(300, 3, 5);
  a.coeffRef(150, 150) = -1;
  SparseCholesky factors(a);
  EXPECT_FALSE(factors.factorise(a, context));
}

}  // namespace
}  // namespace calor::engine
