// Classes told in float: never another one than in double.
#include "calor/engine/attention_means.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "calor/engine/passes.h"
#include "isa.h"
#include "support.h"

namespace calor::engine {
namespace {

constexpr std::int64_t keys = 6000, dims = 7;

struct Problem {
  Similarity similarity;
  Matrix classes = Matrix::Zero(keys, 3);
};

Problem problem(double bandwidth, double offset, double noise, std::int64_t rows = 200) {
  Random random(5, Purpose::test);
  Problem made;
  auto columns = std::make_shared<Matrix>(keys, dims), queries = std::make_shared<Matrix>(rows, dims);
  const auto draw = [&](Matrix& points, std::int64_t i) {
    for (std::int64_t c = 0; c < dims; ++c) points(i, c) = offset + random.normal() + (c == i % 3 ? 2 : 0);
  };
  for (std::int64_t i = 0; i < keys; ++i) {
    draw(*columns, i);
    made.classes(i, random.uniform() < noise ? static_cast<std::int64_t>(random.below(3)) : i % 3) = 1;
  }
  for (std::int64_t i = 0; i < rows; ++i) draw(*queries, i);
  Similarity& similarity = made.similarity;
  similarity.rows = rows;
  similarity.columns = keys;
  similarity.row_points = queries;
  similarity.column_points = columns;
  similarity.score = {Score::Kind::power_distance, 2, Metric::euclidean};
  similarity.strengthen.kind = Strengthen::Kind::exponential;
  similarity.strengthen.scale = Vector::Constant(1, bandwidth);
  normalise_rows(similarity, Context());
  return made;
}

class AttentionMeansOnIsa : public OnIsa {};
CALOR_ON_EVERY_ISA(AttentionMeansOnIsa);

TEST_P(AttentionMeansOnIsa, FloatsAreWithinTheirError) {
  for (const double bandwidth : {0.5, 4.0, 100.0})
    for (const double offset : {0.0, 1000.0}) {
      const Problem made = problem(bandwidth, offset, 0.3, 50);
      const auto attention = as_attention(made.similarity, 3);
      ASSERT_TRUE(attention);
      const Matrix exact = attention_means(*attention, made.similarity, made.classes, Context());
      const std::optional<FloatMeans> floats = attention_means_in_float(*attention, made.similarity, made.classes, Context());
      ASSERT_TRUE(floats);
      const FloatMeans& found = *floats;
      for (std::int64_t i = 0; i < 50; ++i) {
        EXPECT_LT(found.error[i], 0.1);
        for (std::int64_t c = 0; c < 3; ++c) EXPECT_LE(std::abs(found.means(i, c) - exact(i, c)), found.error[i] * exact(i, c)) << bandwidth << ' ' << offset << " row " << i;
      }
    }
}

TEST(ClassMeans, TellTheClassThatDoublesTell) {
  for (const double bandwidth : {1e-3, 0.5, 4.0, 1e3}) {
    const Problem made = problem(bandwidth, 30, 0.5);
    std::int64_t again = 0;
    const Matrix found = class_means(made.similarity, made.classes, Context(), again);
    const Matrix exact = flow(made.similarity, made.classes, Context());
    for (std::int64_t i = 0; i < found.rows(); ++i) {
      Eigen::Index one = 0, other = 0;
      found.row(i).maxCoeff(&one);
      exact.row(i).maxCoeff(&other);
      EXPECT_EQ(one, other) << bandwidth << " row " << i;
    }
    EXPECT_GE(again, 0);
    EXPECT_TRUE(bandwidth != 4 || again < 20) << again;
    EXPECT_LT((found - exact).cwiseAbs().maxCoeff(), 1e-4) << bandwidth;
  }
}

// A key without a class at the query, 2,500 of one class a little nearer than 3,500 of another: weights of both are about e^-88 of the largest, where floats end.
TEST(ClassMeans, WeightsThatFloatsLoseAreSummedInDouble) {
  Problem made = problem(1, 0, 0, 1);
  auto columns = std::make_shared<Matrix>(Matrix::Zero(keys, dims));
  made.classes.setZero();
  for (std::int64_t i = 1; i < keys; ++i) {
    (*columns)(i, i % dims) = std::sqrt(i < 2501 ? 87.9 : 88.1);
    made.classes(i, i < 2501 ? 0 : 1) = 1;
  }
  made.similarity.column_points = columns;
  made.similarity.row_points = std::make_shared<const Matrix>(Matrix::Zero(1, dims));
  std::int64_t again = 0;
  const Matrix found = class_means(made.similarity, made.classes, Context(), again);
  EXPECT_EQ(again, 1);
  EXPECT_GT(found(0, 1), found(0, 0));
}

// Units far from 1 in either direction say the same as units of 1.
TEST(ClassMeans, UnitsDoNotMatter) {
  std::vector<Matrix> found;
  for (const double unit : {1.0, 0x1p-80, 0x1p+80, 0x1p-300}) {
    Problem made = problem(4, 0, 0.3);
    made.similarity.column_points = std::make_shared<const Matrix>(*made.similarity.column_points * unit);
    made.similarity.row_points = std::make_shared<const Matrix>(*made.similarity.row_points * unit);
    made.similarity.strengthen.scale[0] *= unit * unit;
    std::int64_t again = 0;
    found.push_back(class_means(made.similarity, made.classes, Context(), again));
    EXPECT_GE(again, 0);
    EXPECT_LT(again, 20);
    EXPECT_EQ(found.back(), found.front()) << unit;
  }
}

// Every key twice, in two classes: a tie that rounding must not break in another way.
TEST(ClassMeans, TiesAreDecidedInDouble) {
  Problem made = problem(4, 0, 0);
  auto columns = std::make_shared<Matrix>(*made.similarity.column_points);
  columns->bottomRows(keys / 2) = columns->topRows(keys / 2);
  made.similarity.column_points = columns;
  made.classes.setZero();
  made.classes.col(0).head(keys / 2).setOnes();
  made.classes.col(1).tail(keys / 2).setOnes();
  std::int64_t again = 0;
  const Matrix found = class_means(made.similarity, made.classes, Context(), again);
  EXPECT_EQ(again, made.similarity.rows);
  EXPECT_EQ(found, flow(made.similarity, made.classes, Context()));
}

// Rows that are keys and leave themselves out, also where a row is computed again.
TEST(ClassMeans, ARowLeavesItselfOut) {
  Problem made = problem(0.01, 0, 1);
  made.similarity.row_points = made.similarity.column_points;
  made.similarity.rows = keys;
  made.similarity.leave_diagonal_out = true;
  made.similarity.rows_deferred = false;
  normalise_rows(made.similarity, Context());
  std::int64_t again = 0;
  const Matrix found = class_means(made.similarity, made.classes, Context(), again);
  const Matrix exact = flow(made.similarity, made.classes, Context());
  EXPECT_GT(again, 0);
  EXPECT_LT(again, keys);
  std::int64_t own = 0;
  for (std::int64_t i = 0; i < keys; ++i) {
    Eigen::Index one = 0, other = 0, label = 0;
    found.row(i).maxCoeff(&one);
    exact.row(i).maxCoeff(&other);
    made.classes.row(i).maxCoeff(&label);
    EXPECT_EQ(one, other) << "row " << i;
    own += one == label;
  }
  EXPECT_LT(own, keys / 2);  // random classes: its own key would tell it every time
}

TEST(ClassMeans, FewKeysAreInDoubleFromTheStart) {
  Problem made = problem(4, 0, 0);
  made.similarity.columns = 4000;
  made.similarity.column_points = std::make_shared<const Matrix>(made.similarity.column_points->topRows(4000));
  const Matrix classes = made.classes.topRows(4000);
  std::int64_t again = 0;
  EXPECT_EQ(class_means(made.similarity, classes, Context(), again), flow(made.similarity, classes, Context()));
  EXPECT_EQ(again, -1);
}

}  // namespace
}  // namespace calor::engine
