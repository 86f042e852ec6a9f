// How a method chooses: the maps against their definition, the search against contenders whose best choice is known, and the contenders against
// scikit-learn 1.9 on the bundled digits (every fifth row held out; the calls stand beside the figures).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "calor/core/random.h"
#include "calor/io/dataset.h"
#include "calor/learn/baseline/baselines.h"
#include "calor/learn/baseline/support_vectors.h"

namespace calor::learn {
namespace {

using engine::Matrix;

Matrix normal_points(Eigen::Index rows, Eigen::Index columns, std::uint64_t seed) {
  Random random(seed, Purpose::test);
  Matrix points(rows, columns);
  for (double& value : points.reshaped()) value = random.normal();
  return points;
}

TEST(PointMap, HasTheSpreadThatItSays) {
  Matrix points = normal_points(200, 4, 1);
  points.col(1) *= 50;
  points.col(2) += 0.7 * points.col(0);
  points.col(3).setConstant(0.1);
  points.col(0).array() += 300;
  const Matrix given = PointMap(Preprocessing::as_given, points)(points), by_column = PointMap(Preprocessing::standardised, points)(points),
               white = PointMap(Preprocessing::whitened, points)(points);
  EXPECT_NEAR(given.squaredNorm() / static_cast<double>(given.size()), 1, 1e-12);
  const double ratio = (points.row(0) - points.row(1)).norm() / (points.row(2) - points.row(3)).norm();
  EXPECT_NEAR((given.row(0) - given.row(1)).norm() / (given.row(2) - given.row(3)).norm(), ratio, 1e-10);
  for (int c = 0; c < 4; ++c) {
    EXPECT_NEAR(by_column.col(c).mean(), 0, 1e-12);
    EXPECT_NEAR(by_column.col(c).squaredNorm() / 200, c == 3 ? 0 : 1, 1e-12);
  }
  ASSERT_EQ(white.cols(), 3);  // nothing varies along the constant column
  EXPECT_LT((white.transpose() * white / 200 - Eigen::MatrixXd::Identity(3, 3)).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_EQ(PointMap(Preprocessing::untouched, points)(points), points);
}

TEST(PointMap, AnOffsetOfABillionCostsNoDigits) {
  const Matrix points = normal_points(100, 2, 2) * 600;  // minutes, in seconds
  Matrix moved = points;
  moved.col(0).array() += 1e9;
  for (const Preprocessing preprocessing : every_preprocessing) {
    const Matrix here = PointMap(preprocessing, points)(points), there = PointMap(preprocessing, moved)(moved);
    // A double near 1e9 is exact to 6e-8, relative to a spread of 600: 1e-10.
    EXPECT_LT((here - there).cwiseAbs().maxCoeff(), 1e-9) << name_of(preprocessing);
  }
}

TEST(PointMap, WhiteningWantsRowsAndFewColumns) {
  EXPECT_TRUE(possible(Preprocessing::whitened, 20, 10));
  EXPECT_FALSE(possible(Preprocessing::whitened, 19, 10));
  EXPECT_FALSE(possible(Preprocessing::whitened, 1'000'000, 5000));
  EXPECT_TRUE(possible(Preprocessing::standardised, 2, 5000));
}

// Right for every row under the one setting, for the share of the others that `quality` says; remembers what it was asked.
struct Probe {
  std::set<std::pair<double, double>> asked;
  Contender contender;

  Probe(Preprocessing needed, double best_a, double best_b) {
    contender.name = "probe";
    contender.preprocessings = {every_preprocessing.begin(), every_preprocessing.end()};
    contender.parameters = {{"a", {1, 2, 3, 4, 5, 6, 7}, {1, 5}}, {"b", {1, 2, 3, 4}, {1}}};
    contender.predict = [=, this](const LabelledRows& train, const Matrix& queries, const std::vector<Setting>& settings) {
      const double rms = std::sqrt(train.points.squaredNorm() / static_cast<double>(train.points.size())),
                   first = std::sqrt(train.points.col(0).squaredNorm() / static_cast<double>(train.count()));
      const bool suits = std::abs(rms - 1) < 1e-6 && (std::abs(first - 1) < 1e-6) == (needed == Preprocessing::standardised);
      std::vector<std::vector<std::int64_t>> result;
      for (const Setting& setting : settings) {
        asked.insert({setting[0], setting[1]});
        const double far = std::abs(setting[0] - best_a) + std::abs(setting[1] - best_b) + (suits ? 0 : 20);
        std::vector<std::int64_t> found;
        for (Eigen::Index i = 0; i < queries.rows(); ++i) found.push_back(i % 40 < 2 * far ? -1 : 0);
        result.push_back(found);
      }
      return result;
    };
  }
};

LabelledRows one_class(std::int64_t rows) {
  Matrix points = normal_points(rows, 3, 3);
  points.col(0) *= 10;
  return {points, std::vector<std::int64_t>(static_cast<std::size_t>(rows), 0)};
}

TEST(Chooser, FindsTheBestPreprocessingAndWalksToTheBestSetting) {
  for (const Preprocessing needed : {Preprocessing::as_given, Preprocessing::standardised}) {
    Probe probe(needed, 7, 4);
    const Choice choice = choose(probe.contender, one_class(400), 1, 0, Context());
    EXPECT_EQ(choice.preprocessing, needed);
    EXPECT_EQ(choice.setting, (Setting{7, 4}));
    EXPECT_EQ(choice.validated, 1);
    EXPECT_FALSE(probe.asked.contains({1, 4})) << "only the neighbours of the best are tried";
  }
}

TEST(Chooser, TakesThePlainerOfEqualOnes) {
  Contender contender;
  contender.preprocessings = {every_preprocessing.begin(), every_preprocessing.end()};
  contender.parameters = {{"a", {1, 2, 3}, {2}}};
  contender.predict = [](const LabelledRows&, const Matrix& queries, const std::vector<Setting>& settings) {
    return std::vector(settings.size(), std::vector<std::int64_t>(static_cast<std::size_t>(queries.rows()), 0));
  };
  const Choice choice = choose(contender, one_class(50), 1, 0, Context());
  EXPECT_EQ(choice.preprocessing, Preprocessing::as_given);
  EXPECT_EQ(choice.setting, Setting{1});
}

TEST(Chooser, JudgesEachRowOnceByOthers) {
  // The label of a row is its number, and so is its only feature.
  LabelledRows rows{Matrix(1500, 1), {}};
  for (std::int64_t i = 0; i < 1500; ++i) {
    rows.points(i, 0) = static_cast<double>(i);
    rows.labels.push_back(i % 2);
  }
  std::multiset<std::int64_t> judged;
  std::int64_t calls = 0, least = 1500;
  Contender contender;
  contender.preprocessings = {Preprocessing::untouched};
  contender.parameters = {{"a", {1, 2}, {0, 1}}};
  contender.predict = [&](const LabelledRows& train, const Matrix& queries, const std::vector<Setting>& settings) {
    std::set<std::int64_t> known;
    for (std::int64_t i = 0; i < train.count(); ++i) {
      known.insert(static_cast<std::int64_t>(train.points(i, 0)));
      EXPECT_EQ(train.labels[static_cast<std::size_t>(i)], static_cast<std::int64_t>(train.points(i, 0)) % 2);
    }
    for (Eigen::Index i = 0; i < queries.rows(); ++i) {
      judged.insert(static_cast<std::int64_t>(queries(i, 0)));
      EXPECT_FALSE(known.contains(static_cast<std::int64_t>(queries(i, 0))));
    }
    const std::int64_t odd = std::count(train.labels.begin(), train.labels.end(), 1);
    EXPECT_LE(std::abs(2 * odd - train.count()), 2) << "stratified";
    ++calls;
    least = std::min(least, train.count());
    return std::vector(settings.size(), std::vector<std::int64_t>(static_cast<std::size_t>(queries.rows()), 0));
  };
  choose(contender, rows, 2, 7, Context());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(least, 1000);
  EXPECT_EQ(judged.size(), 1500u);
  EXPECT_EQ(std::set(judged.begin(), judged.end()).size(), 1500u);
}

struct Digits {
  LabelledRows train;
  Matrix test;
  std::vector<std::int64_t> known;
};

Digits digits() {
  const io::Dataset data = io::load_dataset("digits", {}, Context());
  const Matrix all = Eigen::Map<const Matrix>(data.values.data(), data.rows, data.columns);
  std::vector<std::int64_t> train, test;
  for (std::int64_t i = 0; i < data.rows; ++i) (i % 5 ? train : test).push_back(i);
  const LabelledRows whole{all, data.labels};
  return {whole.those(train), whole.those(test).points, whole.those(test).labels};
}

std::int64_t right(const Contender& contender, Preprocessing preprocessing, Setting setting, const Digits& data) {
  const std::vector<std::int64_t> found = predict(contender, {preprocessing, std::move(setting), 0}, data.train, data.test);
  std::int64_t count = 0;
  for (std::size_t i = 0; i < found.size(); ++i) count += found[i] == data.known[i];
  return count;
}

TEST(SupportVectors, AreScikitLearns) {
  const Digits data = digits();
  // SVC(C=C, gamma=share / train.var(0).sum()).fit(train, y): 355, 354, 354, 354 right of 360.
  for (const std::int64_t stored : {std::int64_t{0}, most_stored_rows}) {
    const Context context;
    const Contender machine = support_vectors(context, stored);
    EXPECT_EQ(right(machine, Preprocessing::as_given, {1, 1}, data), 355) << stored;
    EXPECT_EQ(right(machine, Preprocessing::as_given, {10, 1}, data), 354) << stored;
    EXPECT_EQ(right(machine, Preprocessing::as_given, {100, 0.1}, data), 354) << stored;
    EXPECT_EQ(right(machine, Preprocessing::as_given, {10, 3}, data), 354) << stored;
  }
}

TEST(Neighbours, AreScikitLearns) {
  const Digits data = digits();
  const Context context;
  const Contender neighbours = nearest_neighbours("neighbours", {7, 5, 3, 1}, 10, context);
  // KNeighborsClassifier(k), on pixels and on standardised pixels.
  EXPECT_EQ(right(neighbours, Preprocessing::as_given, {1}, data), 352);
  EXPECT_EQ(right(neighbours, Preprocessing::as_given, {3}, data), 354);
  EXPECT_EQ(right(neighbours, Preprocessing::as_given, {7}, data), 356);
  EXPECT_EQ(right(neighbours, Preprocessing::standardised, {1}, data), 346);
  EXPECT_EQ(right(neighbours, Preprocessing::standardised, {5}, data), 349);
}

TEST(Logistic, IsScikitLearns) {
  const Digits data = digits();
  const Context context;
  const Contender logistic = logistic_regression(64, 10, context);
  // LogisticRegression(C=C) on (pixels - mean) / root mean square; the minimum is found to a few digits by both.
  EXPECT_NEAR(static_cast<double>(right(logistic, Preprocessing::as_given, {0.01}, data)), 338, 1);
  EXPECT_NEAR(static_cast<double>(right(logistic, Preprocessing::as_given, {1}, data)), 348, 1);
}

TEST(Chooser, ChoosesAsWellAsATunedScikitLearn) {
  const Digits data = digits();
  const Context context;
  // GridSearchCV over C and gamma, and over k, on pixels: 354 and 354 of 360.
  const Contender machine = support_vectors(context), neighbours = nearest_neighbours("neighbours", {25, 15, 11, 7, 5, 3, 1}, 10, context);
  const Choice c = choose(machine, data.train, 10, 0, context), k = choose(neighbours, data.train, 10, 0, context);
  EXPECT_GE(right(machine, c.preprocessing, c.setting, data), 352);
  EXPECT_GE(right(neighbours, k.preprocessing, k.setting, data), 352);
  EXPECT_GT(c.validated, 0.985);
}

}  // namespace
}  // namespace calor::learn
