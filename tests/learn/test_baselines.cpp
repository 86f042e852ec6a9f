// Logistic regression against the first-order condition of its minimiser and scikit-learn's figures, neighbours against all
// pairs in double, and the network without propagation.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "calor/learn/baseline/baselines.h"
#include "calor/learn/data/tokens.h"
#include "calor/learn/rows/learner.h"
#include "calor/learn/rows/row_network.h"
#include "small_data.h"

namespace calor::learn {
namespace {

LabelledRows rows_of(const io::Dataset& data) {
  return {Eigen::Map<const engine::Matrix>(data.values.data(), data.rows, data.columns), data.labels};
}

TEST(Logistic, HandComputableOptimum) {
  // One column, points -1 (class 0) and 1 (class 1).  By symmetry the weights are -w, w and the biases 0; the derivative of
  // 2 log(1 + exp(-2w)) + w^2 vanishes at 2w = 4 / (1 + exp(2w)): w = 0.6784... by bisection below.
  double low = 0, high = 2;
  for (int i = 0; i < 100; ++i) {
    const double w = (low + high) / 2;
    (2 * w < 4 / (1 + std::exp(2 * w)) ? low : high) = w;
  }
  const Context context;
  const LogisticRegression model({engine::Matrix{{-1.0}, {1.0}}, {0, 1}}, 2, 1, context);
  const at::Tensor at_one = model.logits(at::ones({1, 1}, at::kDouble));
  EXPECT_NEAR((at_one[0][1] - at_one[0][0]).item<double>(), 2 * low, 1e-4);  // the gradient stops at 2e-5, its slope in w is over 2
  EXPECT_EQ(model.parameters(), 4);
}

TEST(Logistic, NoDirectionImproves) {
  const io::Dataset data = clouds(90, 3, 3, 4);
  const Context context;
  for (const double c : {1.0, 0.03, 30.0}) {
    LogisticRegression model(rows_of(data), 3, 1e-3, context);
    model.refit(c);
    // The gradient of the objective with respect to the logits' weights, recovered from the logits at 0 and the unit vectors.
    const at::Tensor unit = at::cat({at::zeros({1, 3}), at::eye(3)}).to(at::kDouble), l = model.logits(unit);
    const at::Tensor bias = l[0], weight = l.narrow(0, 1, 3) - bias;
    const at::Tensor x = tensor_of(rows_of(data).points);
    const at::Tensor residual = at::softmax(x.matmul(weight) + bias, 1) - at::one_hot(index_tensor(data.labels), 3);
    // It stops at C 1e-5 a row, 90 rows.
    EXPECT_LT((c * x.t().matmul(residual) + weight).abs().max().item<double>(), 1e-3 * c) << c;
    EXPECT_LT(residual.sum(0).abs().max().item<double>(), 1e-3) << c;
  }
}

TEST(Neighbours, AreThoseOfAllPairs) {
  const io::Dataset data = clouds(61, 3, 3, 1), fresh = clouds(17, 3, 3, 2);
  const Context context;
  const at::Tensor nearest = nearest_classes(rows_of(data), rows_of(fresh).points, 5, context);
  const auto votes = nearest_neighbours("five", {5}, 3, context).predict(rows_of(data), rows_of(fresh).points, {{5}}).front();
  for (std::int64_t i = 0; i < fresh.rows; ++i) {
    std::vector<std::pair<double, std::int64_t>> distances;
    for (std::int64_t j = 0; j < data.rows; ++j) {
      double square = 0;
      for (int c = 0; c < 3; ++c) square += std::pow(static_cast<double>(fresh.row(i)[c]) - data.row(j)[c], 2);
      distances.emplace_back(square, data.labels[static_cast<std::size_t>(j)]);
    }
    std::sort(distances.begin(), distances.end());
    std::vector<int> count(3);
    for (std::int64_t k = 0; k < 5; ++k) {
      const std::int64_t label = distances[static_cast<std::size_t>(k)].second;
      EXPECT_EQ(nearest[i][k].item<std::int64_t>(), label) << i;
      ++count[static_cast<std::size_t>(label)];
    }
    EXPECT_EQ(votes[static_cast<std::size_t>(i)], std::max_element(count.begin(), count.end()) - count.begin()) << i;
  }
}

TEST(Neighbours, AreAsManyAsThereAre) {
  EXPECT_EQ(nearest_classes({engine::Matrix{{0.0}, {1.0}}, {0, 1}}, engine::Matrix{{0.2}}, 5, Context()).size(1), 2);
}

TEST(Plain, HasAsManyParametersAsAsked) {
  Protocol protocol;
  protocol.width = 100;
  const auto parameters = [](const Learner& learner, const Protocol& given) { return shape_of(learner.network(given), 64, 10).parameters; };
  const std::int64_t wanted = parameters(attention_learner("metric"), protocol);
  const Protocol plain = without_propagation(protocol, wanted, 64, 10);
  const std::int64_t found = parameters(plain_learner(), plain);
  EXPECT_LE(std::abs(found - wanted), (64 + 1 + 10) / 2 + 1);
}

}  // namespace
}  // namespace calor::learn
