// The split and the standardisation: counts by hand, means and deviations recomputed in double, and each refusal.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "calor/core/error.h"
#include "calor/learn/data/preprocess.h"
#include "small_data.h"

namespace calor::learn {
namespace {

std::vector<std::int64_t> labels_of(const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> labels;
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    labels.insert(labels.end(), static_cast<std::size_t>(sizes[c]), static_cast<std::int64_t>(c));
  }
  return labels;
}

std::vector<std::int64_t> class_counts(const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& labels,
                                       std::size_t classes) {
  std::vector<std::int64_t> counts(classes);
  for (const std::int64_t row : rows) ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)])];
  return counts;
}

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Split, IsStratifiedAndCompleteAndSeeded) {
  const auto labels = labels_of({50, 30, 20});
  const Split split = stratified_split(labels, 3, 0.2, 7);
  EXPECT_EQ(class_counts(split.test, labels, 3), (std::vector<std::int64_t>{10, 6, 4}));
  std::vector<std::int64_t> all = split.train;
  all.insert(all.end(), split.test.begin(), split.test.end());
  std::sort(all.begin(), all.end());
  std::vector<std::int64_t> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
  EXPECT_EQ(stratified_split(labels, 3, 0.2, 7).test, split.test);
  EXPECT_NE(stratified_split(labels, 3, 0.2, 8).test, split.test);
}

TEST(Split, LargestRemaindersGetTheRowsLeftOver) {
  const auto labels = labels_of({7, 6, 7});  // 20 rows: 4 tested, exact shares 1.4, 1.2, 1.4
  EXPECT_EQ(class_counts(stratified_split(labels, 3, 0.2, 0).test, labels, 3), (std::vector<std::int64_t>{2, 1, 1}));
}

TEST(Split, AClassOfOneRowTrains) {
  const auto labels = labels_of({1, 10, 2});
  for (const double share : {0.1, 0.5, 0.95}) {
    const auto counts = class_counts(stratified_split(labels, 3, share, 3).train, labels, 3);
    EXPECT_EQ(counts[0], 1);
    EXPECT_GE(counts[1], 1);
    EXPECT_GE(counts[2], 1);
  }
}

TEST(Split, RefusesWhatCannotBeSplit) {
  EXPECT_NE(message([] { stratified_split({0}, 1, 0.2, 0); }).find("at least 2 labelled rows, found 1"), std::string::npos);
  EXPECT_NE(message([] { stratified_split({0, 0, 0}, 1, 0.2, 0); }).find("at least 2 classes, found 1"), std::string::npos);
  EXPECT_NE(message([] { stratified_split({0, 1, 2}, 3, 0.2, 0); }).find("2 rows or more"), std::string::npos);
}

TEST(Sample, IsStratifiedAndWholeWhenItFits) {
  const auto labels = labels_of({60, 40});
  EXPECT_EQ(class_counts(stratified_sample(labels, 2, 10, 1), labels, 2), (std::vector<std::int64_t>{6, 4}));
  EXPECT_EQ(stratified_sample(labels, 2, 100, 1).size(), 100u);
}

TEST(Standardisation, IsFittedOnTheTrainingRowsAlone) {
  io::Dataset data = clouds(100, 3, 2);
  for (std::int64_t i = 0; i < data.rows; ++i) data.values[static_cast<std::size_t>(i * 3 + 1)] = 0.1F;  // constant
  const Prepared prepared = prepare(data, std::nullopt, {0.25, true, 2000, 0});
  EXPECT_EQ(prepared.constant_columns, std::vector<std::string>{"feature 1"});
  const std::vector<float> train = standardised(prepared.train, prepared.standardisation), test = standardised(prepared.test, prepared.standardisation);
  for (std::size_t column = 0; column < 3; ++column) {
    double mean = 0, square = 0;
    const auto rows = train.size() / 3;
    for (std::size_t i = 0; i < rows; ++i) mean += train[i * 3 + column] / static_cast<double>(rows);
    for (std::size_t i = 0; i < rows; ++i) square += std::pow(train[i * 3 + column], 2) / static_cast<double>(rows);
    EXPECT_NEAR(mean, 0, 1e-6);
    EXPECT_NEAR(square, column == 1 ? 0 : 1, 1e-6);
  }
  // A test row goes through the means and deviations of the training rows.
  const auto row = static_cast<std::size_t>(prepared.test_rows.front());
  const double expected = (data.values[row * 3] - prepared.standardisation.mean[0]) / prepared.standardisation.deviation[0];
  EXPECT_FLOAT_EQ(test[0], static_cast<float>(expected));
}

// A Unix time in seconds that varies by minutes.
TEST(Standardisation, KeepsTheDigitsOfAFeatureFarFromZero) {
  io::Dataset data = clouds(100, 3, 2), moved = data;
  for (std::int64_t i = 0; i < data.rows; ++i) {
    const auto at = static_cast<std::size_t>(i * 3);
    data.values[at] *= 300;
    moved.values[at] = data.values[at] + 1e9;
    moved.values[at + 1] = data.values[at + 1] = 1e9 + 0.1;  // constant
  }
  const Prepared here = prepare(data, std::nullopt, {}), there = prepare(moved, std::nullopt, {});
  EXPECT_EQ(there.constant_columns, std::vector<std::string>{"feature 1"});
  EXPECT_EQ(there.train(0, 0), here.train(0, 0) + 1e9) << "as the data set has it";
  const auto a = standardised(here.train, here.standardisation), b = standardised(there.train, there.standardisation);
  // 1e9 + x is exact to 6e-8 in double: 2e-10 of the deviation; floats keep 6e-8.
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6 * (1 + std::abs(a[i]))) << i;
}

TEST(Standardisation, OfHugeAndTinyUnits) {
  const io::Dataset data = clouds(60, 2, 2);
  const auto plain = fit_standardisation(prepare(data, std::nullopt, {}).train);
  for (const double unit : {1e-200, 1e200}) {
    io::Dataset scaled = data;
    for (double& value : scaled.values) value *= unit;
    const auto fit = fit_standardisation(prepare(scaled, std::nullopt, {}).train);
    for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(fit.deviation[c] / unit, plain.deviation[c], 1e-12) << unit;
  }
}

TEST(Prepare, RefusesWhatFloatsCannotHoldUnlessItIsStandardised) {
  io::Dataset data = clouds(20, 2, 2);
  data.values[3] = 1e200;
  EXPECT_NO_THROW(prepare(data, std::nullopt, {}));
  EXPECT_NE(message([&] { prepare(data, std::nullopt, {0.2, false, 2000, 0}); }).find("column \"feature 1\""), std::string::npos);
}

TEST(Prepare, MatchesTheColumnsAndClassesOfATestFileByName) {
  const io::Dataset data = clouds(20, 2, 2);
  io::Dataset test = data;
  std::swap(test.features[0], test.features[1]);
  for (std::size_t i = 0; i < test.values.size(); i += 2) std::swap(test.values[i], test.values[i + 1]);
  test.classes = {"class 1", "class 0"};
  for (auto& label : test.labels) label = 1 - label;
  const Prepared prepared = prepare(data, test, {});
  EXPECT_EQ(prepared.test, prepared.train);
  EXPECT_EQ(prepared.test_labels, prepared.train_labels);
}

TEST(Prepare, RefusesATestFileThatDoesNotFit) {
  const io::Dataset data = clouds(20, 2, 2);
  io::Dataset renamed = data, other_class = data, narrow = clouds(20, 1, 2);
  renamed.features[1] = "another";
  other_class.classes[1] = "unheard of";
  narrow.features = {"x1"};
  EXPECT_NE(message([&] { prepare(data, renamed, {}); }).find("without feature 1"), std::string::npos);
  EXPECT_NE(message([&] { prepare(data, other_class, {}); }).find("found 'unheard of'"), std::string::npos);
  EXPECT_NE(message([&] { prepare(data, narrow, {}); }).find("expected 2 feature columns, found 1"), std::string::npos);
}

}  // namespace
}  // namespace calor::learn
