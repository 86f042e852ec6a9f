// The untrained propagator around its choices: predictions of training rows by the others, standardisation, densities of the keys,
// evidence; the own row left out of a rectangle of training columns.
#include <gtest/gtest.h>

#include "calor/engine/evidence.h"
#include "calor/engine/passes.h"
#include "calor/pipeline/model.h"
#include "labelled.h"

namespace calor::pipeline {
namespace {

// Leave-one-out says nothing of one class, of equal values, and of a class with one row: they have a prediction all the same.
TEST(Propagator, DegenerateLabelsArePredicted) {
  const auto one = three_clouds(12);
  std::fill(one->labels.begin(), one->labels.end(), 1);
  EXPECT_EQ(run_text("propagator", one).result.scores.col(1), Vector::Ones(12));
  const auto lonely = three_clouds(12);
  std::fill(lonely->labels.begin(), lonely->labels.end(), 0);
  lonely->labels[7] = 2;
  const Fit fit = run_text("propagator", lonely);
  EXPECT_LT((fit.result.scores.rowwise().sum().array() - 1).abs().maxCoeff(), 1e-12);
  EXPECT_EQ(fit.result.scores(7, 2), 0) << "no other row has its class";
  const State placed = place(fit, std::make_shared<const Matrix>(lonely->features->row(7)), Context());
  EXPECT_GT(placed.scores(0, 2), 0);
  auto equal = measured(random_points(12, 2, 4), 0, 7);
  EXPECT_LT((run_text("propagator-regressor", equal).result.scores.array() - 7).abs().maxCoeff(), 1e-12);
}

TEST(Propagator, ATrainingRowIsPredictedByTheOthers) {
  const auto data = three_clouds(60);
  data->train.assign(60, 1);
  for (int i = 0; i < 60; i += 4) data->train[i] = 0;
  const Fit fit = run_text("distance(2, to=train) | exp(loo) | row | vote", data);
  const double scale = fit.result.figures.at("bandwidth");
  for (int i = 0; i < 60; ++i) {
    Vector expected = Vector::Zero(3);
    for (int j = 0; j < 60; ++j)
      if (j != i && j % 4) expected[j % 3] += kernel(*data, i, j, scale);
    EXPECT_LT((fit.result.scores.row(i).transpose() - expected / expected.sum()).cwiseAbs().maxCoeff(), 1e-12) << i;
  }
}

TEST(Propagator, WithoutADensityAndWithABandwidthItIsNadarayaWatsonBitForBit) {
  const Matrix points = random_points(700, 3, 8), fresh = random_points(40, 3, 9);  // several tiles
  const auto data = measured(points);
  const Fit plain = run_text("distance(2, to=train) | exp(0.5) | row | average", data);
  const Fit zero = run_text("distance(2, to=train) | exp(0.5) | two_side(0, of=keys) | row | average", data);
  EXPECT_EQ(plain.result.scores, zero.result.scores);
  const auto placed = [&](const Fit& fit) { return place(fit, std::make_shared<const Matrix>(fresh), Context()).scores; };
  EXPECT_EQ(placed(plain), placed(zero));
  // New points meet every key, so the bandwidth that leave-one-out chose, given as a number, gives the same bits as well.
  const Fit chosen = run_text("distance(2, to=train) | exp(loo) | row | average", data);
  const Fit given = run_text(fmt::format("distance(2, to=train) | exp({}) | row | average", chosen.result.figures.at("bandwidth")), data);
  EXPECT_EQ(placed(chosen), placed(given));
  EXPECT_EQ(placed(run_text("nadaraya-watson", data)),
            placed(run_text(fmt::format("distance(2, to=train) | exp({}) | row | average", run_text("nadaraya-watson", data).result.figures.at("bandwidth")), data)));
}

TEST(Propagator, KeyDensityIsTakenFromTheColumnsAlone) {
  const auto data = three_clouds(60);
  const Fit fit = run_text("distance(2, to=train) | exp(2) | two_side(0.5, of=keys)", data);
  const Matrix values = materialise(fit.result.similarity, "test", Context());
  for (int i = 0; i < 60; ++i)
    for (int j = 0; j < 60; ++j) EXPECT_NEAR(values(i, j), kernel(*data, i, j, 2) * std::pow(density(*data, j, 2), -0.5), 1e-13);
}

TEST(Propagator, SameBitsForAnyThreadsAndThroughAFile) {
  const auto data = three_clouds(600);
  const Fit one = run_text("propagator", data, 1), two = run_text("propagator", data, 2);
  EXPECT_EQ(one.result.scores, two.result.scores);
  const std::string path = ::testing::TempDir() + "calor_propagator.safetensors";
  save_fit(path, {one, print(recipes::resolve("propagator", {})), "0", "", ""});
  const auto fresh = std::make_shared<const Matrix>(random_points(50, 3, 31));
  EXPECT_EQ(place(one, fresh, Context()).scores, place(load_fit(path, recipes::all_stages()).fit, fresh, Context()).scores);
}

TEST(LeaveOwnOut, HoldsForTransposedRectanglesToo) {
  const auto data = three_clouds(30);
  data->train.assign(30, 0);
  for (int i : {1, 4, 5, 20}) data->train[i] = 1;
  Similarity record = run_text("distance(2, to=train) | exp(2)", data).result.similarity;
  record.leave_diagonal_out = true;
  const Matrix values = materialise(record, "test", Context()), across = materialise(transpose(record), "test", Context());
  EXPECT_LT(relative_difference(values.transpose(), across), 1e-13);
  EXPECT_EQ((values.array() == 0).count(), 4);
  EXPECT_EQ(values(20, 3), 0);
}

TEST(Standardise, UsesTheTrainingRowsAndDropsConstants) {
  const auto data = three_clouds(40);
  Matrix points = *data->features;
  points.col(1) = points.col(1) * 1000 + Vector::Constant(40, 1e6);
  points.col(2).setConstant(0.1);
  data->features = std::make_shared<const Matrix>(points);
  data->train.assign(40, 1);
  for (int i = 30; i < 40; ++i) data->train[i] = 0;
  const Fit fit = run_text("standardise | distance(2) | exp(1)", data);
  const Matrix& found = *fit.result.points;
  for (int c = 0; c < 2; ++c) {
    EXPECT_NEAR(found.col(c).head(30).mean(), 0, 1e-9);
    EXPECT_NEAR(found.col(c).head(30).squaredNorm() / 30, 1, 1e-9);
  }
  EXPECT_EQ(found.col(2), Vector::Zero(40));
  EXPECT_EQ(*fit.result.similarity.column_points, found);
  const auto sum = [](const Fit& of, std::shared_ptr<const Matrix> rows) { return place(of, std::move(rows), Context()).similarity; };
  const Similarity placed = sum(fit, std::make_shared<const Matrix>(points.topRows(5)));
  EXPECT_EQ(*placed.row_points, found.topRows(5));
  EXPECT_EQ(*placed.column_points, found);
}

TEST(Standardise, ALargeOffsetIsNoConstant) {
  const auto data = three_clouds(90);
  data->features = std::make_shared<const Matrix>(data->features->array() + 1e13);  // 2e-3 between neighbouring doubles
  const Fit fit = run_text("standardise | distance(2) | exp(1)", data);
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(fit.result.points->col(c).squaredNorm() / 90, 1, 1e-9) << c;
  EXPECT_GT(run_text("propagator", data).result.figures.at("leave_one_out"), -1.09) << "better than chance";
}

TEST(Standardise, LooDecidesByTheLabels) {
  const auto data = three_clouds(90);
  Matrix points = *data->features;
  points.col(2) = random_points(90, 1, 77).col(0) * 1e4;  // noise in a large unit
  data->features = std::make_shared<const Matrix>(points);
  const Fit helped = run_text("propagator", data);
  EXPECT_EQ(helped.result.figures.at("standardised"), 1);
  ASSERT_EQ(helped.result.notes.size(), 1u);
  EXPECT_NE(helped.result.notes[0].text.find("features standardised: leave-one-out likelihood"), std::string::npos);
  points.col(2) *= 1e-8;  // the same noise in a small one, which standardising would blow up
  data->features = std::make_shared<const Matrix>(points);
  EXPECT_EQ(run_text("propagator", data).result.figures.at("standardised"), 0);
}

TEST(EvidenceOfAPrediction, IsTheGreatestWeightsAndTheyExplainIt) {
  const auto data = three_clouds(600);
  const Fit fit = run_text("distance(2, to=train) | exp(2) | row | vote", data);
  const Similarity& record = fit.result.similarity;
  const Matrix values = materialise(record, "test", Context());
  const auto found = evidence(record, {}, 600, Context()), some = evidence(record, {}, 4, Context());
  for (int i = 0; i < 600; ++i) {
    Vector votes = Vector::Zero(3);
    for (const Evidence& one : found[i]) {
      EXPECT_NEAR(one.weight, values(i, one.row), 1e-12);
      votes[data->labels[one.row]] += one.weight;
    }
    EXPECT_LT((votes.transpose() - fit.result.scores.row(i)).cwiseAbs().maxCoeff(), 1e-12);
    ASSERT_EQ(some[i].size(), 4u);
    for (int k = 0; k < 4; ++k) EXPECT_EQ(some[i][k].row, found[i][k].row);
    for (std::size_t k = 1; k < found[i].size(); ++k) EXPECT_GE(found[i][k - 1].weight, found[i][k].weight);
  }
  // Rows that do not count are neither named nor weighed; edges give the same as pairs.
  std::vector<std::uint8_t> even(600, 0);
  for (int i = 0; i < 600; i += 2) even[i] = 1;
  double sum = 0;
  const auto of_even = evidence(record, even, 600, Context());
  for (const Evidence& one : of_even[3]) {
    EXPECT_EQ(one.row % 2, 0);
    sum += one.weight;
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  const Fit sparse = run_text("knn(3, to=train) | indicator | row | vote", data);
  const auto neighbours = evidence(sparse.result.similarity, {}, 5, Context());
  ASSERT_EQ(neighbours[7].size(), 3u);
  EXPECT_DOUBLE_EQ(neighbours[7][2].weight, 1.0 / 3);
}

}  // namespace
}  // namespace calor::pipeline
