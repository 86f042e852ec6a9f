// New points: those that a fit was made from come back to themselves, and others land where a fit with them puts them, within the
// distance of a neighbour, which is what a sample resolves.  (isomap, lle, laplacian-eigenmaps, diffusion-map and mds are held out in
// test_recipes.py; knn-classifier, knn-regressor and nadaraya-watson equal scikit-learn or their formula there.)
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "calor/core/error.h"
#include "calor/engine/solve/dense.h"
#include "support.h"

namespace calor::pipeline {
namespace {

// A bent strip with noise, in three classes along its length.
std::shared_ptr<Data> strip(std::int64_t rows) {
  Matrix points(rows, 3);
  const Matrix noise = random_points(rows, 3, 5);
  auto data = data_of_points(Matrix());
  data->classes = {"0", "1", "2"};
  data->targets.resize(rows);
  Random random(7, Purpose::test);
  for (std::int64_t i = 0; i < rows; ++i) {
    const double angle = random.uniform(0, 4);
    points.row(i) << angle * std::cos(angle), angle * std::sin(angle), noise(i, 2);
    data->labels.push_back(static_cast<std::int64_t>(angle * 3 / 4));
    data->targets[i] = angle;
  }
  points += 0.05 * noise;
  data->features = std::make_shared<const Matrix>(std::move(points));
  return data;
}

std::shared_ptr<Data> first_rows(const Data& whole, std::int64_t rows) {
  auto data = std::make_shared<Data>(whole);
  data->features = std::make_shared<const Matrix>(whole.features->topRows(rows));
  if (!data->labels.empty()) data->labels.resize(static_cast<std::size_t>(rows));
  if (data->targets.size()) data->targets = Vector(whole.targets.head(rows));
  return data;
}

Matrix blobs(std::int64_t rows, double apart) {
  Matrix points = random_points(rows, 2, 11);
  for (std::int64_t i = 0; i < rows; ++i) points(i, i % 2) += apart * static_cast<double>(i % 3);
  return points;
}

class ComeBack : public ::testing::TestWithParam<std::string> {};

// Nystrom's formula and weights on neighbours give an eigenvector back to the solver's residual, 1e-10 over the eigenvalue.  SMACOF and
// repeat settle by a tolerance of their own, said beside each.
TEST_P(ComeBack, ATrainingPointIsItself) {
  const auto data = strip(220);  // above 200, where eigenvectors come from Lanczos's method
  for (std::size_t i = 0; i < data->labels.size(); i += 4) data->labels[i] = -1;
  const Fit fit = run_text(GetParam(), data, 2);
  const State placed = place(fit, data->features, Context());
  if (GetParam() == "knn-classifier" || GetParam() == "knn-regressor") {
    // A training row's own prediction leaves the row out, a new point's leaves nothing out: with one neighbour it is its own label.
    const Fit nearest = run_text(GetParam() == "knn-classifier" ? "knn(1, to=train) | indicator | row | vote" : "knn(1, to=train) | indicator | row | average", data);
    const State own = place(nearest, data->features, Context());
    for (std::int64_t i = 0; i < data->rows(); ++i) {
      if (!data->labelled(i)) continue;
      if (own.class_scores) {
        EXPECT_EQ(own.scores(i, data->labels[static_cast<std::size_t>(i)]), 1);
      } else {
        EXPECT_EQ(own.scores(i, 0), data->targets[i]);
      }
    }
  } else if (fit.result.type == types::labels) {
    EXPECT_EQ(placed.labels, fit.result.labels);
    if (fit.result.scores.size()) {
      EXPECT_LT(relative_difference(placed.scores, fit.result.scores), 1e-12);
    }
  } else if (fit.result.type == types::prediction) {
    EXPECT_LT(relative_difference(placed.scores, fit.result.scores), 1e-5);  // label-spreading: one more step, settled to 1e-6
  } else {
    // The stress falls by less than 1e-7 of itself: the points stand to its root.  hopfield's repeat stands to 1e-6 of the spread.
    const double tolerance = GetParam() == "mds-metric" ? 1e-3 : GetParam() == "hopfield" ? 1e-5 : 1e-6;
    EXPECT_LT(relative_difference(*placed.points, *fit.result.points), tolerance);
  }
}

// Those with a rule for new points, which pagerank has not, of points, which mcl is not, by which a row of the fit counts itself, which the propagators do not
// (leave_one_out_test.cpp).
std::vector<std::string> names() {
  std::vector<std::string> some;
  for (const recipes::Recipe& recipe : recipes::all_recipes())
    if (recipe.name != "pagerank" && recipe.name != "mcl" && !recipe.name.starts_with("propagator")) some.emplace_back(recipe.name);
  return some;
}

INSTANTIATE_TEST_SUITE_P(Recipes, ComeBack, ::testing::ValuesIn(names()), [](const auto& test) {
  std::string name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// Turned, mirrored and shifted onto `onto` in least squares (Kabsch).
Matrix turned(const Matrix& points, const Matrix& from, const Matrix& onto) {
  const Eigen::RowVectorXd middle_from = from.colwise().mean(), middle_onto = onto.colwise().mean();
  const Eigen::MatrixXd cross = (from.rowwise() - middle_from).transpose() * (onto.rowwise() - middle_onto);
  const SingularValues svd = thin_svd(cross);
  return ((points.rowwise() - middle_from) * (svd.u * svd.v.transpose())).rowwise() + middle_onto;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Two dimensions hold three only with stress, and where it lies differs between the fits: within the fifth neighbour, then.
TEST(HeldOut, MetricScalingPlacesAmongItsNeighbours) {
  const auto whole = strip(160), part = first_rows(*whole, 120);
  const char* text = "distance(1) | match(distance, stress, tolerance=1e-6)";
  const Fit with = run_text(text, whole, 2), without = run_text(text, part, 2);
  const Matrix fresh = whole->features->bottomRows(40);
  const State placed = place(without, std::make_shared<const Matrix>(fresh), Context());
  const Matrix found = turned(*placed.points, *without.result.points, with.result.points->topRows(120));
  std::vector<double> error, neighbour;
  for (int i = 0; i < 40; ++i) {
    error.push_back((found.row(i) - with.result.points->row(120 + i)).norm());
    Vector all = (with.result.points->topRows(120).rowwise() - with.result.points->row(120 + i)).rowwise().norm();
    std::nth_element(all.begin(), all.begin() + 4, all.end());
    neighbour.push_back(all[4]);
  }
  EXPECT_LT(median(error), median(neighbour));
  EXPECT_LT(*std::max_element(error.begin(), error.end()), 4 * median(neighbour));
}

// The share of pairs on which two clusterings agree.
double agreement(const std::vector<std::int64_t>& a, const std::vector<std::int64_t>& b) {
  double same = 0, all = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      same += (a[i] == a[j]) == (b[i] == b[j]);
      all += 1;
    }
  return same / all;
}

TEST(HeldOut, ClustersOfSeparateBlobsAreThoseOfAFitWithThem) {
  const Matrix x = blobs(240, 12);
  for (const char* text : {"centres(3) | repeat(distance(2, to=data) | best(column) | row | apply) | assign",
                           "knn(10) | distance(2) | exp(auto) | mean | eigen(2, of=laplacian, components=together) | cluster(3)",
                           "repeat(distance(2) | exp(8) | row | apply) | assign(merge)"}) {
    const Fit with = run_text(text, x, 2), without = run_text(text, Matrix(x.topRows(200)), 2);
    const State placed = place(without, std::make_shared<const Matrix>(x.bottomRows(40)), Context());
    std::vector<std::int64_t> joined = without.result.labels;
    joined.insert(joined.end(), placed.labels.begin(), placed.labels.end());
    EXPECT_EQ(agreement(joined, with.result.labels), 1) << text;
  }
}

// The labels of the last 40 are not known to either fit.
TEST(HeldOut, LabelsSpreadToNewPointsAsToOldOnes) {
  const auto whole = strip(260), part = first_rows(*whole, 220);
  std::fill(whole->labels.begin() + 220, whole->labels.end(), -1);
  const Fit with = run_text("label-spreading", whole, 2), without = run_text("label-spreading", part, 2);
  const State placed = place(without, std::make_shared<const Matrix>(whole->features->bottomRows(40)), Context());
  int same = 0;
  for (int i = 0; i < 40; ++i) {
    Eigen::Index one = 0, other = 0;
    placed.scores.row(i).maxCoeff(&one);
    with.result.scores.row(220 + i).maxCoeff(&other);
    same += one == other;
  }
  EXPECT_GE(same, 38);  // points within a neighbour's distance of the border between two classes may fall to either side
}

// Stored patterns far apart, new ones beside them: recalled alone or stored too, they end within their distance from the pattern.
TEST(HeldOut, HopfieldRecallsWithinTheDistanceToThePattern) {
  Matrix all(12, 6);
  all.topRows(6) = 10 * Matrix::Identity(6, 6);
  all.bottomRows(6) = all.topRows(6) + 0.05 * random_points(6, 6, 13);
  const Fit with = run_text("hopfield", all), without = run_text("hopfield", Matrix(all.topRows(6)));
  const State placed = place(without, std::make_shared<const Matrix>(all.bottomRows(6)), Context());
  for (int i = 0; i < 6; ++i)
    EXPECT_LT((placed.points->row(i) - with.result.points->row(6 + i)).norm(), (all.row(6 + i) - all.row(i)).norm() + 1e-6);
}

// A scale for each new row, and values stored on the graph: placing neither reads beyond what there is nor fails.
TEST(HeldOut, ScalesByRowAndStoredValuesPlaceByTheirOwnEdges) {
  const Matrix x = random_points(150, 3, 21), fresh = random_points(20, 3, 22);
  for (const char* text : {"knn(20) | distance(2) | exp(perplexity=8) | mean | eigen(2, of=laplacian)",
                           "knn(14) | distance(1, from=nearest) | exp(cardinality=log2(15)) | union | eigen(2, of=laplacian)"}) {
    const Fit fit = run_text(text, x);
    const State placed = place(fit, std::make_shared<const Matrix>(fresh), Context());
    ASSERT_TRUE(placed.points->allFinite()) << text;
    // Weighted means of the fit's coordinates over lambda: inside their range but for 1 / lambda.
    EXPECT_LT(placed.points->cwiseAbs().maxCoeff(), 2 * fit.result.points->cwiseAbs().maxCoeff()) << text;
  }
}

// New points at the rim of an SNE map, where all others lie on one side: none runs away.
TEST(NewPoints, OfSneStayAtTheMap) {
  const Matrix x = random_points(400, 2, 21), fresh = 1.5 * random_points(200, 2, 22);
  const Fit fit = run_text("distance(2) | exp(perplexity=2) | row | match(gaussian, kl)", x);
  const State placed = place(fit, std::make_shared<const Matrix>(fresh), Context());
  ASSERT_TRUE(placed.points->allFinite());
  EXPECT_LT(placed.points->cwiseAbs().maxCoeff(), 3 * fit.result.points->cwiseAbs().maxCoeff());
}

}  // namespace
}  // namespace calor::pipeline
