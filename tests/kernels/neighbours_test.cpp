// Nearest neighbours against sorting all distances in double, on every instruction set.  There is no tolerance: the
// neighbours are exactly those.  Coordinates are multiples of 2^-10 where ties matter, so that distances are exact.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/kernels/leading_points.h"
#include "calor/kernels/neighbours.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

struct Points {
  std::int64_t count, dim;
  std::vector<double> at;
  PointsView view() const { return {at.data(), count, dim, nullptr}; }
  double* point(std::int64_t i) { return at.data() + i * dim; }
};

// Random normal numbers rounded to multiples of 2^-10.
Points random_points(std::int64_t count, std::int64_t dim, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Points points{count, dim, std::vector<double>(static_cast<std::size_t>(count * dim))};
  for (double& value : points.at) value = std::round(random.normal() * 1024) / 1024;
  return points;
}

double measure(const PointsView& x, std::int64_t i, const PointsView& y, std::int64_t j) {
  double sum = 0;
  for (std::int64_t c = 0; c < x.dim; ++c) {
    const double difference = x.at[i * x.dim + c] - y.at[j * x.dim + c];
    sum += difference * difference;
  }
  return sum;
}

NeighboursProblem problem_of(const PointsView& rows, const PointsView& columns, std::int64_t k, bool leave_itself_out) {
  NeighboursProblem problem;
  problem.rows = rows;
  problem.columns = columns;
  problem.k = k;
  problem.leave_itself_out = leave_itself_out;
  problem.measure = [rows, columns](std::int64_t i, std::int64_t j) { return measure(rows, i, columns, j); };
  return problem;
}

std::vector<std::int32_t> by_sorting(const NeighboursProblem& problem) {
  std::vector<std::int32_t> result;
  for (std::int64_t i = 0; i < problem.rows.count; ++i) {
    std::vector<std::pair<double, std::int32_t>> all;
    for (std::int64_t n = 0; n < problem.columns.count; ++n) {
      const std::int64_t j = problem.columns.number(n);
      if (!problem.leave_itself_out || j != i) all.emplace_back(problem.measure(i, j), static_cast<std::int32_t>(j));
    }
    std::sort(all.begin(), all.end());
    all.resize(std::min(all.size(), static_cast<std::size_t>(problem.k)));
    std::vector<std::int32_t> row;
    for (const auto& [far, j] : all) row.push_back(j);
    std::sort(row.begin(), row.end());
    row.resize(static_cast<std::size_t>(problem.k), -1);
    result.insert(result.end(), row.begin(), row.end());
  }
  return result;
}

void expect_exact(const NeighboursProblem& problem, const std::string& what) {
  const auto expected = by_sorting(problem);
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    for (const int threads : {1, 2}) {
      Context context;
      context.threads = threads;
      ASSERT_EQ(nearest_columns(problem, context).columns, expected) << what << " on " << isa << " with " << threads << " threads";
    }
  }
}

TEST(Neighbours, PointsAndThemselvesOfEverySize) {
  for (const std::int64_t n : {1, 2, 3, 15, 16, 17, 31, 33, 255, 256, 257, 600})
    for (const std::int64_t dim : {1, 5, 33}) {
      const Points x = random_points(n, dim, static_cast<std::uint64_t>(n));
      expect_exact(problem_of(x.view(), x.view(), std::min<std::int64_t>(9, std::max<std::int64_t>(1, n - 1)), true),
                   fmt::format("{} x {}", n, dim));
    }
}

TEST(Neighbours, RectanglesOfEverySize) {
  for (const std::int64_t rows : {1, 3, 32, 257})
    for (const std::int64_t columns : {1, 40, 300}) {
      const Points x = random_points(rows, 6, 1), y = random_points(columns, 6, 2);
      for (const bool leave_itself_out : {false, true})
        expect_exact(problem_of(x.view(), y.view(), 7, leave_itself_out), fmt::format("{} x {}", rows, columns));
    }
}

TEST(Neighbours, NoRowsOrNoColumns) {
  const Points none{0, 3, {}}, some = random_points(4, 3, 1);
  EXPECT_TRUE(nearest_columns(problem_of(none.view(), some.view(), 2, false), Context()).columns.empty());
  EXPECT_EQ(nearest_columns(problem_of(some.view(), none.view(), 2, false), Context()).columns, std::vector<std::int32_t>(8, -1));
}

TEST(Neighbours, AsManyAsThereAreAndMore) {
  const Points x = random_points(40, 4, 3);
  for (const std::int64_t k : {1, 38, 39, 40, 100}) expect_exact(problem_of(x.view(), x.view(), k, true), fmt::format("k {}", k));
}

TEST(Neighbours, OnlyListedColumns) {
  const Points x = random_points(300, 4, 5);
  std::vector<std::int32_t> listed;
  for (std::int32_t j = 0; j < 300; ++j)
    if (j % 3 != 1) listed.push_back(j);
  PointsView columns = x.view();
  columns.listed = listed.data();
  columns.count = static_cast<std::int64_t>(listed.size());
  expect_exact(problem_of(x.view(), columns, 6, true), "two thirds");
}

// Every list overflows with equal distances again and again: the lower columns stay.
// What a row has already leaves it what is no farther, however many that are; a reach of its own for each row, some at a column's very distance.
TEST(Neighbours, WithinTheReachThatIsGiven) {
  const Points x = random_points(700, 9, 17);
  NeighboursProblem problem = problem_of(x.view(), x.view(), 6, true);
  std::vector<double> reach;
  for (std::int64_t i = 0; i < 700; ++i) reach.push_back(i % 3 == 0 ? std::numeric_limits<double>::infinity() : measure(x.view(), i, x.view(), (i + 1 + i % 7) % 700) * (i % 3 == 1 ? 1 : 0.1));
  problem.reach = reach.data();
  std::vector<std::int32_t> expected = by_sorting(problem);
  for (std::int64_t i = 0; i < 700; ++i) {
    const auto row = expected.begin() + i * 6;
    std::fill(std::remove_if(row, row + 6, [&](std::int32_t j) { return j >= 0 && problem.measure(i, j) > reach[static_cast<std::size_t>(i)]; }), row + 6, -1);
  }
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    const std::vector<std::int32_t> found = nearest_columns(problem, Context()).columns;
    for (std::int64_t i = 0; i < 700; ++i)
      for (std::int64_t e = i * 6; e < (i + 1) * 6; ++e) {
        // All that are within reach, and no others but for those that floats cannot tell from it.
        if (expected[e] >= 0) {
          EXPECT_TRUE(std::find(found.begin() + i * 6, found.begin() + (i + 1) * 6, expected[e]) != found.begin() + (i + 1) * 6) << i;
        }
        if (found[e] >= 0) {
          EXPECT_LE(problem.measure(i, found[e]), reach[static_cast<std::size_t>(i)] * (1 + 1e-5)) << i;
        }
      }
  }
}

TEST(Neighbours, TiesGoToTheLowerColumn) {
  Points same{700, 3, std::vector<double>(2100, 2.5)};
  expect_exact(problem_of(same.view(), same.view(), 5, true), "all alike");
  Points grid{625, 2, {}};
  for (int i = 0; i < 625; ++i) grid.at.insert(grid.at.end(), {static_cast<double>(i * 7 % 25), static_cast<double>(i / 25)});
  for (const std::int64_t k : {3, 4, 5, 11}) expect_exact(problem_of(grid.view(), grid.view(), k, true), fmt::format("grid, k {}", k));
}

TEST(Neighbours, FarFromTheOrigin) {
  for (const double offset : {1e4, 1e9}) {
    Points x = random_points(500, 8, 6);
    for (double& value : x.at) value += offset;  // exact: multiples of 2^-10 below 2^43
    expect_exact(problem_of(x.view(), x.view(), 10, true), fmt::format("offset {}", offset));
  }
}

// One point so far out that in floats all others are at one place: their order must come from double.
TEST(Neighbours, RangesThatFloatsCannotHold) {
  for (const double far : {1e9, 1e30, 1e100}) {
    Points x = random_points(400, 5, 7);
    x.point(123)[2] = far;
    expect_exact(problem_of(x.view(), x.view(), 8, true), fmt::format("outlier {}", far));
  }
  for (const double scale : {0x1p-300, 0x1p300}) {
    Points x = random_points(300, 5, 8);
    for (double& value : x.at) value *= scale;
    expect_exact(problem_of(x.view(), x.view(), 8, true), fmt::format("scale {}", scale));
  }
  // Spreads of a dimension from 2^-60 to 1: the small ones decide among those that are equal in the large one.
  Points x = random_points(400, 3, 9);
  for (std::int64_t i = 0; i < x.count; ++i) {
    x.point(i)[0] = static_cast<double>(i % 3);
    x.point(i)[1] *= 0x1p-30;
    x.point(i)[2] = 0;
  }
  expect_exact(problem_of(x.view(), x.view(), 8, true), "spreads");
}

// Pairs closer to each other than a float can tell, all over the place.
TEST(Neighbours, NearlyCoincidingPairs) {
  Points x = random_points(520, 16, 10);
  for (std::int64_t i = 1; i < x.count; i += 2)
    for (std::int64_t c = 0; c < x.dim; ++c) x.point(i)[c] = x.point(i - 1)[c] + (c == i % x.dim ? 0x1p-35 : 0.0);
  for (const std::int64_t k : {1, 2, 3}) expect_exact(problem_of(x.view(), x.view(), k, true), fmt::format("k {}", k));
}

// Orthonormal: the first coordinates by themselves, which spread most below.
LeadingDirections first_coordinates(std::int64_t dim, std::int64_t number, bool screen) {
  LeadingDirections result;
  result.count = number;
  result.at.assign(static_cast<std::size_t>(number * dim), 0.0);
  for (std::int64_t m = 0; m < number; ++m) result.at[m * dim + m] = 1;
  result.screen = screen;
  return result;
}

// Points of 40 coordinates that spread less and less, in a few heaps.
Points heaps(std::int64_t count, std::uint64_t seed) {
  Points x = random_points(count, 40, seed);
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t c = 0; c < x.dim; ++c) {
      x.point(i)[c] = std::ldexp(x.point(i)[c], static_cast<int>(-c / 8));
      if (c < 3) x.point(i)[c] += 16 * static_cast<double>(i * 7 % 5 == c);
    }
  return x;
}

TEST(Neighbours, LeadingCoordinatesFindTheSame) {
  for (const int screening : {0, 12, 24}) {  // 24: the first 8 of them come before the others
    const bool screen = screening > 0;
    const LeadingDirections leading = first_coordinates(40, std::max(screening, 12), screen);
    for (const std::int64_t n : {1, 2, 255, 257, 1100}) {
      const Points x = heaps(n, static_cast<std::uint64_t>(n));
      NeighboursProblem problem = problem_of(x.view(), x.view(), std::min<std::int64_t>(9, std::max<std::int64_t>(1, n - 1)), true);
      problem.leading = &leading;
      expect_exact(problem, fmt::format("{} points, {} coordinates", n, screening));
      const Points y = heaps(400, 77);
      problem = problem_of(x.view(), y.view(), 7, false);
      problem.leading = &leading;
      expect_exact(problem, fmt::format("{} against others, {} coordinates", n, screening));
    }
    Points same = heaps(600, 5);  // more copies than neighbours
    for (std::int64_t i = 0; i < same.count; ++i) std::copy_n(same.point(i % 20), same.dim, same.point(i));
    NeighboursProblem problem = problem_of(same.view(), same.view(), 5, true);
    problem.leading = &leading;
    expect_exact(problem, "copies");
    std::vector<std::int32_t> listed;
    for (std::int32_t j = 0; j < 600; j += 3) listed.push_back(j);
    problem.columns.listed = listed.data();
    problem.columns.count = static_cast<std::int64_t>(listed.size());
    expect_exact(problem, "listed columns");
  }
}

// Enough blocks for near ones to come first and for far ones to be passed over: the same as without any order.
TEST(Neighbours, ManyBlocksInOrder) {
  for (const std::int64_t dim : {3, 40}) {
    const Points x = dim == 40 ? heaps(8500, 1) : random_points(8500, dim, 2);
    for (const bool itself : {true, false}) {
      const Points y = dim == 40 ? heaps(2500, 3) : random_points(2500, dim, 4);
      NeighboursProblem problem = problem_of(itself ? x.view() : y.view(), x.view(), 12, itself);
      problem.measure = [at = problem.rows.at, to = x.at.data(), dim](std::int64_t i, std::int64_t j) { return squared_distance(at + i * dim, to + j * dim, dim); };
      // Coordinates of nothing make it too many for an order of their own.
      const auto widened = [&](const Points& points) {
        Points wide{points.count, 40, std::vector<double>(static_cast<std::size_t>(points.count * 40), 0.0)};
        for (std::int64_t i = 0; i < points.count; ++i) std::copy_n(points.at.data() + i * dim, dim, wide.point(i));
        return wide;
      };
      const Points wide = widened(x), wide_rows = widened(y);
      NeighboursProblem unordered = problem;
      unordered.columns = wide.view();
      unordered.rows = itself ? wide.view() : wide_rows.view();
      const std::vector<std::int32_t> expected = nearest_columns(unordered, Context()).columns;
      for (const std::int64_t number : {12, 24}) {
        const LeadingDirections leading = first_coordinates(40, number, true);
        if (dim == 40) problem.leading = &leading;
        for (const int threads : {1, 2}) {
          Context context;
          context.threads = threads;
          EXPECT_EQ(nearest_columns(problem, context).columns, expected) << dim << " dimensions, itself " << itself << ", " << threads << " threads, " << number << " coordinates";
        }
      }
    }
  }
}

// A block of scattered points with more neighbours than points, far from a dense heap: too far for the heap, not for them.
TEST(Neighbours, BlocksThatOnlyOneSideNeeds) {
  Points x = random_points(2560, 2, 13);
  for (std::int64_t i = 0; i < 256; ++i) {
    x.point(i * 10)[0] = -100 - static_cast<double>(i % 16);
    x.point(i * 10)[1] = static_cast<double>(i / 16);
  }
  expect_exact(problem_of(x.view(), x.view(), 700, true), "a heap and scattered points");
}

TEST(Neighbours, StopsWhenAsked) {
  const Points x = random_points(600, 4, 11);
  StopFlag stop;
  stop.request();
  Context context;
  context.stop = &stop;
  EXPECT_THROW(nearest_columns(problem_of(x.view(), x.view(), 3, true), context), Error);
}

}  // namespace
}  // namespace calor::kernels::test
