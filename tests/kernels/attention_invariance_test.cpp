// Invariants of the mathematics: rows of weights sum to one; distances do not see translation, rotation or order; the
// result does not see the number of threads.  Tolerances are the rounding bounds of reference.h, eps of float.
#include <gtest/gtest.h>

#include "tests/kernels/problem.h"
#include "tests/kernels/reference.h"

namespace calor::kernels::test {
namespace {

constexpr double eps = std::numeric_limits<float>::epsilon();
constexpr Score scores[] = {Score::dot, Score::squared_distance};

TEST(AttentionInvariance, WeightsSumToOne) {
  for (const std::string& isa : isa_names())
    for (const Score score : scores) {
      const WithIsa forced(isa);
      Problem<float> problem({1, 2, 70, 300, 9, 3}, {.score = score, .bias = true, .mask = true});
      std::fill(problem.v.begin(), problem.v.end(), 1.0f);
      for (const float x : run_forward(problem).out) EXPECT_NEAR(x, 1, (std::sqrt(300.0) + 4) * eps);
    }
}

// The inputs lie on a grid of 2^-10, so that adding 1000 to every point is exact in float and only the kernel can err.
TEST(AttentionInvariance, TranslationCostsNoDigits) {
  const Shape shape{1, 1, 110, 290, 16, 5};
  Problem<float> problem(shape, {.score = Score::squared_distance, .bias = true, .key_mask = true});
  problem.scale[0] = 0.05f;
  for (auto* points : {&problem.q, &problem.k})
    for (float& x : *points) x = std::round(x * 1024) / 1024;
  const auto d_out = random_like(std::vector<float>(110 * 5), 2), d_lse = random_like(std::vector<float>(110), 3);
  const Reference truth = reference(problem, d_out, d_lse, eps);
  Problem<float> moved = problem;
  for (auto* points : {&moved.q, &moved.k})
    for (float& x : *points) x += 1000;
  for (std::int64_t j = 0; j < shape.keys; ++j)  // the mean is that of the valid keys
    if (!moved.key_mask[j]) std::fill_n(moved.k.begin() + j * shape.dim, shape.dim, 1e9f);
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(isa);
    const WithIsa forced(isa);
    for (const Problem<float>* p : {&problem, &moved}) {
      const Output<float> output = run_forward(*p);
      const Gradients<float> gradients = run_backward(*p, output, d_out, d_lse);
      EXPECT_WITHIN_BOUNDS(output, gradients, truth);  // one bound for both: it is that of the centred points
    }
  }
}

TEST(AttentionInvariance, RotationTurnsOnlyTheGradients) {
  const Shape shape{1, 1, 40, 50, 8, 3};
  Problem<double> problem(shape, {.score = Score::squared_distance});
  // A product of plane rotations through every pair of axes.
  const auto rotate = [&](std::vector<double> points) {
    for (std::size_t row = 0; row < points.size(); row += 8)
      for (int a = 0; a < 8; ++a)
        for (int b = a + 1; b < 8; ++b) {
          const double angle = 0.3 + a + 0.7 * b, x = points[row + a], y = points[row + b];
          points[row + a] = std::cos(angle) * x - std::sin(angle) * y;
          points[row + b] = std::sin(angle) * x + std::cos(angle) * y;
        }
    return points;
  };
  Problem<double> turned = problem;
  turned.q = rotate(problem.q);
  turned.k = rotate(problem.k);
  const auto d_out = random_like(std::vector<double>(120), 2), d_lse = random_like(std::vector<double>(40), 3);
  // In float: the rotated inputs are rounded to float, which moves a score by at most what its bound already allows.
  const Reference truth = reference(problem, d_out, d_lse, eps);
  const Problem<float> rounded = turned.as<float>();
  const std::vector<float> d_out_float(d_out.begin(), d_out.end()), d_lse_float(d_lse.begin(), d_lse.end());
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(isa);
    const WithIsa forced(isa);
    const Output<float> output = run_forward(rounded);
    const Gradients<float> gradients = run_backward(rounded, output, d_out_float, d_lse_float);
    EXPECT_LE(largest_error(output.out, truth.output.out), truth.bounds.out);
    EXPECT_LE(largest_error(output.lse, truth.output.lse), truth.bounds.lse);
    const std::vector<double> d_q(truth.gradients.q.begin(), truth.gradients.q.end());
    const std::vector<double> d_k(truth.gradients.k.begin(), truth.gradients.k.end());
    EXPECT_LE(largest_error(gradients.q, rotate(d_q)), truth.bounds.q);
    EXPECT_LE(largest_error(gradients.k, rotate(d_k)), truth.bounds.k);
    EXPECT_LE(largest_error(gradients.v, truth.gradients.v), truth.bounds.v);
  }
}

TEST(AttentionInvariance, OrderOfKeysDoesNotMatter) {
  const Shape shape{1, 1, 33, 300, 7, 4};
  const Problem<float> problem(shape, {.score = Score::squared_distance, .bias = true});
  Random random(5, Purpose::permutation);
  const std::vector<std::int64_t> order = permutation(shape.keys, random);
  Problem<float> shuffled = problem;
  for (std::int64_t j = 0; j < shape.keys; ++j) {
    std::copy_n(problem.k.begin() + order[j] * 7, 7, shuffled.k.begin() + j * 7);
    std::copy_n(problem.v.begin() + order[j] * 4, 4, shuffled.v.begin() + j * 4);
    shuffled.bias[j] = problem.bias[order[j]];
  }
  const Reference truth = reference(problem, std::vector<float>{}, {}, eps);
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    const Output<float> output = run_forward(shuffled);
    EXPECT_LE(largest_error(output.out, truth.output.out), truth.bounds.out) << isa;
    EXPECT_LE(largest_error(output.lse, truth.output.lse), truth.bounds.lse) << isa;
  }
}

TEST(AttentionInvariance, ThreadsChangeNoBit) {
  for (const std::string& isa : isa_names())
    for (const Options& options : {Options{.score = Score::dot}, Options{.score = Score::squared_distance, .bias = true},
                                   Options{.score = Score::dot, .mask = true, .causal = true}})
      for (const Shape& shape :
           {Shape{1, 1, 330, 1100, 12, 10}, Shape{2, 5, 130, 270, 17, 5}, Shape{3, 1, 97, 600, 8, 8}}) {
        SCOPED_TRACE(describe(shape, options, isa));
        const WithIsa forced(isa);
        Problem<float> problem(shape, options);
        const Output<float> one = run_forward(problem);
        const auto d_out = random_like(one.out, 2), d_lse = random_like(one.lse, 3);
        const Gradients<float> gradients = run_backward(problem, one, d_out, d_lse);
        for (const int threads : {2, 3, 0}) {
          problem.threads = threads;
          const Output<float> many = run_forward(problem);
          EXPECT_EQ(many.out, one.out);
          EXPECT_EQ(many.lse, one.lse);
          const Gradients<float> more = run_backward(problem, many, d_out, d_lse);
          EXPECT_EQ(more.q, gradients.q);
          EXPECT_EQ(more.k, gradients.k);
          EXPECT_EQ(more.v, gradients.v);
          EXPECT_EQ(more.bias, gradients.bias);
          EXPECT_EQ(more.scale, gradients.scale);
        }
      }
}

}  // namespace
}  // namespace calor::kernels::test
