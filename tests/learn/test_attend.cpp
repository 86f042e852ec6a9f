// Attention by pipeline, every score and normalisation: the weights against the definition in plain loops (sums and divisions
// of positive numbers, no logarithms), points beside the tokens against a matrix with one more row and column, gradients
// against central differences, and what must not change anything.
// Tolerances: double; sums of 12 positive terms near 1, through at most 40 divisions: 1e-11.  Differences with step 1e-5: 1e-8.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "calor/core/random.h"
#include "calor/learn/network/attend.h"
#include "calor/learn/rows/learner.h"
#include "calor/learn/rows/row_network.h"

namespace calor::learn {
namespace {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

at::Tensor random_tensor(std::int64_t rows, std::int64_t columns, std::uint64_t stream) {
  Random random(11, Purpose::test, stream);
  const at::Tensor tensor = at::empty({rows, columns}, at::kDouble);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) tensor.data_ptr<double>()[i] = random.normal();
  return tensor;
}

Matrix matrix(const at::Tensor& tensor) {
  const at::Tensor t = tensor.contiguous();
  Matrix m(static_cast<std::size_t>(t.size(0)), Vector(static_cast<std::size_t>(t.size(1))));
  for (std::size_t i = 0; i < m.size(); ++i)
    for (std::size_t j = 0; j < m[i].size(); ++j) m[i][j] = t.data_ptr<double>()[i * m[i].size() + j];
  return m;
}

// exp(factor * score) by the definition of the pairing.
Matrix positive(Pairing pairing, const Features& features, double factor) {
  const Matrix query = matrix(features.query), key = matrix(features.key);
  Matrix m(query.size(), Vector(key.size()));
  for (std::size_t i = 0; i < query.size(); ++i)
    for (std::size_t j = 0; j < key.size(); ++j) {
      double score = 0;
      for (std::size_t c = 0; c < query[i].size(); ++c) {
        const double a = query[i][c], b = key[j][c];
        score += pairing == Pairing::dot ? a * b : pairing == Pairing::additive ? (a + b > 0 ? a + b : 0.2 * (a + b)) : -(a - b) * (a - b);
      }
      m[i][j] = std::exp(factor * score);
    }
  return m;
}

// Factors u_i, v_j of the weights u_i m_ij v_j, edited by a normaliser as its name says.
struct Scaled {
  Vector u, v;
};

double row_sum(const Matrix& m, const Scaled& s, std::size_t i) {
  double sum = 0;
  for (std::size_t j = 0; j < s.v.size(); ++j) sum += s.u[i] * m[i][j] * s.v[j];
  return sum;
}
double column_sum(const Matrix& m, const Scaled& s, std::size_t j) {
  double sum = 0;
  for (std::size_t i = 0; i < s.u.size(); ++i) sum += s.u[i] * m[i][j] * s.v[j];
  return sum;
}

// Edits the factors `from` and on; those before it are given.
void normalise(const Matrix& m, const Normaliser& step, std::size_t from, Scaled& s) {
  const Scaled old = s;
  const std::size_t n = s.u.size();
  const auto rows = [&](const Scaled& by) {
    for (std::size_t i = from; i < n; ++i) s.u[i] /= row_sum(m, by, i);
  };
  const auto columns = [&](const Scaled& by) {
    for (std::size_t j = from; j < n; ++j) s.v[j] /= column_sum(m, by, j);
  };
  switch (step.kind) {
    case Normaliser::Kind::row: rows(old); break;
    case Normaliser::Kind::column: columns(old); break;
    case Normaliser::Kind::two_side:
      for (std::size_t i = from; i < n; ++i) {
        const double q = std::pow(row_sum(m, old, i), step.alpha);
        s.u[i] /= q;
        s.v[i] /= q;
      }
      break;
    case Normaliser::Kind::global: FAIL() << "no step of a layer";
    case Normaliser::Kind::sinkhorn:  // to its end, by the plain alternation: slow for a point far from all others
      for (double moved = 1; moved > 1e-15;) {
        const Scaled before_columns = s;
        columns(before_columns);
        const Scaled before_rows = s;
        rows(before_rows);
        moved = 0;
        for (std::size_t i = from; i < n; ++i) moved = std::max(moved, std::abs(s.u[i] / before_rows.u[i] - 1));
      }
      break;
  }
}

Scaled ones(std::size_t n) { return {Vector(n, 1.0), Vector(n, 1.0)}; }

struct Case {
  const char *score, *steps;
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.score << " | " << c.steps; }

class AttendCases : public ::testing::TestWithParam<Case> {
 protected:
  AttendCases()
      : similarity(parse_similarity(std::string("score(") + GetParam().score + ") | exp | " + GetParam().steps + " | apply")),
        attention{&score_kind(similarity.score), similarity.normalise} {
    for (const ParameterSpec& spec : attention.score->parameters(4)) {
      const std::int64_t columns = spec.shape.back(), rows = spec.shape.size() > 1 ? spec.shape[0] : 1;
      const at::Tensor values = random_tensor(rows, columns, 100 + parameters.size()) * 0.4;
      parameters.push_back(spec.shape.size() > 1 ? values : values.squeeze(0));
    }
    tokens = input(hidden);
  }
  LayerInput input(const at::Tensor& rows) const {
    return {attention.score->features(parameters, rows), rows.narrow(1, 0, 3)};
  }
  // The tokens' factors before each step and at the end.
  std::vector<Scaled> token_factors() const {
    std::vector<Scaled> all{ones(12)};
    const Matrix m = positive(attention.score->pairing, tokens.features, 0.7);
    for (const Normaliser& step : attention.normalise) {
      all.push_back(all.back());
      normalise(m, step, 0, all.back());
    }
    return all;
  }
  Similarity similarity;
  Attention attention;
  std::vector<at::Tensor> parameters;
  at::Tensor hidden = random_tensor(12, 4, 0), factor = at::full({1, 1}, 0.7, at::kDouble);
  LayerInput tokens;
};

INSTANTIATE_TEST_SUITE_P(
    All, AttendCases,
    ::testing::Values(Case{"qk", "row"}, Case{"metric", "row"}, Case{"additive", "row"}, Case{"uniform", "two_side(1) | row"},
                      Case{"qk", "two_side(1) | row"}, Case{"l2", "two_side(0.5)"}, Case{"metric", "two_side(1) | row"},
                      Case{"additive", "two_side(1) | row"}, Case{"qk", "column"}, Case{"metric", "column | row"},
                      Case{"qk", "row | column | row"}, Case{"additive", "column"}, Case{"metric", "two_side(0.3) | two_side(1) | row"},
                      Case{"metric", "row | two_side(0.5)"}, Case{"metric", "sinkhorn(45)"}, Case{"qk", "sinkhorn(300)"},
                      Case{"additive", "sinkhorn(300)"}, Case{"metric", "two_side(1) | sinkhorn(45) | row"}));

TEST_P(AttendCases, WeightsAreTheDefinition) {
  const Matrix m = positive(attention.score->pairing, tokens.features, 0.7);
  const Scaled s = token_factors().back();
  LayerInput whole = tokens;
  whole.value = at::eye(12, at::kDouble);  // what is received is then the weights themselves
  const Matrix found = matrix(attend(attention, whole, factor).out);
  for (std::size_t i = 0; i < 12; ++i)
    for (std::size_t j = 0; j < 12; ++j) EXPECT_NEAR(found[i][j], s.u[i] * m[i][j] * s.v[j], 1e-11);
}

TEST_P(AttendCases, APointBesideIsOneMoreTokenThatChangesNoOther) {
  const at::Tensor more = random_tensor(5, 4, 1);
  const LayerInput points = input(more);
  const Attended attended = attend(attention, tokens, factor);
  const at::Tensor together = attend_beside(attention, tokens, attended.factors, points, factor);
  const std::vector<Scaled> known = token_factors();
  for (std::int64_t p = 0; p < 5; ++p) {
    const LayerInput extended = input(at::cat({hidden, more.narrow(0, p, 1)}));
    const Matrix m = positive(attention.score->pairing, extended.features, 0.7), values = matrix(extended.value);
    double u = 1, v = 1;
    for (std::size_t step = 0; step < attention.normalise.size(); ++step) {
      const bool last = attention.normalise[step].kind == Normaliser::Kind::sinkhorn;  // meets the tokens' final factors
      Scaled s = known[step + (last ? 1 : 0)];
      s.u.push_back(u);
      s.v.push_back(v);
      normalise(m, attention.normalise[step], 12, s);
      u = s.u.back();
      v = s.v.back();
    }
    const at::Tensor alone = attend_beside(attention, tokens, attended.factors, input(more.narrow(0, p, 1)), factor);
    for (std::size_t c = 0; c < 3; ++c) {
      double expected = u * m[12][12] * v * values[12][c];
      for (std::size_t j = 0; j < 12; ++j) expected += u * m[12][j] * known.back().v[j] * values[j][c];
      EXPECT_NEAR(together[p][static_cast<std::int64_t>(c)].item<double>(), expected, 1e-10) << p;
      EXPECT_NEAR(alone[0][static_cast<std::int64_t>(c)].item<double>(), expected, 1e-10) << p;
    }
  }
}

TEST_P(AttendCases, RowsShownAreTheWeightsOverTheirSum) {
  LayerInput whole = tokens;
  whole.value = at::eye(12, at::kDouble);
  const Attended attended = attend(attention, whole, factor);
  const at::Tensor index = at::tensor({7, 2}, at::kLong), weights = attended.out.index_select(0, index);
  const at::Tensor rows = attention_rows(attention, whole, attended.factors, factor, index);
  EXPECT_LT((rows - weights / weights.sum(1, true)).abs().max().item<double>(), 1e-12);
}

TEST_P(AttendCases, FollowsAPermutationOfTheTokens) {
  const at::Tensor order = at::tensor({5, 0, 11, 3, 1, 2, 10, 4, 9, 8, 7, 6}, at::kLong);
  const at::Tensor here = attend(attention, tokens, factor).out.index_select(0, order);
  const at::Tensor there = attend(attention, input(hidden.index_select(0, order)), factor).out;
  EXPECT_LT((here - there).abs().max().item<double>(), 1e-12);
}

TEST(Attend, StreamedSumsAreTheStoredOnes) {
  const Features features{random_tensor(9, 3, 2), random_tensor(7, 3, 3)};
  const at::Tensor factor = at::full({1, 1}, 1.3, at::kDouble), value = random_tensor(7, 2, 4);
  const at::Tensor row = random_tensor(1, 9, 5).squeeze(0), column = random_tensor(1, 7, 6).squeeze(0);
  for (const Pairing pairing : {Pairing::dot, Pairing::squared_distance}) {
    const Scores streamed(pairing, features, factor, false), stored(pairing, features, factor, true);
    const auto difference = [](const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); };
    EXPECT_LT(difference(streamed.log_row_sums({}), stored.log_row_sums({})), 1e-12);
    EXPECT_LT(difference(streamed.log_row_sums(column), stored.log_row_sums(column)), 1e-12);
    EXPECT_LT(difference(streamed.log_column_sums(row), stored.log_column_sums(row)), 1e-12);
    EXPECT_LT(difference(streamed.mean(column, value).out, stored.mean(column, value).out), 1e-12);
  }
}

TEST(Attend, SinkhornWeightsOfASymmetricScoreAreSymmetricAndAddUpToOneBothWays) {
  const at::Tensor x = random_tensor(30, 3, 7);
  const Attention attention{&score_kind("l2"), parse_similarity("score(l2) | exp | sinkhorn(40) | apply").normalise};
  const at::Tensor weights =
      attend(attention, {{x, x}, at::eye(30, at::kDouble)}, at::full({1, 1}, 0.5, at::kDouble)).out;
  EXPECT_LT((weights - weights.t()).abs().max().item<double>(), 1e-14);
  EXPECT_LT((weights.sum(0) - 1).abs().max().item<double>(), 1e-10);
  EXPECT_LT((weights.sum(1) - 1).abs().max().item<double>(), 1e-10);
}

RowNetwork network_of(const std::string& pipeline, std::uint64_t seed, Temperature temperature = Temperature::learn, at::ScalarType dtype = at::kFloat) {
  Protocol protocol;
  protocol.width = 5;
  protocol.temperature = temperature;
  return {attention_learner(pipeline).network(protocol), 3, 4, seed, dtype};
}

TEST(Attend, GradientsAreDifferenceQuotients) {
  for (const char* pipeline :
       {"score(additive) | exp | row | apply", "score(metric) | exp | two_side(1) | row | apply",
        "score(qk) | exp | two_side(0.5) | apply", "score(qk) | exp | sinkhorn(3) | apply",
        "score(metric) | exp | sinkhorn(4) | apply", "score(l2) | exp(2) | column | row | apply"}) {
    const RowNetwork network = network_of(pipeline, 4, Temperature::learn, at::kDouble);
    const at::Tensor points = random_tensor(6, 3, 8), direction = random_tensor(6, 4, 9);
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
      EXPECT_NEAR(network.gradients().data_ptr<double>()[i], (side[0] - side[1]) / (2 * step), 1e-8) << pipeline << " " << i;
    }
  }
}

TEST(Attend, TwoSideOfZeroIsNoStage) {
  const at::Tensor points = random_tensor(20, 3, 10).to(at::kFloat);
  for (const char* score : {"qk", "metric", "additive"}) {
    const std::string head = std::string("score(") + score + ") | exp | ";
    const RowNetwork plain = network_of(head + "row | apply", 1), with = network_of(head + "two_side(0) | row | apply", 1);
    EXPECT_TRUE(plain.forward(points).equal(with.forward(points)));
  }
}

TEST(Attend, ABandwidthDividesTheScore) {
  const RowNetwork narrow = network_of("score(qk) | exp(0.5) | row | apply", 1);
  EXPECT_FLOAT_EQ(static_cast<float>(narrow.factors()[0]), 2 / std::sqrt(5.0F));
  RowNetwork automatic = network_of("score(l2) | exp(auto) | row | apply", 1, Temperature::fixed);
  RowNetwork data = network_of("score(l2) | exp | row | apply", 1, Temperature::data);
  const at::Tensor points = random_tensor(20, 3, 10).to(at::kFloat);
  automatic.start_factors(points);
  data.start_factors(points);
  EXPECT_EQ(automatic.factors(), data.factors());
  EXPECT_NE(automatic.factors()[0], 1);
}

}  // namespace
}  // namespace calor::learn
