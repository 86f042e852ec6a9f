// The float path of every instruction set against the longhand reference in long double, over sizes that straddle every
// vector, panel, block and register-tile tail.  Tolerance: the rounding bounds derived in reference.h, eps of float.
#include <gtest/gtest.h>

#include "tests/kernels/problem.h"
#include "tests/kernels/reference.h"

namespace calor::kernels::test {
namespace {

void expect_right_on_every_isa(const Shape& shape, const Options& options, bool with_d_lse = true) {
  const Problem<float> problem(shape, options);
  const std::int64_t rows = shape.batch * shape.heads * shape.queries;
  const auto d_out = random_like(std::vector<float>(rows * shape.value_dim), 2);
  const auto d_lse = with_d_lse ? random_like(std::vector<float>(rows), 3) : std::vector<float>{};
  const Reference truth = reference(problem, d_out, d_lse, std::numeric_limits<float>::epsilon());
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(describe(shape, options, isa));
    const WithIsa forced(isa);
    const Output<float> output = run_forward(problem);
    const Gradients<float> gradients = run_backward(problem, output, d_out, d_lse);
    EXPECT_WITHIN_BOUNDS(output, gradients, truth);
  }
}

constexpr Score scores[] = {Score::dot, Score::squared_distance};

TEST(AttentionIsa, EveryDimension) {
  const std::int64_t dims[] = {1, 2, 3, 7, 8, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 257, 512};
  for (const Score score : scores)
    for (std::size_t n = 0; n < std::size(dims); ++n) {
      const std::int64_t dim = dims[n], value_dim = dims[(n + 7) % std::size(dims)];
      expect_right_on_every_isa({1, 1, 21, 37, dim, value_dim}, {.score = score, .bias = n % 2 == 0});
      expect_right_on_every_isa({1, 1, 11, 13, dim, dim}, {.score = score});
    }
}

TEST(AttentionIsa, EveryTailOfQueriesAndKeys) {
  const std::int64_t sizes[] = {1,  2,  3,  4,  5,  7,  8,  9,  11, 12,  13,  15, 16,
                                17, 23, 31, 32, 33, 95, 96, 97, 127, 255, 256, 257};
  for (std::size_t n = 0; n < std::size(sizes); ++n)
    for (const Score score : scores) {
      expect_right_on_every_isa({1, 1, sizes[n], sizes[(n + 5) % std::size(sizes)], 5, 9}, {.score = score});
      expect_right_on_every_isa({1, 1, sizes[n], sizes[n], 10, 10}, {.score = score, .causal = true});
      expect_right_on_every_isa({1, 1, sizes[n], sizes[n], 5, 9}, {.score = score, .own_key = 0});
    }
}

TEST(AttentionIsa, SeveralBlocksWithEveryOption) {
  for (const Score score : scores) {
    expect_right_on_every_isa({1, 1, 200, 1100, 6, 5}, {.score = score}, false);
    expect_right_on_every_isa({1, 1, 520, 300, 6, 5}, {.score = score, .bias = true, .key_mask = true, .causal = true});
    expect_right_on_every_isa({1, 1, 300, 1030, 4, 3}, {.score = score, .key_mask = true, .causal = true});
    expect_right_on_every_isa({2, 2, 101, 270, 7, 3}, {.score = score, .bias = true, .mask = true});
    expect_right_on_every_isa({2, 3, 33, 70, 16, 16}, {.score = score, .key_mask = true, .mask = true, .causal = true});
    expect_right_on_every_isa({1, 1, 300, 1030, 4, 3}, {.score = score, .own_key = 515});
    expect_right_on_every_isa({1, 2, 520, 300, 6, 5}, {.score = score, .bias = true, .key_mask = true, .own_key = 100});
    expect_right_on_every_isa({2, 1, 200, 200, 6, 5}, {.score = score, .mask = true, .causal = true, .own_key = 0});
    expect_right_on_every_isa({1, 1, 40, 30, 6, 5}, {.score = score, .own_key = 1000});  // no key there: nothing hidden
    // Values of whole vectors, whose tiles lie the other way.
    expect_right_on_every_isa({1, 1, 300, 1030, 4, 16}, {.score = score, .key_mask = true, .causal = true});
    expect_right_on_every_isa({1, 1, 220, 300, 6, 32}, {.score = score, .bias = true, .key_mask = true, .causal = true});
    expect_right_on_every_isa({1, 2, 101, 270, 7, 64}, {.score = score, .mask = true, .own_key = 30});
  }
}

TEST(AttentionIsa, EmptyProblems) {
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    for (const Score score : scores) {
      const Problem<float> no_keys({1, 2, 3, 0, 4, 2}, {.score = score});
      const Output<float> output = run_forward(no_keys);
      EXPECT_EQ(output.out, std::vector<float>(12, 0.0f));
      EXPECT_EQ(output.lse, std::vector<float>(6, -std::numeric_limits<float>::infinity()));
      const Gradients<float> gradients = run_backward(no_keys, output, output.out, {});
      EXPECT_EQ(gradients.q, std::vector<float>(24, 0.0f));
      EXPECT_EQ(gradients.scale, std::vector<float>(2, 0.0f));

      const Problem<float> no_queries({1, 2, 0, 3, 4, 2}, {.score = score});
      const Output<float> nothing = run_forward(no_queries);
      const Gradients<float> zeros = run_backward(no_queries, nothing, {}, {});
      EXPECT_EQ(zeros.k, std::vector<float>(24, 0.0f));
      EXPECT_EQ(zeros.v, std::vector<float>(12, 0.0f));
      EXPECT_EQ(zeros.bias, std::vector<float>(6, 0.0f));

      const Problem<float> nothing_at_all({0, 2, 3, 3, 4, 2}, {.score = score});
      EXPECT_TRUE(run_forward(nothing_at_all).out.empty());
    }
  }
}

// One key scores 0 and holds 0, the other scores s and holds 1: the output is e^s / (1 + e^s).  Its relative error is
// that of the exponential, 2e-7, and roundings: of s in log2 units (2 |s| u), of the sum, the quotient and the product.
TEST(AttentionIsa, ExponentialIsAccurate) {
  constexpr int rows = 2000;
  constexpr double u = std::numeric_limits<float>::epsilon() / 2;
  Problem<float> problem({1, 1, rows, 2, 1, 1}, {});
  for (int i = 0; i < rows; ++i) problem.q[i] = -3.0f * static_cast<float>(i) / rows;
  problem.scale[0] = 1;
  problem.k = problem.v = {0, 1};
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(isa);
    const WithIsa forced(isa);
    const Output<float> output = run_forward(problem);
    for (int i = 0; i < rows; ++i) {
      const double s = problem.q[i], truth = std::exp(s) / (1 + std::exp(s));
      EXPECT_NEAR(output.out[i], truth, truth * (2e-7 + (2 * std::abs(s) + 3) * u)) << s;
      EXPECT_NEAR(output.lse[i], std::log1p(std::exp(s)), 2e-7 + 3 * u) << s;
    }
  }
}

// Scores far apart and far from zero: the weights of a row span all exponents, and the largest comes last.
TEST(AttentionIsa, WideScores) {
  for (const double magnitude : {30.0, 1000.0})
    for (const std::string& isa : isa_names()) {
      SCOPED_TRACE(isa);
      const WithIsa forced(isa);
      Problem<float> problem({1, 1, 3, 600, 1, 2}, {});
      problem.scale[0] = 1;
      for (std::int64_t j = 0; j < 600; ++j) problem.k[j] = static_cast<float>(magnitude * (j - 300) / 300);
      problem.q = {1, -1, 0.25f};
      const auto d_out = random_like(std::vector<float>(6), 2), d_lse = random_like(std::vector<float>(3), 3);
      const Output<float> output = run_forward(problem);
      const Gradients<float> gradients = run_backward(problem, output, d_out, d_lse);
      const Reference truth = reference(problem, d_out, d_lse, std::numeric_limits<float>::epsilon());
      EXPECT_WITHIN_BOUNDS(output, gradients, truth);
    }
}

// The scale may be zero (all keys alike) or negative for dot products.
TEST(AttentionIsa, ZeroAndNegativeScale) {
  for (const float scale : {0.0f, -0.5f})
    for (const Score score : scores) {
      Problem<float> problem({1, 1, 20, 40, 5, 3}, {.score = score});
      problem.scale[0] = scale;
      const auto d_out = random_like(std::vector<float>(60), 2), d_lse = random_like(std::vector<float>(20), 3);
      const Reference truth = reference(problem, d_out, d_lse, std::numeric_limits<float>::epsilon());
      for (const std::string& isa : isa_names()) {
        SCOPED_TRACE(isa);
        const WithIsa forced(isa);
        const Output<float> output = run_forward(problem);
        const Gradients<float> gradients = run_backward(problem, output, d_out, d_lse);
        EXPECT_WITHIN_BOUNDS(output, gradients, truth);
      }
    }
}

}  // namespace
}  // namespace calor::kernels::test
