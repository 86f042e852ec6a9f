// Gaussian sums on every instruction set against the definition in long double over all pairs: sizes around the leaf's, dimensions
// with their own loop and without, what the support leaves out, and the differences that S h - h would lose.
#include "calor/kernels/gaussian_sums.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

constexpr double unit = std::numeric_limits<double>::epsilon();

struct Cloud {
  std::int64_t count, dim;
  std::vector<double> x, weight, h;
  PointsView view() const { return {x.data(), count, dim, nullptr}; }
};

Cloud cloud(std::int64_t count, std::int64_t dim, std::uint64_t seed, double spread = 1) {
  Random random(seed, Purpose::test);
  Cloud made{count, dim, {}, {}, {}};
  for (std::int64_t i = 0; i < count * dim; ++i) made.x.push_back(spread * random.normal());
  for (std::int64_t i = 0; i < count; ++i) {
    made.weight.push_back(random.uniform(0.5, 2));
    made.h.push_back(random.normal());
  }
  return made;
}

struct Truth {
  long double total = 0, flow = 0, size = 0;  // size: sum of |terms of flow|
};

Truth truth(const Cloud& points, const Cloud& rows, std::int64_t i, double epsilon, double farthest = std::numeric_limits<double>::infinity()) {
  Truth sum;
  for (std::int64_t j = 0; j < points.count; ++j) {
    long double square = 0;
    for (std::int64_t c = 0; c < points.dim; ++c) {
      const long double difference = static_cast<long double>(rows.x[i * rows.dim + c]) - points.x[j * points.dim + c];
      square += difference * difference;
    }
    if (square > farthest) continue;
    const long double weight = points.weight[j] * std::exp(-square / (2 * epsilon));
    sum.total += weight;
    sum.flow += weight * (static_cast<long double>(points.h[j]) - rows.h[i]);
    sum.size += weight * std::abs(static_cast<long double>(points.h[j]) - rows.h[i]);
  }
  return sum;
}

// Exponents are at most 2 cut here, each rounded like (dim + 4) units of its size; sums round like their number of terms a lane.
TEST(GaussianSums, AreTheirDefinition) {
  for (const std::int64_t dim : {1, 2, 3, 4, 5, 17})
    for (const std::int64_t count : {1, 2, 63, 64, 65, 127, 129, 700}) {
      const Cloud points = cloud(count, dim, 1), rows = cloud(11, dim, 2);
      const GaussianSums sums(points.view());
      for (const double epsilon : {0.02, 1.0}) {
        std::vector<Truth> exact;
        for (std::int64_t i = 0; i < rows.count; ++i) exact.push_back(truth(points, rows, i, epsilon));
        const double left_out = std::exp(-GaussianSums::cut) * 2 * static_cast<double>(count);
        const double relative = unit * (2 * GaussianSums::cut * static_cast<double>(dim + 4) + static_cast<double>(count));
        for (const std::string& isa : isa_names()) {
          const WithIsa forced(isa);
          SCOPED_TRACE(fmt::format("{}: {} points of dimension {}, eps {}", isa, count, dim, epsilon));
          const auto found = sums.flow(rows.view(), points.weight.data(), points.h.data(), rows.h.data(), epsilon, Context());
          for (std::size_t i = 0; i < exact.size(); ++i) {
            const auto total = static_cast<double>(exact[i].total), size = static_cast<double>(exact[i].size);
            ASSERT_NEAR(found.total[i], total, relative * total + left_out);
            ASSERT_NEAR(found.flow[i], static_cast<double>(exact[i].flow), relative * size + 8 * left_out);
          }
          EXPECT_EQ(found.total, sums.total(rows.view(), points.weight.data(), epsilon, Context()));
        }
      }
    }
}

// Every pair within the support is there, whatever its leaf; what is missing is below exp(-cut) of the weights.
TEST(GaussianSums, LeaveOutNoMoreThanTheirBound) {
  const Cloud points = cloud(3000, 2, 3, 10), rows = cloud(40, 2, 4, 10);
  constexpr double epsilon = 0.05;
  const std::vector<double> found = GaussianSums(points.view()).total(rows.view(), points.weight.data(), epsilon, Context());
  double weights = 0;
  for (const double weight : points.weight) weights += weight;
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const auto within = static_cast<double>(truth(points, rows, i, epsilon, 2 * epsilon * GaussianSums::cut).total);
    const auto all = static_cast<double>(truth(points, rows, i, epsilon).total);
    EXPECT_GE(found[i], within * (1 - 1e-11));
    EXPECT_LE(all - found[i], 1e-11 * all + std::exp(-GaussianSums::cut) * weights);
  }
  // Points beyond the support of a row have not been visited at all.
  const Cloud far{1, 2, {1e3, 1e3}, {1}, {0}};
  EXPECT_EQ(GaussianSums(points.view()).total(far.view(), points.weight.data(), epsilon, Context())[0], 0);
}

// h = 1e8 + g: differences keep the digits of g that S h - h has lost.
TEST(GaussianSums, KeepWhatCancels) {
  Cloud points = cloud(500, 2, 5), rows = cloud(20, 2, 6);
  for (double& h : points.h) h += 1e8;
  for (double& h : rows.h) h += 1e8;
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    const auto found =
        GaussianSums(points.view()).flow(rows.view(), points.weight.data(), points.h.data(), rows.h.data(), 0.5, Context());
    for (std::int64_t i = 0; i < rows.count; ++i) {
      const Truth exact = truth(points, rows, i, 0.5);
      EXPECT_NEAR(found.flow[i], static_cast<double>(exact.flow), 1e-12 * static_cast<double>(exact.size)) << isa;
    }
  }
}

TEST(GaussianSums, SameBitsForAnyNumberOfThreadsAndOrderOfRows) {
  const Cloud points = cloud(2000, 3, 7);
  const GaussianSums sums(points.view());
  std::vector<std::int32_t> odd;
  for (std::int32_t i = 1; i < 2000; i += 2) odd.push_back(i);
  const PointsView some{points.x.data(), static_cast<std::int64_t>(odd.size()), 3, odd.data()};
  Context one, three;
  one.threads = 1;
  three.threads = 3;
  const std::vector<double> all = sums.total(points.view(), points.weight.data(), 0.1, one);
  EXPECT_EQ(all, sums.total(points.view(), points.weight.data(), 0.1, three));
  const std::vector<double> listed = sums.total(some, points.weight.data(), 0.1, three);
  for (std::size_t k = 0; k < odd.size(); ++k) EXPECT_EQ(listed[k], all[static_cast<std::size_t>(odd[k])]);
}

TEST(GaussianSums, EqualPointsNoPointsAndWhatIsRefused) {
  const std::vector<double> same(200, 0.25), ones(200, 1.0);
  const GaussianSums equal(PointsView{same.data(), 200, 1, nullptr});
  EXPECT_EQ(equal.total(PointsView{same.data(), 1, 1, nullptr}, ones.data(), 1e-6, Context())[0], 200);
  const GaussianSums none(PointsView{nullptr, 0, 3, nullptr});
  EXPECT_EQ(none.total(PointsView{same.data(), 2, 3, nullptr}, nullptr, 1, Context()), (std::vector<double>{0, 0}));
  EXPECT_THROW(equal.total(PointsView{same.data(), 1, 2, nullptr}, ones.data(), 1, Context()), Error);
  EXPECT_THROW(equal.total(PointsView{same.data(), 1, 1, nullptr}, ones.data(), 0, Context()), Error);
  EXPECT_THROW(GaussianSums(PointsView{same.data(), 1, 0, nullptr}), Error);
  StopFlag stop;
  stop.request();
  Context stopped;
  stopped.stop = &stop;
  EXPECT_THROW(equal.total(PointsView{same.data(), 1, 1, nullptr}, ones.data(), 1, stopped), Error);
}

}  // namespace
}  // namespace calor::kernels::test
