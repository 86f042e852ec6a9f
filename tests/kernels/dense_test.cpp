// Dense layers on every instruction set: results against their definition in double, gradients against central differences of it (step 1e-6: errors of 1e-9 beside those of
// floats), sizes around the longest vector and the blocks of rows, and the same bits for any number of threads.  Numbers are of size 1: a sum of n products of floats is within
// 2 sqrt(n) roundings of n's size, and tanh within two.
#include "calor/kernels/dense.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/attention.h"

namespace calor::kernels::test {
namespace {

constexpr double unit = std::numeric_limits<float>::epsilon();

std::vector<float> drawn(std::int64_t count, std::uint64_t stream) {
  Random random(4, Purpose::test, stream);
  std::vector<float> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(static_cast<float>(random.uniform(-1, 1)));
  return numbers;
}

struct Case {
  std::int64_t rows, in, out;
  Activation activation;
};

// A layer whose rows of x lie three numbers further apart than they are wide.
struct Problem {
  Case at;
  std::int64_t stride;
  std::vector<float> x, weight, bias, added, d_y;

  explicit Problem(const Case& c)
      : at(c), stride(c.in + 3), x(drawn(c.rows * stride, 0)), weight(drawn(c.out * c.in, 1)), bias(drawn(c.out, 2)), added(drawn(c.rows * c.out, 3)), d_y(drawn(c.rows * c.out, 4)) {}

  DenseLayer layer(int threads = 1) const { return {at.rows, at.in, at.out, x.data(), stride, weight.data(), at.activation, threads}; }

  double activated(double sum) const { return at.activation == Activation::tanh ? std::tanh(sum) : sum; }
  double sum(std::int64_t r, std::int64_t o) const {
    double total = bias[o];
    for (std::int64_t c = 0; c < at.in; ++c) total += static_cast<double>(x[r * stride + c]) * weight[o * at.in + c];
    return total;
  }
  // Of d_y . y by the sum (r, o), by a difference.
  double sent(std::int64_t r, std::int64_t o) const {
    constexpr double step = 1e-6;
    const double s = sum(r, o);
    return d_y[r * at.out + o] * (activated(s + step) - activated(s - step)) / (2 * step);
  }
  double tolerance(std::int64_t terms) const { return 4 * unit * (4 + 2 * std::sqrt(static_cast<double>(terms))) * std::sqrt(static_cast<double>(terms)) + 1e-8; }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Activation activation : {Activation::none, Activation::tanh})
    for (const auto& [rows, in, out] : {std::array<std::int64_t, 3>{1, 1, 1}, {2, 15, 17}, {5, 16, 3}, {97, 10, 10}, {95, 33, 25}, {300, 7, 100}, {513, 100, 31}})
      all.push_back({rows, in, out, activation});
  return all;
}

class Dense : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { force_isa(GetParam()); }
  void TearDown() override { force_isa(""); }
};

TEST_P(Dense, ForwardIsTheDefinition) {
  for (const Case& c : cases()) {
    const Problem problem(c);
    for (const bool biased : {true, false})
      for (const bool adding : {true, false}) {
        std::vector<float> y(c.rows * c.out);
        dense_forward(problem.layer(), biased ? problem.bias.data() : nullptr, adding ? problem.added.data() : nullptr, y.data());
        for (std::int64_t r = 0; r < c.rows; ++r)
          for (std::int64_t o = 0; o < c.out; ++o) {
            const double sum = problem.sum(r, o) - (biased ? 0 : problem.bias[o]);
            ASSERT_NEAR(y[r * c.out + o], problem.activated(sum) + (adding ? problem.added[r * c.out + o] : 0), problem.tolerance(c.in)) << c.rows << " " << c.in << " " << c.out;
          }
      }
  }
}

TEST_P(Dense, GradientsAreDifferencesOfTheDefinition) {
  for (const Case& c : cases()) {
    const Problem problem(c);
    std::vector<float> y(c.rows * c.out), d_x(c.rows * c.in), d_weight(c.out * c.in), d_bias(c.out), start = drawn(c.rows * c.in, 5);
    dense_forward(problem.layer(), problem.bias.data(), nullptr, y.data());
    dense_backward(problem.layer(), y.data(), problem.d_y.data(), {d_x.data(), d_weight.data(), d_bias.data(), start.data()});
    std::vector<double> of_bias(c.out), of_weight(c.out * c.in);
    for (std::int64_t r = 0; r < c.rows; ++r) {
      std::vector<double> of_x(start.begin() + r * c.in, start.begin() + (r + 1) * c.in);
      for (std::int64_t o = 0; o < c.out; ++o) {
        const double sent = problem.sent(r, o);
        of_bias[o] += sent;
        for (std::int64_t k = 0; k < c.in; ++k) {
          of_weight[o * c.in + k] += sent * problem.x[r * problem.stride + k];
          of_x[k] += sent * problem.weight[o * c.in + k];
        }
      }
      for (std::int64_t k = 0; k < c.in; ++k) ASSERT_NEAR(d_x[r * c.in + k], of_x[k], problem.tolerance(c.out)) << c.rows << " " << c.in << " " << c.out;
    }
    for (std::int64_t o = 0; o < c.out; ++o) ASSERT_NEAR(d_bias[o], of_bias[o], problem.tolerance(c.rows) * 2);
    for (std::int64_t i = 0; i < c.out * c.in; ++i) ASSERT_NEAR(d_weight[i], of_weight[i], problem.tolerance(c.rows) * 2);
  }
}

TEST_P(Dense, OnlyWhatIsWantedIsWritten) {
  const Problem problem({20, 9, 11, Activation::tanh});
  std::vector<float> y(20 * 11), all_x(20 * 9), all_weight(11 * 9), d_x(20 * 9), d_weight(11 * 9);
  dense_forward(problem.layer(), nullptr, nullptr, y.data());
  dense_backward(problem.layer(), y.data(), problem.d_y.data(), {all_x.data(), all_weight.data(), nullptr, nullptr});
  dense_backward(problem.layer(), y.data(), problem.d_y.data(), {d_x.data(), nullptr, nullptr, nullptr});
  dense_backward(problem.layer(), y.data(), problem.d_y.data(), {nullptr, d_weight.data(), nullptr, nullptr});
  EXPECT_EQ(d_x, all_x);
  EXPECT_EQ(d_weight, all_weight);
}

TEST_P(Dense, BitsDependOnNoNumberOfThreads) {
  const Problem problem({1000, 60, 70, Activation::tanh});
  std::vector<float> first;
  for (const int threads : {1, 2, 5}) {
    std::vector<float> y(1000 * 70), d_x(1000 * 60), d_weight(70 * 60), d_bias(70);
    dense_forward(problem.layer(threads), problem.bias.data(), nullptr, y.data());
    dense_backward(problem.layer(threads), y.data(), problem.d_y.data(), {d_x.data(), d_weight.data(), d_bias.data(), nullptr});
    for (const auto* more : {&d_x, &d_weight, &d_bias}) y.insert(y.end(), more->begin(), more->end());
    if (first.empty()) first = y;
    EXPECT_EQ(y, first) << threads;
  }
}

// Small and large arguments: tanh keeps its relative precision near 0 and ends at 1.
TEST_P(Dense, TanhOfSums) {
  const std::vector<float> a{1e-30F, 1e-4F, -0.01F, 0.5F, -2, 9, -40, 3e38F, 0}, b{0, 1e-4F, -0.01F, 0.25F, 1, 0.5F, -40, 3e38F, 0};
  std::vector<float> y(a.size()), d(a.size());
  tanh_of_sum(a.data(), b.data(), static_cast<std::int64_t>(a.size()), y.data());
  const std::vector<float> sent(a.size(), 2);
  through_tanh(y.data(), sent.data(), static_cast<std::int64_t>(a.size()), d.data());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double right = std::tanh(static_cast<double>(a[i] + b[i]));
    EXPECT_NEAR(y[i], right, 2 * unit * std::abs(right)) << i;
    EXPECT_NEAR(d[i], 2 * (1 - static_cast<double>(y[i]) * y[i]), 4 * unit) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Dense, testing::ValuesIn(isa_names()), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace calor::kernels::test
