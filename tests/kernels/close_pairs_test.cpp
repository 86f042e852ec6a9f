// Pairs within reach against all distances in double, on every instruction set; exactly those.  Reaches are distances that
// occur, so that equality decides.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/kernels/close_pairs.h"
#include "calor/kernels/neighbours.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

// Multiples of 2^-10 plus an offset: distances squared are exact.
std::vector<double> points(std::int64_t count, std::int64_t dim, double offset, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  std::vector<double> at(static_cast<std::size_t>(count * dim));
  for (double& value : at) value = std::round(random.normal() * 1024) / 1024 + offset;
  return at;
}

void expect_exact(std::int64_t row_count, std::int64_t column_count, std::int64_t dim, double offset, bool leave_itself_out) {
  const auto x = points(row_count, dim, offset, 1), y = points(column_count, dim, offset, 2);
  ClosePairsProblem problem;
  problem.rows = {x.data(), row_count, dim, nullptr};
  problem.columns = {y.data(), column_count, dim, nullptr};
  problem.leave_itself_out = leave_itself_out;
  const auto measure = [&](std::int64_t i, std::int64_t j) { return squared_distance(x.data() + i * dim, y.data() + j * dim, dim); };
  for (std::int64_t j = 0; j < column_count; ++j) problem.reach.push_back(j % 7 == 3 ? 0 : measure(j * 5 % row_count, j));
  problem.reach[0] = std::numeric_limits<double>::infinity();
  problem.close = [&](std::int64_t i, std::int64_t j) { return measure(i, j) <= problem.reach[j]; };
  std::vector<std::vector<std::int32_t>> expected(static_cast<std::size_t>(row_count));
  for (std::int64_t i = 0; i < row_count; ++i)
    for (std::int64_t j = 0; j < column_count; ++j)
      if (problem.close(i, j) && !(leave_itself_out && i == j)) expected[i].push_back(static_cast<std::int32_t>(j));
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    for (const int threads : {1, 2}) {
      Context context;
      context.threads = threads;
      ASSERT_EQ(close_pairs(problem, context), expected)
          << isa << ": " << row_count << " x " << column_count << " x " << dim << " at " << offset << ", " << threads << " threads";
    }
  }
}

TEST(ClosePairs, EqualAllDistances) {
  for (const double offset : {0.0, 1e6})
    for (const std::int64_t rows : {1, 31, 257})
      for (const std::int64_t columns : {1, 32, 300}) {
        expect_exact(rows, columns, 3, offset, false);
        expect_exact(rows, columns, 20, offset, true);
      }
}

// Blocks in order, of which far ones are passed over, and screening by leading coordinates: the same as pair by pair.
TEST(ClosePairs, InBlocksOfNearPoints) {
  for (const std::int64_t dim : {3, 40}) {
    constexpr std::int64_t rows = 2300, columns = 2400;
    auto x = points(rows, dim, 0, 5), y = points(columns, dim, 0, 6);
    for (auto* at : {&x, &y})
      for (std::size_t n = 0; n < at->size(); ++n) {
        const std::int64_t c = static_cast<std::int64_t>(n) % dim, i = static_cast<std::int64_t>(n) / dim;
        (*at)[n] = std::ldexp((*at)[n], static_cast<int>(-c / 8)) + (c < 3 ? 16.0 * static_cast<double>(i * 7 % 5 == c) : 0.0);
      }
    LeadingDirections leading;
    leading.count = 24;  // the first 8 of them come before the others
    leading.at.assign(static_cast<std::size_t>(leading.count * dim), 0.0);
    ClosePairsProblem problem;
    problem.rows = {x.data(), rows, dim, nullptr};
    problem.columns = {y.data(), columns, dim, nullptr};
    const auto measure = [&](std::int64_t i, std::int64_t j) { return squared_distance(x.data() + i * dim, y.data() + j * dim, dim); };
    for (std::int64_t j = 0; j < columns; ++j) problem.reach.push_back(std::min(measure(j * 5 % rows, j), dim == 40 ? 8.0 : 0.5));
    for (std::int64_t j = 5; j < columns; j += 97) problem.reach[j] = std::numeric_limits<double>::infinity();
    problem.close = [&](std::int64_t i, std::int64_t j) { return measure(i, j) <= problem.reach[j]; };
    if (dim == 40) {
      for (std::int64_t m = 0; m < leading.count; ++m) leading.at[m * dim + m] = 1;
      leading.screen = true;
      problem.leading = &leading;
    }
    std::vector<std::vector<std::int32_t>> expected(static_cast<std::size_t>(rows));
    std::size_t pairs = 0;
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t j = 0; j < columns; ++j)
        if (problem.close(i, j)) {
          expected[i].push_back(static_cast<std::int32_t>(j));
          ++pairs;
        }
    ASSERT_GT(pairs, 3 * static_cast<std::size_t>(rows));
    for (const std::string& isa : isa_names()) {
      const WithIsa forced(isa);
      EXPECT_EQ(close_pairs(problem, Context()), expected) << dim << " dimensions on " << isa;
    }
  }
}

TEST(ClosePairs, TheNumberFoundMayStopIt) {
  const auto x = points(300, 2, 0, 3);
  ClosePairsProblem problem;
  problem.rows = problem.columns = {x.data(), 300, 2, nullptr};
  problem.reach.assign(300, 1e9);
  problem.close = [](std::int64_t, std::int64_t) { return true; };
  problem.grown = [](std::uint64_t pairs) { require(pairs < 5000, Fault::memory, "{} pairs", pairs); };
  EXPECT_THROW(close_pairs(problem, Context()), Error);
}

}  // namespace
}  // namespace calor::kernels::test
