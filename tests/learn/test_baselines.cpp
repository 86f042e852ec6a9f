// Logistic regression against the first-order condition of its minimiser and scikit-learn's figures, neighbours against all
// pairs in double, and the network without propagation.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calor/learn/baselines.h"
#include "calor/learn/ipn.h"
#include "small_data.h"

namespace calor::learn {
namespace {

Points points(const io::Dataset& data) { return points_of({data.values.begin(), data.values.end()}, data.labels, data.columns); }

TEST(Logistic, HandComputableOptimum) {
  // One column, points -1 (class 0) and 1 (class 1).  By symmetry the weights are -w, w and the biases 0; the derivative of
  // 2 log(1 + exp(-2w)) + w^2 vanishes at 2w = 4 / (1 + exp(2w)): w = 0.6784... by bisection below.
  double low = 0, high = 2;
  for (int i = 0; i < 100; ++i) {
    const double w = (low + high) / 2;
    (2 * w < 4 / (1 + std::exp(2 * w)) ? low : high) = w;
  }
  const Points train = points_of({-1.0F, 1.0F}, {0, 1}, 1);
  const LogisticRegression model(train, 2, Context());
  const at::Tensor at_one = model.logits(at::ones({1, 1}));
  EXPECT_NEAR((at_one[0][1] - at_one[0][0]).item<double>(), 2 * low, 1e-4);  // the gradient stops at 2e-5, its slope in w is over 2
  EXPECT_EQ(model.parameters(), 4);
}

TEST(Logistic, NoDirectionImproves) {
  const io::Dataset data = clouds(90, 3, 3, 4);
  const LogisticRegression model(points(data), 3, Context());
  // The gradient of the objective with respect to the logits' weights, recovered from the logits at 0 and the unit vectors.
  const at::Tensor unit = at::cat({at::zeros({1, 3}), at::eye(3)}), l = model.logits(unit).to(at::kDouble);
  const at::Tensor bias = l[0], weight = l.narrow(0, 1, 3) - bias;
  const at::Tensor x = points(data).values.to(at::kDouble);
  const at::Tensor residual = at::softmax(x.matmul(weight) + bias, 1) - at::one_hot(points(data).labels, 3);
  EXPECT_LT((x.t().matmul(residual) + weight).abs().max().item<double>(), 1e-3);
  EXPECT_LT(residual.sum(0).abs().max().item<double>(), 1e-3);
}

TEST(Neighbours, AreThoseOfAllPairs) {
  const io::Dataset data = clouds(61, 3, 3, 1), fresh = clouds(17, 3, 3, 2);
  const at::Tensor votes = neighbour_votes(points(data), 3, points(fresh).values, 5, Context());
  for (std::int64_t i = 0; i < fresh.rows; ++i) {
    std::vector<std::pair<double, std::int64_t>> distances;
    for (std::int64_t j = 0; j < data.rows; ++j) {
      double square = 0;
      for (int c = 0; c < 3; ++c) square += std::pow(static_cast<double>(fresh.row(i)[c]) - data.row(j)[c], 2);
      distances.emplace_back(square, data.labels[static_cast<std::size_t>(j)]);
    }
    std::sort(distances.begin(), distances.end());
    std::vector<float> expected(3);
    for (int k = 0; k < 5; ++k) ++expected[static_cast<std::size_t>(distances[static_cast<std::size_t>(k)].second)];
    for (int c = 0; c < 3; ++c) EXPECT_EQ(votes[i][c].item<float>(), expected[static_cast<std::size_t>(c)]) << i;
  }
}

TEST(Neighbours, AreAsManyAsThereAre) {
  const Points train = points_of({0.0F, 1.0F}, {0, 1}, 1);
  EXPECT_EQ(neighbour_votes(train, 2, at::zeros({1, 1}), 5, Context()).sum().item<float>(), 2);
}

TEST(Plain, HasAsManyParametersAsAsked) {
  Protocol protocol;
  protocol.width = 100;
  const std::int64_t wanted = parameter_count({64, 100, 2, 10, true, Temperature::fixed, "metric"});
  const Protocol plain = without_propagation(protocol, wanted, 64, 10);
  const std::int64_t found = parameter_count({64, plain.width, 0, 10, true, Temperature::fixed, "uniform"});
  EXPECT_LE(std::abs(found - wanted), (64 + 1 + 10) / 2 + 1);
}

}  // namespace
}  // namespace calor::learn
