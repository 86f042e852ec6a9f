// Quality figures against their definitions, written out over sorted lists of all distances in long double (the code under test
// counts ranks on products of centred blocks), against published worked examples, and under the invariances they must have.
// Rounding: distances of points of size about 1 in a few dimensions differ by 1e-15, so ranks agree unless distances tie; sums of
// whole ranks are then equal, and stress agrees to 1e-12.  scikit-learn's figures: tests/report/test_run_report.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "calor/analyse/clusters.h"
#include "calor/analyse/embedding.h"
#include "calor/analyse/predictions.h"
#include "calor/analyse/principal.h"
#include "calor/analyse/spectrum.h"
#include "calor/core/error.h"
#include "calor/core/random.h"

namespace calor::analyse {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
const Context context;

std::vector<double> cloud(std::int64_t rows, std::int64_t columns, std::uint64_t seed, double offset = 0) {
  Random random(seed, Purpose::test);
  std::vector<double> values(static_cast<std::size_t>(rows * columns));
  for (double& value : values) value = offset + random.normal();
  return values;
}

Points points(const std::vector<double>& values, std::int64_t columns) {
  return {values.data(), static_cast<std::int64_t>(values.size()) / columns, columns};
}

long double distance(const Points& p, std::int64_t i, std::int64_t j) {
  long double sum = 0;
  for (std::int64_t c = 0; c < p.columns; ++c) sum += std::pow(static_cast<long double>(p.row(i)[c]) - p.row(j)[c], 2);
  return std::sqrt(sum);
}

// The others in order of their distance from i.
std::vector<std::int64_t> order_from(const Points& p, std::int64_t i) {
  std::vector<std::int64_t> order;
  for (std::int64_t j = 0; j < p.rows; ++j)
    if (j != i) order.push_back(j);
  std::vector<long double> far;
  for (std::int64_t j = 0; j < p.rows; ++j) far.push_back(distance(p, i, j));
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return far[a] < far[b]; });
  return order;
}

// Venna & Kaski 2001: 1 - 2 / (N k (2N - 3k - 1)) sum_i sum over j near in `seen` but not in `truth` of rank(i, j) in truth - k.
double preserved(const Points& truth, const Points& seen, std::int64_t k) {
  const auto n = static_cast<double>(truth.rows);
  double sum = 0;
  for (std::int64_t i = 0; i < truth.rows; ++i) {
    const auto real = order_from(truth, i), shown = order_from(seen, i);
    for (std::int64_t s = 0; s < k; ++s) {
      const auto rank = std::find(real.begin(), real.end(), shown[s]) - real.begin() + 1;
      if (rank > k) sum += static_cast<double>(rank - k);
    }
  }
  const double kk = static_cast<double>(k);
  return 1 - 2 / (n * kk * (2 * n - 3 * kk - 1)) * sum;
}

TEST(EmbeddingQuality, IsItsDefinition) {
  for (const std::int64_t n : {7, 31, 33, 97}) {
    const auto high = cloud(n, 5, 1, 100), low = cloud(n, 2, 2);
    const Points input = points(high, 5), embedding = points(low, 2);
    EmbeddingQualityOptions options;
    options.neighbours = n < 30 ? 3 : 10;
    const auto found = embedding_quality(input, embedding, {}, options, context);
    EXPECT_EQ(found.rows, n);
    EXPECT_EQ(found.neighbours, options.neighbours);
    EXPECT_NEAR(found.trustworthiness, preserved(input, embedding, options.neighbours), 1e-12);
    EXPECT_NEAR(found.continuity, preserved(embedding, input, options.neighbours), 1e-12);
    EXPECT_TRUE(std::isnan(found.purity));

    // Kruskal's stress-1 at the best of all scales, searched for.
    std::vector<std::pair<double, double>> pairs;
    double total = 0, least = INFINITY;
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < i; ++j) {
        pairs.emplace_back(distance(input, i, j), distance(embedding, i, j));
        total += pairs.back().first * pairs.back().first;
      }
    for (double b = 0; b < 3; b += 1e-3) {
      double residual = 0;
      for (const auto& [delta, d] : pairs) residual += (delta - b * d) * (delta - b * d);
      least = std::min(least, std::sqrt(residual / total));
    }
    EXPECT_NEAR(found.stress_1, least, 1e-5);  // b is off by at most half a step, and the loss is flat there
  }
}

TEST(EmbeddingQuality, APictureThatKeepsEverythingIsPerfect) {
  const auto values = cloud(80, 3, 3);
  std::vector<double> scaled = values;
  for (double& value : scaled) value = -7 * value + 2;  // a similarity transform keeps every rank and ratio
  const auto found = embedding_quality(points(values, 3), points(scaled, 3), {}, {}, context);
  EXPECT_DOUBLE_EQ(found.trustworthiness, 1);
  EXPECT_DOUBLE_EQ(found.continuity, 1);
  EXPECT_NEAR(found.stress_1, 0, 1e-7);  // a root of a difference of numbers that agree to 1e-15
}

TEST(EmbeddingQuality, PurityCountsLabelledNeighboursOnly) {
  // Two far groups of 12 on a line; the fourth of each has no label, the last has the other group's.
  std::vector<double> line;
  std::vector<std::int64_t> labels;
  for (int i = 0; i < 24; ++i) {
    line.push_back(i < 12 ? i : 1000 + i * i);  // no ties
    labels.push_back(i % 12 == 3 ? -1 : i == 23 ? 0 : i / 12);
  }
  EmbeddingQualityOptions options;
  options.neighbours = 11;  // all of the own group
  const auto found = embedding_quality(points(line, 1), points(line, 1), labels, options, context);
  EXPECT_EQ(found.neighbours, 11);
  EXPECT_EQ(found.labelled_rows, 22);
  // Group 0: 11 rows with 10 labelled neighbours, all alike.  Group 1: 10 rows with 9 of 10 alike, one with none of 10.
  EXPECT_NEAR(found.purity, (11 * 1.0 + 10 * 0.9 + 0.0) / 22, 1e-15);
  EXPECT_EQ(found.purity, found.purity_of_input);
}

TEST(EmbeddingQuality, ASampleEstimatesTheWhole) {
  const auto high = cloud(1500, 4, 5), low = [&] {
    std::vector<double> two;
    for (std::size_t i = 0; i < 1500; ++i) two.insert(two.end(), {high[4 * i], high[4 * i + 1]});
    return two;
  }();
  EmbeddingQualityOptions options;
  const auto whole = embedding_quality(points(high, 4), points(low, 2), {}, options, context);
  options.all_up_to = 1000;
  options.sample = 400;
  const auto part = embedding_quality(points(high, 4), points(low, 2), {}, options, context);
  EXPECT_EQ(part.rows, 400);
  EXPECT_EQ(part.points, 1500);
  EXPECT_NE(part.trustworthiness, whole.trustworthiness);
  // A row's figure deviates by about 0.1 from the mean; the mean of 400 of 1,500 by 0.1 / sqrt(400) = 0.005; four of these.
  EXPECT_NEAR(part.trustworthiness, whole.trustworthiness, 0.02);
  EXPECT_NEAR(part.continuity, whole.continuity, 0.02);
  EXPECT_NEAR(part.stress_1, whole.stress_1, 0.02);

  Context one, two;
  one.threads = 1;
  two.threads = 2;
  const auto a = embedding_quality(points(high, 4), points(low, 2), {}, options, one);
  const auto b = embedding_quality(points(high, 4), points(low, 2), {}, options, two);
  EXPECT_EQ(a.trustworthiness, b.trustworthiness);
  EXPECT_EQ(a.continuity, b.continuity);
  EXPECT_EQ(a.stress_1, b.stress_1);
  options.work = 1;  // nothing is affordable: the least sample
  EXPECT_EQ(embedding_quality(points(high, 4), points(low, 2), {}, options, context).rows, options.least_sample);
  options.all_up_to = 5000;
  options.work = 6.0e3 * 1000;  // affords 1,000 of 1,500 x 4
  options.sample = 2000;
  EXPECT_EQ(embedding_quality(points(high, 4), points(low, 2), {}, options, context).rows, 1000);
}

TEST(EmbeddingQuality, TooFewOrCoincidingPoints) {
  const std::vector<double> none, one{1, 2}, two{1, 2, 3, 4}, same(40, 1.0);
  for (const auto* values : {&none, &one, &two}) {
    const auto found = embedding_quality(points(*values, 2), points(*values, 2), {}, {}, context);
    EXPECT_EQ(found.neighbours, 0);
    EXPECT_TRUE(std::isnan(found.trustworthiness) && std::isnan(found.stress_1));
  }
  const auto found = embedding_quality(points(same, 2), points(same, 2), {}, {}, context);
  EXPECT_EQ(found.trustworthiness, 1);
  EXPECT_TRUE(std::isnan(found.stress_1));
  EXPECT_THROW(embedding_quality(points(two, 2), points(one, 2), {}, {}, context), Error);
}

TEST(Agreement, WorkedExamples) {
  // Hubert & Arabie's index for these is 4/7; mutual information ln 2, entropies 3/2 ln 2 and ln 2: NMI = 2 / (5/2) = 0.8.
  const std::vector<std::int64_t> a{0, 0, 1, 2}, b{0, 0, 1, 1}, one{5, 5, 5, 5}, renamed{7, 7, 3, 3};
  EXPECT_NEAR(agreement(a, b).ari, 4.0 / 7, 1e-15);
  EXPECT_NEAR(agreement(a, b).nmi, 0.8, 1e-15);
  EXPECT_EQ(agreement(b, renamed).ari, 1);
  EXPECT_NEAR(agreement(b, renamed).nmi, 1, 1e-15);
  EXPECT_EQ(agreement(one, one).ari, 1);
  EXPECT_EQ(agreement(one, one).nmi, 1);
  EXPECT_EQ(agreement(one, b).ari, 0);
  EXPECT_EQ(agreement(one, b).nmi, 0);
  // Crossed halves: no pair is together in both; (0 - 2/3) / (2 - 2/3) = -1/2.
  EXPECT_NEAR(agreement(std::vector<std::int64_t>{0, 1, 0, 1}, b).ari, -0.5, 1e-15);
}

TEST(Agreement, RowsWithoutALabelAreLeftOut) {
  const auto found = agreement(std::vector<std::int64_t>{0, 0, 1, 2, 9, -1}, std::vector<std::int64_t>{0, 0, 1, 1, -1, 1});
  EXPECT_EQ(found.rows, 4);
  EXPECT_NEAR(found.ari, 4.0 / 7, 1e-15);
  EXPECT_TRUE(std::isnan(agreement(std::vector<std::int64_t>{0}, std::vector<std::int64_t>{-1}).nmi));
  EXPECT_THROW(agreement(std::vector<std::int64_t>{0}, {}), Error);
  EXPECT_EQ(group_sizes(std::vector<std::int64_t>{2, -1, 0, 2}), (std::vector<std::int64_t>{1, 0, 2}));
}

TEST(ClassQuality, CountsWhatIsKnown) {
  const std::vector<double> scores{.5, .25, .25, 0, 1, 0, .1, .2, .7, 0, 0, 0, .2, .3, .5};
  const std::vector<std::int64_t> labels{0, 0, 2, 1, -1};
  const auto found = class_quality(scores, 3, labels);
  EXPECT_EQ(found.rows, 4);
  EXPECT_EQ(found.unreached, 1);
  EXPECT_DOUBLE_EQ(found.accuracy, 0.5);
  // -ln 1/2, a certain mistake at the floor 2^-52, -ln 0.7, and ln 3 for the row without a prediction.
  EXPECT_NEAR(found.log_loss, (std::log(2.0) + 52 * std::log(2.0) - std::log(0.7) + std::log(3.0)) / 4, 1e-13);
  // 1/4 + 1/16 + 1/16, 1 + 1, 0.01 + 0.04 + 0.09, and 4/9 + 1/9 + 1/9 for the row without.
  EXPECT_NEAR(found.brier, (0.375 + 2 + 0.14 + 2.0 / 3) / 4, 1e-15);
  // Tenths: 0.5 right, 1 wrong (in the last), 0.7 right.
  ASSERT_EQ(found.reliability.size(), 10u);
  EXPECT_EQ(found.reliability[5].rows, 1);
  EXPECT_EQ(found.reliability[9].rows, 1);
  EXPECT_DOUBLE_EQ(found.reliability[9].confidence, 1);
  EXPECT_EQ(found.reliability[9].accuracy, 0);
  EXPECT_DOUBLE_EQ(found.reliability[7].confidence, 0.7);
  EXPECT_NEAR(found.calibration_error, (0.5 + 1 + 0.3) / 3, 1e-15);
  EXPECT_EQ(found.confusion, (std::vector<std::vector<std::int64_t>>{{1, 1, 0}, {0, 0, 0}, {0, 0, 1}}));
  EXPECT_TRUE(std::isnan(class_quality(scores, 3, std::vector<std::int64_t>(5, -1)).accuracy));
  EXPECT_THROW(class_quality(scores, 2, labels), Error);
}

TEST(ValueQuality, IsItsDefinition) {
  const std::vector<double> values{1, 2, nan, 5, 0}, targets{1, 4, 3, 4, nan};
  const auto found = value_quality(values, targets);
  EXPECT_EQ(found.rows, 3);
  EXPECT_EQ(found.unreached, 1);
  EXPECT_NEAR(found.root_mean_square_error, std::sqrt(5.0 / 3), 1e-15);
  EXPECT_NEAR(found.r2, 1 - 5.0 / 6, 1e-15);  // residuals 0, 4, 1; targets 1, 4, 4 about 3: 4 + 1 + 1
  EXPECT_TRUE(std::isnan(value_quality({}, {}).r2));
  EXPECT_TRUE(std::isnan(value_quality(std::vector<double>{1, 2}, std::vector<double>{3, 3}).r2));
}

TEST(PrincipalAxes, OfAStretchedAndTurnedCloud) {
  // Independent coordinates with deviations 9, 4, 1, 0.5, ... turned by a fixed rotation of the first three: the axes come back.
  constexpr std::int64_t n = 3000, d = 30;
  auto values = cloud(n, d, 11);
  const double deviations[] = {9, 4, 1};
  const double turn[3][3] = {{2.0 / 3, -1.0 / 3, 2.0 / 3}, {2.0 / 3, 2.0 / 3, -1.0 / 3}, {-1.0 / 3, 2.0 / 3, 2.0 / 3}};  // orthogonal
  for (std::int64_t i = 0; i < n; ++i) {
    double stretched[3];
    for (int a = 0; a < 3; ++a) stretched[a] = deviations[a] * values[i * d + a];
    for (int c = 0; c < 3; ++c)
      values[i * d + c] = 50 + stretched[0] * turn[0][c] + stretched[1] * turn[1][c] + stretched[2] * turn[2][c];
    for (std::int64_t c = 3; c < d; ++c) values[i * d + c] *= 0.1;
  }
  const auto found = principal_axes(points(values, d), 3, context);
  ASSERT_EQ(found.axes, 3);
  double total = 0;
  for (const double deviation : deviations) total += deviation * deviation;
  total += (d - 3) * 0.01;
  for (int a = 0; a < 3; ++a) {
    double along = 0, size = 0;
    for (std::int64_t c = 0; c < d; ++c) size += found.axis[a * d + c] * found.axis[a * d + c];
    for (int c = 0; c < 3; ++c) along += found.axis[a * d + c] * turn[a][c];
    EXPECT_NEAR(size, 1, 1e-12);
    EXPECT_GT(std::abs(along), 0.99);  // sampling turns the axes by about ratio / sqrt(n) = 0.01 to 0.02 rad
    EXPECT_NEAR(found.share[a], deviations[a] * deviations[a] / total, 0.03);  // variances: sqrt(2 / n) = 2.6 % of themselves
  }
  // What is projected has the shares as variances, and no correlation.
  const auto y = project(points(values, d), found);
  double squares[3] = {}, product = 0, all = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    for (int a = 0; a < 3; ++a) squares[a] += y[3 * i + a] * y[3 * i + a];
    product += y[3 * i] * y[3 * i + 1];
    for (std::int64_t c = 0; c < d; ++c) all += std::pow(values[i * d + c] - found.centre[c], 2);
  }
  for (int a = 0; a < 3; ++a) EXPECT_NEAR(squares[a] / all, found.share[a], 1e-6);
  EXPECT_NEAR(product / std::sqrt(squares[0] * squares[1]), 0, 1e-3);

  Context one, two;
  one.threads = 1;
  two.threads = 2;
  EXPECT_EQ(principal_axes(points(values, d), 3, one).axis, principal_axes(points(values, d), 3, two).axis);
}

TEST(PrincipalAxes, FewPointsOrColumns) {
  const std::vector<double> none, two{0, 0, 3, 4}, same(20, 1.0);
  EXPECT_EQ(principal_axes({none.data(), 0, 4}, 2, context).axes, 0);
  EXPECT_EQ(principal_axes({two.data(), 1, 4}, 2, context).axes, 0);
  const auto line = principal_axes(points(two, 2), 3, context);
  ASSERT_EQ(line.axes, 1);
  EXPECT_NEAR(line.axis[0], 0.6, 1e-12);
  EXPECT_NEAR(line.axis[1], 0.8, 1e-12);
  EXPECT_NEAR(line.share[0], 1, 1e-12);
  EXPECT_EQ(principal_axes(points(same, 2), 2, context).share, (std::vector<double>{0, 0}));
  EXPECT_THROW(project(points(two, 4), line), Error);
}

TEST(LargestGap, WhereTheSpectrumBreaksOff) {
  const std::vector<double> laplacian{0.01, 0.02, 0.4, 0.5, 0.55}, operators{0.99, 0.98, 0.97, 0.2}, few{0, 1, 9}, flat(6, 1.0);
  EXPECT_EQ(largest_gap(laplacian)->after, 2);
  EXPECT_NEAR(largest_gap(laplacian)->size, 0.38, 1e-15);
  EXPECT_EQ(largest_gap(operators)->after, 3);
  EXPECT_FALSE(largest_gap(few));
  EXPECT_FALSE(largest_gap(flat));
}

}  // namespace
}  // namespace calor::analyse
