// The bundled sets: counts and statistics as their descriptions publish them (data/README.md), moons by its geometry.
#include <cmath>
#include <numbers>
#include <numeric>

#include "calor/io/dataset.h"
#include "calor/io/hash.h"
#include "temporary_folder.h"

namespace calor::io {
namespace {

Dataset bundled(const std::string& name) { return load_dataset(name, {}, Context()); }

Labels counts(const Dataset& data) {
  Labels counts(data.classes.size());
  for (const std::int64_t label : data.labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

double column_mean(const Dataset& data, const std::string& feature) {
  const auto column = std::find(data.features.begin(), data.features.end(), feature) - data.features.begin();
  double sum = 0;
  for (std::int64_t i = 0; i < data.rows; ++i) sum += data.row(i)[column];
  return sum / static_cast<double>(data.rows);
}

TEST(Bundled, EverySetIsWhatTheListSays) {
  ASSERT_EQ(bundled_sets().size(), 5u);
  for (const BundledSet& set : bundled_sets()) {
    const Dataset data = bundled(set.name);
    EXPECT_EQ(data.name, set.name);
    EXPECT_EQ(data.source, set.name);
    EXPECT_EQ(data.rows, set.rows) << set.name;
    EXPECT_EQ(data.columns, set.columns) << set.name;
    EXPECT_EQ(static_cast<std::int64_t>(data.classes.size()), set.classes) << set.name;
    EXPECT_EQ(static_cast<std::int64_t>(data.features.size()), set.columns) << set.name;
    EXPECT_EQ(data.values.size(), static_cast<std::size_t>(set.rows * set.columns)) << set.name;
    EXPECT_EQ(data.hash.size(), 64u);
    for (const std::string* text : {&set.summary, &set.origin, &set.licence}) EXPECT_FALSE(text->empty());
  }
}

TEST(Bundled, Digits) {
  const Dataset data = bundled("digits");
  EXPECT_EQ(counts(data), (Labels{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}));
  EXPECT_EQ(data.classes, (Strings{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}));
  EXPECT_EQ(data.label, "digit");
  EXPECT_EQ(data.features[10], "pixel_r1_c2");
  EXPECT_EQ(*std::min_element(data.values.begin(), data.values.end()), 0);
  EXPECT_EQ(*std::max_element(data.values.begin(), data.values.end()), 16);
  // Three pixels are always empty.
  int constant = 0;
  for (std::int64_t j = 0; j < 64; ++j) {
    double most = 0;
    for (std::int64_t i = 0; i < data.rows; ++i) most = std::max(most, data.row(i)[j]);
    constant += most == 0;
  }
  EXPECT_EQ(constant, 3);
}

TEST(Bundled, Iris) {
  const Dataset data = bundled("iris");
  EXPECT_EQ(counts(data), (Labels{50, 50, 50}));
  EXPECT_EQ(data.classes, (Strings{"setosa", "versicolor", "virginica"}));
  EXPECT_EQ(data.label, "species");
  EXPECT_NEAR(column_mean(data, "sepal_length_cm"), 5.84, 0.005);
  EXPECT_NEAR(column_mean(data, "petal_width_cm"), 1.20, 0.005);
}

TEST(Bundled, Wine) {
  const Dataset data = bundled("wine");
  EXPECT_EQ(counts(data), (Labels{59, 71, 48}));
  EXPECT_NEAR(column_mean(data, "alcohol"), 13.0, 0.05);
  EXPECT_NEAR(column_mean(data, "proline"), 746, 1);
  EXPECT_NEAR(column_mean(data, "hue"), 0.96, 0.005);
}

TEST(Bundled, BreastCancer) {
  const Dataset data = bundled("breast_cancer");
  EXPECT_EQ(data.classes, (Strings{"benign", "malignant"}));
  EXPECT_EQ(counts(data), (Labels{357, 212}));
  const auto extremes = [&](const std::string& feature) {
    const auto column = std::find(data.features.begin(), data.features.end(), feature) - data.features.begin();
    std::pair<double, double> range{INFINITY, -INFINITY};
    for (std::int64_t i = 0; i < data.rows; ++i)
      range = {std::min(range.first, data.row(i)[column]), std::max(range.second, data.row(i)[column])};
    return range;
  };
  EXPECT_EQ(extremes("mean_radius"), (std::pair{6.981, 28.11}));
  EXPECT_EQ(extremes("standard_error_area"), (std::pair{6.802, 542.2}));
  EXPECT_EQ(extremes("worst_texture"), (std::pair{12.02, 49.54}));
}

TEST(Bundled, HashIsThatOfTheFile) {
  EXPECT_EQ(bundled("iris").hash, sha256(content_of(CALOR_TEST_FILES "/../../../data/iris.csv")));
  EXPECT_EQ(bundled("digits").hash, sha256(content_of(CALOR_TEST_FILES "/../../../data/digits.csv.gz")));
}

TEST(Bundled, UnknownNameListsTheKnownOnes) {
  expect_error(Fault::input, {"moons, digits, iris, wine, breast_cancer", "(digit)", "did you mean \"digits\""},
               [] { bundled("digit"); });
  expect_error(Fault::input, {"moons, digits", "(nothing_like_it)"}, [] { bundled("nothing_like_it"); });
}

TEST(Moons, NoiselessPointsLieOnTheTwoHalfCircles) {
  const Dataset data = two_moons(101, 0, 7);
  EXPECT_EQ(data.rows, 101);
  for (std::int64_t i = 0; i < data.rows; ++i) {
    const double x = data.row(i)[0], y = data.row(i)[1];
    const std::int64_t label = data.labels[static_cast<std::size_t>(i)];
    EXPECT_EQ(label, i % 2);
    const double centre_x = label == 0 ? 0 : 1, centre_y = label == 0 ? 0 : 0.5;
    EXPECT_NEAR(std::hypot(x - centre_x, y - centre_y), 1, 1e-6) << i;  // coordinates are floats
    EXPECT_TRUE(label == 0 ? y >= -1e-6 : y <= 0.5 + 1e-6) << i;
  }
  // Ends: (1, 0) to (-1, 0) and (0, 1/2) to (2, 1/2).
  EXPECT_NEAR(data.row(0)[0], 1, 1e-6);
  EXPECT_NEAR(data.row(100)[0], -1, 1e-6);
  EXPECT_NEAR(data.row(1)[0], 0, 1e-6);
  EXPECT_NEAR(data.row(99)[0], 2, 1e-6);
}

TEST(Moons, NoiseHasTheAskedDeviation) {
  constexpr std::int64_t rows = 4000;
  const Dataset noisy = two_moons(rows, 0.2, 3), clean = two_moons(rows, 0, 3);
  double squares = 0;
  for (std::size_t i = 0; i < noisy.values.size(); ++i) squares += std::pow(noisy.values[i] - clean.values[i], 2);
  // Standard error of a deviation from n draws: sigma / sqrt(2 n); five of them.
  const double n = static_cast<double>(noisy.values.size());
  EXPECT_NEAR(std::sqrt(squares / n), 0.2, 5 * 0.2 / std::sqrt(2 * n));
}

TEST(Moons, SeedDecidesEverything) {
  EXPECT_EQ(two_moons(50, 0.2, 1).values, two_moons(50, 0.2, 1).values);
  EXPECT_NE(two_moons(50, 0.2, 1).values, two_moons(50, 0.2, 2).values);
  const Dataset moons = bundled("moons"), made = two_moons(500, 0.2, 0);
  EXPECT_EQ(moons.values, made.values);
  EXPECT_EQ(moons.labels, made.labels);
  EXPECT_EQ(moons.hash, made.hash);
  EXPECT_EQ(moons.features, made.features);
  expect_error(Fault::usage, {"at least 2 rows"}, [] { two_moons(1, 0.2, 0); });
  expect_error(Fault::usage, {"noise"}, [] { two_moons(10, -1, 0); });
  expect_error(Fault::usage, {"noise"}, [] { two_moons(10, NAN, 0); });
}

}  // namespace
}  // namespace calor::io
