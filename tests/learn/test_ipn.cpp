// The network: its forward pass against the definition written out in plain loops in double, its gradient against central
// differences in double on every parameter, its start, and the factors' options.
// Tolerances: double throughout; forward 1e-12 (sums of < 100 terms near 1), differences with step 1e-5 have error ~1e-10.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "calor/core/random.h"
#include "calor/learn/rows/learner.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {
namespace {

using Matrix = std::vector<std::vector<double>>;

model::Network propagation(const std::string& score, std::int64_t width, bool residual = true, Temperature temperature = Temperature::fixed) {
  Protocol protocol;
  protocol.width = width;
  protocol.residual = residual;
  protocol.temperature = temperature;
  return attention_learner("score(" + score + ") | exp | row | apply").network(protocol);
}

// Three features, two layers of width 5, four classes.
RowNetwork small(const std::string& score, std::uint64_t seed, bool residual = true, Temperature temperature = Temperature::fixed, at::ScalarType dtype = at::kDouble) {
  return {propagation(score, 5, residual, temperature), 3, 4, seed, dtype};
}

at::Tensor random_points(std::int64_t rows, std::int64_t columns) {
  Random random(5, Purpose::test);
  const at::Tensor points = at::empty({rows, columns}, at::kDouble);
  for (std::int64_t i = 0; i < points.numel(); ++i) points.data_ptr<double>()[i] = random.normal();
  return points;
}

Matrix matrix(const at::Tensor& tensor) {
  const at::Tensor t = tensor.detach().to(at::kDouble).contiguous();
  Matrix m(static_cast<std::size_t>(t.size(0)), std::vector<double>(static_cast<std::size_t>(t.size(1))));
  for (std::size_t i = 0; i < m.size(); ++i) {
    for (std::size_t j = 0; j < m[i].size(); ++j) m[i][j] = t.data_ptr<double>()[i * m[i].size() + j];
  }
  return m;
}

// The definition, with the weights by name.
class Reference {
 public:
  Reference(const RowNetwork& network, std::string score, bool residual) : score_(std::move(score)), residual_(residual), factors_(network.factors()) {
    for (const auto& named : network.state()) {
      const at::Tensor& t = named.tensor;
      weights_[named.name] = matrix(t.dim() == 1 ? t.unsqueeze(0) : t);
    }
  }
  Matrix forward(const Matrix& points) const {
    Matrix hidden = tanh_of(linear(points, "encode"));
    for (std::size_t l = 0; l < factors_.size(); ++l) {
      const std::string layer = "layers." + std::to_string(l) + ".";
      const Matrix scores = scores_of(hidden, layer + "score."), values = times(hidden, weights_.at(layer + "value"));
      Matrix next = hidden;
      for (std::size_t i = 0; i < hidden.size(); ++i) {
        double total = 0;
        std::vector<double> received(hidden[i].size());
        for (std::size_t j = 0; j < hidden.size(); ++j) {
          const double weight = std::exp(factors_[l] * scores[i][j]);
          total += weight;
          for (std::size_t c = 0; c < received.size(); ++c) received[c] += weight * values[j][c];
        }
        for (std::size_t c = 0; c < received.size(); ++c) {
          next[i][c] = std::tanh((residual_ ? hidden[i][c] : 0.0) + received[c] / total);
        }
      }
      hidden = next;
    }
    return linear(hidden, "decode");
  }

 private:
  static Matrix times(const Matrix& x, const Matrix& weight) {
    Matrix y(x.size(), std::vector<double>(weight.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t o = 0; o < weight.size(); ++o) {
        for (std::size_t c = 0; c < x[i].size(); ++c) y[i][o] += x[i][c] * weight[o][c];
      }
    }
    return y;
  }
  Matrix linear(const Matrix& x, const std::string& name) const {
    Matrix y = times(x, weights_.at(name + ".weight"));
    for (auto& row : y) {
      for (std::size_t o = 0; o < row.size(); ++o) row[o] += weights_.at(name + ".bias")[0][o];
    }
    return y;
  }
  static Matrix tanh_of(Matrix x) {
    for (auto& row : x) {
      for (double& value : row) value = std::tanh(value);
    }
    return x;
  }
  Matrix scores_of(const Matrix& hidden, const std::string& name) const {
    Matrix scores(hidden.size(), std::vector<double>(hidden.size()));
    if (score_ == "uniform") return scores;
    Matrix query, key;
    if (score_ == "qk") {
      query = times(hidden, weights_.at(name + "query"));
      key = times(hidden, weights_.at(name + "key"));
    } else if (score_ == "l2") {
      query = key = times(hidden, weights_.at(name + "projection"));
    } else {
      const Matrix change = linear(tanh_of(linear(hidden, name + "hidden")), name + "out");
      query = hidden;
      for (std::size_t i = 0; i < query.size(); ++i) {
        for (std::size_t c = 0; c < query[i].size(); ++c) query[i][c] += change[i][c];
      }
      key = query;
    }
    for (std::size_t i = 0; i < query.size(); ++i) {
      for (std::size_t j = 0; j < key.size(); ++j) {
        for (std::size_t c = 0; c < query[i].size(); ++c) {
          const double difference = query[i][c] - key[j][c];
          scores[i][j] += score_ == "qk" ? query[i][c] * key[j][c] : -difference * difference;
        }
      }
    }
    return scores;
  }
  std::string score_;
  bool residual_;
  std::vector<double> factors_;
  std::map<std::string, Matrix> weights_;
};

class IpnEveryScore : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(All, IpnEveryScore, ::testing::Values("qk", "l2", "metric", "uniform"));

TEST_P(IpnEveryScore, ForwardIsTheDefinition) {
  for (const bool residual : {true, false}) {
    const RowNetwork network = small(GetParam(), 3, residual);
    const at::Tensor points = random_points(7, 3);
    const Matrix expected = Reference(network, GetParam(), residual).forward(matrix(points)), found = matrix(network.forward(points));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      for (std::size_t c = 0; c < expected[i].size(); ++c) EXPECT_NEAR(found[i][c], expected[i][c], 1e-12);
    }
  }
}

TEST_P(IpnEveryScore, GradientIsTheDifferenceQuotient) {
  const RowNetwork network = small(GetParam(), 4, true, Temperature::learn);
  const at::Tensor points = random_points(6, 3), direction = random_points(6, 4);
  network.gradients().zero_();
  (network.forward(points) * direction).sum().backward();
  double* values = network.values().data_ptr<double>();
  constexpr double step = 1e-5;
  for (std::int64_t i = 0; i < network.values().numel(); ++i) {
    const double before = values[i];
    double side[2];
    for (int s = 0; s < 2; ++s) {
      values[i] = before + (s == 0 ? step : -step);
      side[s] = (network.forward(points) * direction).sum().item<double>();
    }
    values[i] = before;
    EXPECT_NEAR(network.gradients().data_ptr<double>()[i], (side[0] - side[1]) / (2 * step), 1e-8) << i;
  }
}

TEST_P(IpnEveryScore, CountsItsParameters) {
  const std::map<std::string, std::int64_t> a_layer{{"qk", 50}, {"l2", 25}, {"metric", 60}, {"uniform", 0}};
  const std::int64_t expected = (3 * 5 + 5) + (5 * 4 + 4) + 2 * (25 + a_layer.at(GetParam()));
  EXPECT_EQ(shape_of(propagation(GetParam(), 5), 3, 4).parameters, expected);
  EXPECT_EQ(small(GetParam(), 0).values().numel(), expected);
}

TEST(Ipn, StartsUniformByFanInAndSharedAmongScores) {
  const RowNetwork metric(propagation("metric", 100), 64, 10, 9), dot(propagation("qk", 100), 64, 10, 9);
  std::size_t shared = 0;
  for (const auto& named : metric.state()) {
    if (named.name.find("factor") != std::string::npos) continue;
    const double bound = 1 / std::sqrt(named.name.find("encode") == 0 ? 64.0 : 100.0);
    const at::Tensor size = named.tensor.detach().abs();
    EXPECT_LE(size.max().item<double>(), bound) << named.name;
    if (size.numel() > 1000) {
      EXPECT_NEAR(size.mean().item<double>(), bound / 2, bound / 50) << named.name;
    }
    for (const auto& other : dot.state()) {
      if (other.name != named.name) continue;
      ++shared;
      EXPECT_TRUE(other.tensor.equal(named.tensor)) << named.name;
    }
  }
  EXPECT_EQ(shared, 6U);  // encode and decode with their biases, and a value map for each layer
}

TEST(Ipn, FactorsFollowTheTemperature) {
  const at::Tensor points = random_points(40, 3).to(at::kFloat);
  const auto first_factor = [&](const char* score, Temperature temperature) {
    RowNetwork network = small(score, 1, true, temperature, at::kFloat);
    network.start_factors(points);
    return network.factors().front();
  };
  EXPECT_FLOAT_EQ(static_cast<float>(first_factor("qk", Temperature::fixed)), 1 / std::sqrt(5.0F));
  EXPECT_EQ(first_factor("metric", Temperature::fixed), 1);
  EXPECT_EQ(first_factor("uniform", Temperature::learn), 1);
  // 1 / median squared distance, recomputed with all pairs.
  const RowNetwork network = small("l2", 1, true, Temperature::data, at::kFloat);
  std::vector<KeptAttention> kept;
  network.forward(points, kept);
  const at::Tensor key = kept[0].heads[0].tokens.features.key.detach();
  const at::Tensor pairs = (key.unsqueeze(0) - key.unsqueeze(1)).square().sum(2);
  const double median = pairs.masked_select(pairs > 0).median().item<double>();
  EXPECT_NEAR(first_factor("l2", Temperature::data), 1 / median, 1e-4 / median);
  EXPECT_NEAR(first_factor("l2", Temperature::learn), 1 / median, 1e-4 / median);
}

}  // namespace
}  // namespace calor::learn
