// exp(groups) and mean-shift: the number of groups that were drawn, wherever they are and whatever their unit.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "support.h"

namespace calor::pipeline {
namespace {

// Groups of standard normal points about middles at least `apart` from each other, of `rows` to twice as many points.
Matrix drawn_groups(int groups, int width, double apart, int rows, std::uint64_t seed) {
  Random random(seed, Purpose::test, static_cast<std::uint64_t>(100 * groups + width));
  const double reach = 1.5 * apart * std::pow(groups, 1.0 / width);
  std::vector<Eigen::RowVectorXd> middles;
  while (static_cast<int>(middles.size()) < groups) {
    Eigen::RowVectorXd middle(width);
    for (double& value : middle) value = random.uniform(-reach, reach);
    bool far = true;
    for (const Eigen::RowVectorXd& other : middles) far = far && (middle - other).norm() >= apart;
    if (far) middles.push_back(middle);
  }
  std::vector<Eigen::RowVectorXd> points;
  for (const Eigen::RowVectorXd& middle : middles)
    for (std::uint64_t i = 0, size = static_cast<std::uint64_t>(rows) + random.below(static_cast<std::uint64_t>(rows)); i < size; ++i) {
      points.push_back(middle);
      for (double& value : points.back()) value += random.normal();
    }
  Matrix result(static_cast<Eigen::Index>(points.size()), width);
  for (std::size_t i = 0; i < points.size(); ++i) result.row(static_cast<Eigen::Index>(i)) = points[i];
  return result;
}

std::size_t found_groups(const Matrix& points) {
  const std::vector<std::int64_t> labels = run_text("mean-shift", points).result.labels;
  return std::set<std::int64_t>(labels.begin(), labels.end()).size();
}

// Six deviations apart two groups may be drawn so that they touch; farther apart the number is always right.
TEST(Groups, AreAsManyAsWereDrawn) {
  int near = 0, right = 0;
  for (const int groups : {1, 2, 3, 4, 5})
    for (const int width : {1, 2, 3, 5, 10})
      for (const std::uint64_t seed : {1, 2})
        for (const double apart : {6.0, 10.0, 30.0}) {
          const std::size_t found = found_groups(drawn_groups(groups, width, apart, 20, seed));
          if (apart == 6.0) {
            ++near;
            right += found == static_cast<std::size_t>(groups);
          } else {
            EXPECT_EQ(found, static_cast<std::size_t>(groups)) << width << " dimensions, " << apart << " apart, seed " << seed;
          }
        }
  EXPECT_GE(right, near - 2) << "of " << near;
}

TEST(Groups, DoNotDependOnUnitAndPlace) {
  const Matrix points = drawn_groups(4, 2, 12, 20, 7);
  const double scale = run_text("distance(2) | exp(groups)", points).result.figures.at("bandwidth");
  for (const double unit : {1e-6, 1e6}) {
    const Matrix other = unit * points.array() + 100 * unit;
    EXPECT_EQ(found_groups(other), 4u);
    // Bins of the distances are up to 1.6 % wide and fall elsewhere.
    EXPECT_NEAR(run_text("distance(2) | exp(groups)", other).result.figures.at("bandwidth") / (unit * unit), scale, 0.05 * scale);
  }
}

TEST(Groups, AreForDistancesOverAllPairs) {
  const Matrix points = random_points(20, 2, 1);
  expect_fault(Fault::usage, "write exp(auto), or leave out the graph", [&] { run_text("knn(5) | distance(2) | exp(groups) | row | apply", points); });
  expect_fault(Fault::usage, "expected distances for bandwidth=groups", [&] { run_text("dot | exp(groups) | row | apply", points); });
  expect_fault(Fault::input, "found all at one", [&] { run_text("mean-shift", Matrix::Ones(9, 2)); });
}

}  // namespace
}  // namespace calor::pipeline
