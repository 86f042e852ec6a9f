// The scalar definition in double: against the longhand reference in long double (tolerance: the rounding bounds derived in
// reference.h with eps of double), and its gradients against central differences of its own forward, which the first
// test has tied to the reference.
#include <gtest/gtest.h>

#include "tests/kernels/problem.h"
#include "tests/kernels/reference.h"

namespace calor::kernels::test {
namespace {

std::vector<Options> all_options() {
  std::vector<Options> list;
  for (const Score score : {Score::dot, Score::squared_distance})
    for (int bits = 0; bits < 32; ++bits)
      list.push_back({score, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0, 0.6,
                      static_cast<std::uint64_t>(bits + 1), (bits & 16) != 0 ? bits % 3 : -1});
  return list;
}

TEST(AttentionDefinition, DoubleMatchesTheLonghandReference) {
  const WithIsa scalar("scalar");
  for (const Options& options : all_options())
    for (const Shape& shape : {Shape{1, 1, 1, 1, 1, 1}, Shape{2, 3, 5, 7, 4, 3}, Shape{1, 2, 9, 4, 33, 17}}) {
      SCOPED_TRACE(describe(shape, options));
      const Problem<double> problem(shape, options);
      const Output<double> output = run_forward(problem);
      const auto d_out = random_like(output.out, 2), d_lse = random_like(output.lse, 3);
      const Gradients<double> gradients = run_backward(problem, output, d_out, d_lse);
      const Reference truth = reference(problem, d_out, d_lse, std::numeric_limits<double>::epsilon());
      EXPECT_WITHIN_BOUNDS(output, gradients, truth);
    }
}

// Every element of the Jacobian of (out, lse) with respect to (q, k, v, bias, scale).  Central differences with step h
// err by h^2/6 |f'''| + eps |f| / h; here |f| and its derivatives are below 50, so h = 1e-5 leaves 1e-9 + 1e-9.
TEST(AttentionDefinition, JacobianMatchesCentralDifferences) {
  const WithIsa scalar("scalar");
  constexpr double step = 1e-5, tolerance = 4e-9;
  for (const Options& options : all_options()) {
    const Shape shape{1, 2, 4, 5, 3, 2};
    SCOPED_TRACE(describe(shape, options));
    Problem<double> problem(shape, options);
    problem.scale[1] = 1.3;
    const Output<double> output = run_forward(problem);
    const std::size_t outs = output.out.size(), lses = output.lse.size();

    std::vector<Gradients<double>> rows;
    for (std::size_t n = 0; n < outs + lses; ++n) {
      std::vector<double> d_out(outs, 0.0), d_lse(lses, 0.0);
      (n < outs ? d_out[n] : d_lse[n - outs]) = 1;
      rows.push_back(run_backward(problem, output, d_out, d_lse));
    }
    const auto check = [&](const char* name, std::vector<double>& input, std::vector<double> Gradients<double>::*field) {
      for (std::size_t m = 0; m < input.size(); ++m) {
        const double value = input[m];
        input[m] = value + step;
        const Output<double> above = run_forward(problem);
        input[m] = value - step;
        const Output<double> below = run_forward(problem);
        input[m] = value;
        for (std::size_t n = 0; n < outs + lses; ++n) {
          const double high = n < outs ? above.out[n] : above.lse[n - outs];
          const double low = n < outs ? below.out[n] : below.lse[n - outs];
          const double expected = high == low ? 0 : (high - low) / (2 * step);  // -infinity on both sides is constant
          EXPECT_NEAR((rows[n].*field)[m], expected, tolerance) << name << "[" << m << "], result " << n;
        }
      }
    };
    check("q", problem.q, &Gradients<double>::q);
    check("k", problem.k, &Gradients<double>::k);
    check("v", problem.v, &Gradients<double>::v);
    check("bias", problem.bias, &Gradients<double>::bias);
    check("scale", problem.scale, &Gradients<double>::scale);
  }
}

TEST(AttentionDefinition, WithoutGradientOfTheLogSumExpItIsZero) {
  const WithIsa scalar("scalar");
  const Problem<double> problem({1, 2, 6, 5, 3, 4}, {.score = Score::squared_distance, .bias = true});
  const Output<double> output = run_forward(problem);
  const auto d_out = random_like(output.out, 2);
  const Gradients<double> without = run_backward(problem, output, d_out, {});
  const Gradients<double> zero = run_backward(problem, output, d_out, std::vector<double>(output.lse.size(), 0.0));
  EXPECT_EQ(without.q, zero.q);
  EXPECT_EQ(without.k, zero.k);
  EXPECT_EQ(without.scale, zero.scale);
}

}  // namespace
}  // namespace calor::kernels::test
