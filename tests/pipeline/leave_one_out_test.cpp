// The choice of bandwidth and density exponent by leaving one out, against its definition written here pair by pair in double
// (sums of at most 60 terms: 1e-12).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "calor/core/error.h"
#include "calor/engine/leave_one_out.h"
#include "calor/engine/passes.h"
#include "labelled.h"

namespace calor::pipeline {
namespace {

using engine::Known;
using engine::leave_one_out;
using engine::LeaveOneOut;
using engine::LeaveOneOutOptions;

Similarity distances(const Data& data) {
  Similarity record;
  record.score.kind = Score::Kind::power_distance;
  record.columns = data.rows();
  record.column_points = data.features;
  return among_columns(record);
}

// Class likelihood, or mean squared error with targets, by the definition.
double by_definition(const Data& data, double scale, double alpha) {
  const auto n = static_cast<int>(data.rows());
  Matrix values = Matrix::Zero(n, n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      if (j != i) values(i, j) = kernel(data, i, j, scale);
  double total = 0;
  for (int i = 0; i < n; ++i) {
    double all = 0, own = 0;
    for (int j = 0; j < n; ++j) {
      if (j == i) continue;
      const double weight = values(i, j) * std::pow(values.row(j).head(i).sum() + values.row(j).tail(n - 1 - i).sum(), -alpha);
      all += weight;
      own += weight * (data.labels.empty() ? data.targets[j] : data.labels[i] == data.labels[j]);
    }
    total += data.labels.empty() ? std::pow(own / all - data.targets[i], 2) : std::log(own / all);
  }
  return total / n;
}

TEST(LeaveOneOut, EqualsItsDefinitionForClasses) {
  const auto data = three_clouds(60);
  LeaveOneOutOptions options;
  options.scales = {4, 2.5, 2, 1, 0.3};  // halves and others
  options.exponents = true;
  const LeaveOneOut found = leave_one_out(distances(*data), {data->labels, {}}, options, Context());
  EXPECT_EQ(found.judged, 60);
  for (std::size_t s = 0; s < options.scales.size(); ++s) {
    for (int j = 0; j < 60; ++j)
      EXPECT_NEAR(found.log_density(j, static_cast<Eigen::Index>(s)), std::log(density(*data, j, options.scales[s])), 1e-12);
    for (std::size_t a = 0; a < 5; ++a)
      EXPECT_NEAR(found.likelihood(static_cast<Eigen::Index>(s), static_cast<Eigen::Index>(a)), by_definition(*data, options.scales[s], found.alphas[a]), 1e-12);
  }
}

TEST(LeaveOneOut, EqualsItsDefinitionForValuesOfAnyScale) {
  const Matrix points = random_points(60, 2, 5);
  const auto data = measured(points);
  double variance = 0;
  for (const double value : data->targets) variance += std::pow(value - data->targets.mean(), 2) / 60;
  LeaveOneOutOptions options;
  options.scales = {2, 0.5, 0.1};
  options.exponents = true;
  const LeaveOneOut found = leave_one_out(distances(*data), {{}, data->targets}, options, Context());
  const auto scaled = measured(points, 1e9, -4e12);  // offsets cost digits: 4e12 eps / 1e9 of the target's spread
  const LeaveOneOut same = leave_one_out(distances(*scaled), {{}, scaled->targets}, options, Context());
  for (int s = 0; s < 3; ++s)
    for (int a = 0; a < 5; ++a) {
      EXPECT_NEAR(found.likelihood(s, a), -std::log(by_definition(*data, options.scales[s], 0.25 * a) / variance) / 2, 1e-12);
      EXPECT_NEAR(found.likelihood(s, a), same.likelihood(s, a), 1e-8);
    }
  for (const double unit : {1e-200, 1e200}) {  // whose squares are 0 and infinite
    const auto far = measured(points, unit);
    EXPECT_LT((leave_one_out(distances(*far), {{}, far->targets}, options, Context()).likelihood - found.likelihood).cwiseAbs().maxCoeff(), 1e-12);
  }
}

// The second tile's keys are a chain far from the cloud that fills the first: beside the cloud's their kernel values at the smaller scale
// are nothing, yet not divided by densities as small.  Its last two are close, so that densities differ within the tile.
TEST(LeaveOneOut, EqualsItsDefinitionOverTwoTiles) {
  const auto data = three_clouds(518);
  Matrix points = *data->features;
  for (int m = 0; m < 6; ++m) {
    points.row(512 + m) << 12 + 10 * m, 0, 0;
    data->labels[static_cast<std::size_t>(512 + m)] = 1;
  }
  points(517, 0) = points(516, 0) + 0.5;
  data->features = std::make_shared<const Matrix>(points);
  LeaveOneOutOptions options;
  options.scales = {16, 1};
  options.exponents = true;
  const LeaveOneOut found = leave_one_out(distances(*data), {data->labels, {}}, options, Context());
  for (int s = 0; s < 2; ++s) {
    for (int j = 0; j < 518; ++j) EXPECT_NEAR(found.log_density(j, s), std::log(density(*data, j, options.scales[s])), 1e-11);
    for (const int a : {0, 2, 4}) EXPECT_NEAR(found.likelihood(s, a), by_definition(*data, options.scales[s], 0.25 * a), 1e-11) << s << " " << a;
  }
}

// The only key's density is nothing but the row that is left out of it.
TEST(LeaveOneOut, OfTwoRowsEachHasTheOtherAlone) {
  LeaveOneOutOptions options;
  options.scales = {1, 0.3};
  options.exponents = true;
  const auto data = three_clouds(2);
  const LeaveOneOut classes = leave_one_out(distances(*data), {{0, 0}, {}}, options, Context());
  EXPECT_EQ(classes.likelihood, Matrix::Zero(2, 5));
  const LeaveOneOut values = leave_one_out(distances(*data), {{}, Vector::LinSpaced(2, -1, 1)}, options, Context());
  EXPECT_LT((values.likelihood.array() + std::log(2.0)).abs().maxCoeff(), 1e-12);  // errors of 2, a deviation of 1
}

TEST(LeaveOneOut, EqualValuesTellNothing) {
  LeaveOneOutOptions options;
  options.scales = {1, 0.3};
  options.exponents = true;
  EXPECT_EQ(leave_one_out(distances(*three_clouds(12)), {{}, Vector::Constant(12, 7)}, options, Context()).likelihood, Matrix::Zero(2, 5));
}

// An outlier, duplicates, and scales at which every other kernel value underflows: only the sums' logarithms exist.
TEST(LeaveOneOut, NeitherOutliersNorSmallScalesUnderflow) {
  const auto data = three_clouds(30);
  Matrix points = *data->features;
  points.row(29) << 1e4, 0, 0;
  points.row(1) = points.row(0);
  data->features = std::make_shared<const Matrix>(points);
  LeaveOneOutOptions options;
  options.scales = {1, 0.5, 1e-6};
  options.exponents = true;
  const LeaveOneOut found = leave_one_out(distances(*data), {data->labels, {}}, options, Context());
  EXPECT_TRUE(found.likelihood.allFinite());
  EXPECT_TRUE(found.log_density.allFinite());
  EXPECT_NEAR(found.log_density(29, 0), -(points.rowwise() - points.row(29)).rowwise().squaredNorm().head(29).minCoeff(), 1);
  EXPECT_NEAR(found.log_density(0, 2), 0, 1e-12) << "the duplicate alone";
}

// Several tiles, an outlier and duplicates; the smallest scales have densities too far apart for floats, whose rows are summed one by one.
TEST(LeaveOneOut, FloatsAreWithinTheirBoundOfDoubles) {
  const auto data = three_clouds(1100);
  Matrix points = *data->features;
  points.row(700) << 40, 0, 0;
  points.row(1) = points.row(0);
  data->features = std::make_shared<const Matrix>(points);
  const auto values = measured(points, 1e-20, 3e-18);
  for (const Known& known : {Known{data->labels, {}}, Known{{}, values->targets}})
    for (const bool exponents : {false, true}) {
      LeaveOneOutOptions doubles;
      doubles.scales = {16, 12, 8, 6, 4, 3, 2, 1.5, 1, 0.75, 0.5, 0.375, 0.1, 0.05, 0.025, 1e-3};  // half octaves, and others
      doubles.exponents = exponents;
      LeaveOneOutOptions floats = doubles;
      floats.single_above = 1099;
      floats.most_judged = 1100;
      const LeaveOneOut precise = leave_one_out(distances(*data), known, doubles, Context()), found = leave_one_out(distances(*data), known, floats, Context());
      EXPECT_EQ(found.judged, 1100);
      EXPECT_LT((found.likelihood - precise.likelihood).cwiseAbs().maxCoeff(), 1e-5) << exponents;
      EXPECT_GT((found.likelihood - precise.likelihood).cwiseAbs().maxCoeff(), 1e-13) << "floats were not used";
      if (exponents) {
        EXPECT_LT(((found.log_density - precise.log_density).array() / precise.log_density.array().abs().max(1)).abs().maxCoeff(), 1e-5);
      }
    }
}

// One row far away makes the widest scale 1e9 times the best: squares upon squares would leave no digit of a weight.
TEST(LeaveOneOut, ManyOctavesCostNoDigits) {
  const auto data = three_clouds(300);
  Matrix points = *data->features;
  points.row(77).setConstant(1e6);
  data->features = std::make_shared<const Matrix>(points);
  LeaveOneOutOptions doubles, floats;
  floats.single_above = 1;
  floats.most_judged = 300;
  for (const bool exponents : {false, true}) {
    doubles.exponents = floats.exponents = exponents;
    const LeaveOneOut precise = leave_one_out(distances(*data), {data->labels, {}}, doubles, Context());
    const LeaveOneOut found = leave_one_out(distances(*data), {data->labels, {}}, floats, Context());
    EXPECT_GT(precise.scales.front() / precise.scales.back(), 1e9);
    EXPECT_LT((found.likelihood - precise.likelihood).cwiseAbs().maxCoeff(), 1e-5);
  }
  const LeaveOneOut precise = leave_one_out(distances(*data), {data->labels, {}}, {}, Context());
  for (std::size_t s = 0; s < precise.scales.size(); ++s) {
    if (precise.scales[s] < 1e-2) break;  // where the definition written out underflows
    double total = 0;
    for (int i = 0; i < 300; ++i) {
      double all = 0, own = 0;
      const Vector logs = -(points.rowwise() - points.row(i)).rowwise().squaredNorm() / precise.scales[s];
      double peak = -1e300;
      for (int j = 0; j < 300; ++j)
        if (j != i) peak = std::max(peak, logs[j]);
      for (int j = 0; j < 300; ++j)
        if (j != i) (j % 3 == i % 3 ? own : all) += std::exp(logs[j] - peak);
      total += std::log(std::max(own / (own + all), 0x1p-52)) / 300;
    }
    EXPECT_NEAR(precise.likelihood(static_cast<Eigen::Index>(s), 0), total, 1e-12 + 1e-9 / precise.scales[s]) << precise.scales[s];  // scores about a mean 6e3 away
  }
}

// Copies of every row: the nearest is at the same place, and the range of scales is that of the places.
TEST(LeaveOneOut, CopiesOfEveryRowLeaveTheRangeOfScales) {
  const auto data = three_clouds(60), once = three_clouds(30);
  Matrix points(60, 3);
  points << *once->features, *once->features;
  data->features = std::make_shared<const Matrix>(points);
  const auto range = [](const Data& of) { return leave_one_out(distances(of), {of.labels, {}}, {}, Context()).scales; };
  EXPECT_LT(range(*data).back(), 1.5 * range(*once).back());
  EXPECT_GT(range(*data).back(), range(*once).back() / 1.5);
}

TEST(LeaveOneOut, ASampleIsOfRowsAgainstAllKeys) {
  const auto data = three_clouds(60);
  LeaveOneOutOptions all, some;
  all.scales = some.scales = {1};
  some.single_above = 59;
  some.most_judged = 20;  // every third row: one class
  const LeaveOneOut found = leave_one_out(distances(*data), {data->labels, {}}, some, Context());
  EXPECT_EQ(found.judged, 20);
  double expected = 0;
  for (int i = 0; i < 60; i += 3) {
    double sum = 0, own = 0;
    for (int j = 0; j < 60; ++j)
      if (j != i) (j % 3 == i % 3 ? own : sum) += kernel(*data, i, j, 1);
    expected += std::log(own / (own + sum)) / 20;
  }
  EXPECT_NEAR(found.likelihood(0, 0), expected, 1e-6);
  some.exponents = true;
  EXPECT_EQ(leave_one_out(distances(*data), {data->labels, {}}, some, Context()).judged, 60);
}

TEST(LeaveOneOut, TheChosenScaleIsTheBestOfItsRange) {
  const auto data = three_clouds(60);
  const Fit fit = run_text("distance(2, to=train) | exp(loo) | two_side(loo, of=keys)", data);
  const auto& scales = fit.result.series.at("leave_one_out_scale");
  double best = -1e300;
  for (const double scale : scales)
    for (const double alpha : {0.0, 0.25, 0.5, 0.75, 1.0}) best = std::max(best, by_definition(*data, scale, alpha));
  EXPECT_NEAR(fit.result.figures.at("leave_one_out"), best, 1e-12);
  EXPECT_NEAR(by_definition(*data, fit.result.figures.at("bandwidth"), fit.result.figures.at("alpha")), best, 1e-12);
  // With a bandwidth given, alpha alone is chosen.
  const Fit given = run_text("distance(2, to=train) | exp(2) | two_side(loo, of=keys)", data);
  EXPECT_EQ(given.result.figures.at("bandwidth"), 2);
}

// Duplicates are nearest to each other at no distance, of which no scale can be made.
TEST(LeaveOneOut, TheRangeIsOfHalfOctavesBetweenTheMediansOfDistances) {
  const auto data = three_clouds(60);
  Matrix points = *data->features;
  for (int i = 0; i < 40; i += 2) points.row(i) = points.row(i + 1);
  data->features = std::make_shared<const Matrix>(points);
  std::vector<double> nearest, mean;
  for (int i = 0; i < 60; ++i) {
    const Vector squares = (points.rowwise() - points.row(i)).rowwise().squaredNorm();
    mean.push_back(squares.sum() / 59);
    double least = std::numeric_limits<double>::infinity();
    for (const double square : squares)
      if (square > 0) least = std::min(least, square);
    nearest.push_back(least);  // at another place, which of a row with a duplicate is the second
  }
  std::sort(nearest.begin(), nearest.end());
  std::sort(mean.begin(), mean.end());
  const double high = 2 * mean[30], low = nearest[30] / 8;
  const std::vector<double> scales = leave_one_out(distances(*data), {data->labels, {}}, {}, Context()).scales;
  ASSERT_EQ(static_cast<double>(scales.size()), std::floor(2 * std::log2(high / low)) + 1);
  for (std::size_t s = 0; s < scales.size(); ++s) EXPECT_NEAR(scales[s], high * std::exp2(-0.5 * static_cast<double>(s)), 1e-12 * high) << s;
}

TEST(LeaveOneOut, OfEqualLikelihoodsTheFirstIsChosen) {
  LeaveOneOut grid;
  grid.likelihood = Matrix::Constant(3, 5, -1);
  EXPECT_EQ(grid.best().scale, 0u);
  EXPECT_EQ(grid.best().alpha, 0u);
  grid.likelihood(1, 2) = grid.likelihood(2, 1) = -0.5;
  EXPECT_EQ(grid.best().scale, 1u);
  EXPECT_EQ(grid.best().alpha, 2u);
}

TEST(LeaveOneOut, CasesWithoutAnAnswerSaySo) {
  const auto alone = three_clouds(3);
  expect_fault(Fault::input, "at least two labelled rows", [&] { run_text("distance(2, to=train) | exp(loo) | row | vote", alone); });
  const auto one_place = three_clouds(9);
  one_place->features = std::make_shared<const Matrix>(Matrix::Ones(9, 3));
  expect_fault(Fault::input, "all at one", [&] { run_text("distance(2, to=train) | exp(loo) | row | vote", one_place); });
  const auto unknown = three_clouds(9);
  unknown->labels[4] = -1;
  expect_fault(Fault::input, "found row 5 without", [&] { run_text("distance(2) | exp(loo) | row | vote", unknown); });
  expect_fault(Fault::usage, "over all pairs", [&] { run_text("knn(3, to=train) | distance(2) | exp(loo) | row | vote", three_clouds(9)); });
  expect_fault(Fault::usage, "of=keys with alpha=loo", [&] { run_text("distance(2) | exp(loo) | two_side(loo) | row | vote", three_clouds(9)); });
  expect_fault(Fault::input, "expected labelled training rows", [&] { run_text("distance(2) | exp(loo)", random_points(9, 2, 1)); });
}

}  // namespace
}  // namespace calor::pipeline
