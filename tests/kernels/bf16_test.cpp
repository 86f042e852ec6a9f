// Attention over rows of bfloat16 on every instruction set (those without such products compute with floats): against the longhand reference over
// the same rounded numbers, sizes that straddle every vector, pair, panel and block, masks, contents that are masked or not finite, threads, strides.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/kernels/problem.h"
#include "tests/kernels/reference.h"

namespace calor::kernels::test {
namespace {

constexpr double spacing = 0x1p-7;  // between 1 and the next bfloat16
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr Score scores[] = {Score::dot, Score::squared_distance};

std::vector<Bf16> halved(const std::vector<float>& x) {
  std::vector<Bf16> y;
  for (const float each : x) y.push_back(Bf16(each));
  return y;
}

std::vector<float> widened(const std::vector<Bf16>& x) {
  std::vector<float> y;
  for (const Bf16 each : x) y.push_back(static_cast<float>(each));
  return y;
}

std::vector<float> rounded(const std::vector<float>& x) { return widened(halved(x)); }

Problem<float> rounded_problem(const Shape& shape, const Options& options) {
  Problem<float> problem(shape, options);
  for (auto* rows : {&problem.q, &problem.k, &problem.v}) *rows = rounded(*rows);
  return problem;
}

// Rows of a tensor with numbers between them that nobody may touch.
struct Spread {
  static constexpr std::int64_t gap = 3;
  std::vector<Bf16> numbers;
  Strides strides;
  std::int64_t rows, dim;

  Spread(const Shape& s, std::int64_t rows_, std::int64_t dim_, const std::vector<float>& from) : rows(rows_), dim(dim_) {
    const std::int64_t heads = s.heads, row = dim + gap;
    strides = {heads * rows * row, row, heads * row};  // the heads of a row side by side
    numbers.assign(static_cast<std::size_t>(s.batch * heads * rows * row), Bf16(7.0f));
    for (std::int64_t n = 0; n < static_cast<std::int64_t>(from.size()); ++n) at(s, n) = Bf16(from[static_cast<std::size_t>(n)]);
  }
  Bf16& at(const Shape& s, std::int64_t n) {
    const std::int64_t c = n % dim, r = n / dim % rows, head = n / dim / rows;
    return numbers[static_cast<std::size_t>(head / s.heads * strides.batch + head % s.heads * strides.head + r * strides.row + c)];
  }
  std::vector<float> gathered(const Shape& s) {
    std::vector<float> found;
    for (std::int64_t n = 0; n < s.batch * s.heads * rows * dim; ++n) found.push_back(static_cast<float>(at(s, n)));
    std::int64_t touched = 0;
    for (const Bf16 each : numbers) touched += static_cast<float>(each) == 7.0f ? 0 : 1;
    EXPECT_LE(touched, s.batch * s.heads * rows * dim);
    return found;
  }
};

struct Result {
  Output<float> output;
  Gradients<float> gradients;
};

// A problem of floats that are bfloat16 numbers, computed as bfloat16.
Result run(const Problem<float>& problem, const std::vector<float>& d_out, const std::vector<float>& d_lse) {
  const Shape& s = problem.shape;
  const AttentionParams<float> floats = problem.params();
  AttentionParams<Bf16> p;
  p.score = floats.score, p.batch = s.batch, p.heads = s.heads, p.queries = s.queries, p.keys = s.keys, p.dim = s.dim, p.value_dim = s.value_dim;
  Spread q(s, s.queries, s.dim, problem.q), k(s, s.keys, s.dim, problem.k), v(s, s.keys, s.value_dim, problem.v);
  p.q = q.numbers.data(), p.k = k.numbers.data(), p.v = v.numbers.data();
  p.q_strides = q.strides, p.k_strides = k.strides, p.v_strides = v.strides;
  p.scale = floats.scale, p.scale_batch_stride = floats.scale_batch_stride, p.scale_head_stride = floats.scale_head_stride;
  p.bias = floats.bias, p.bias_batch_stride = floats.bias_batch_stride, p.bias_head_stride = floats.bias_head_stride;
  p.key_mask = floats.key_mask, p.key_mask_batch_stride = floats.key_mask_batch_stride;
  p.mask = floats.mask, p.mask_strides = floats.mask_strides;
  p.causal = floats.causal, p.own_key = floats.own_key, p.threads = problem.threads;

  const std::int64_t heads = s.batch * s.heads, rows = heads * s.queries;
  const auto nans = [](std::int64_t count) { return std::vector<float>(static_cast<std::size_t>(count), nan); };
  Result result;
  result.output.lse = nans(rows);
  Spread out(s, s.queries, s.value_dim, nans(rows * s.value_dim));
  attention_forward(p, AttentionForward<Bf16>{out.numbers.data(), out.strides, result.output.lse.data()});
  result.output.out = out.gathered(s);

  Spread d_q(s, s.queries, s.dim, nans(rows * s.dim)), d_k(s, s.keys, s.dim, nans(heads * s.keys * s.dim)), d_v(s, s.keys, s.value_dim, nans(heads * s.keys * s.value_dim));
  Spread of_out(s, s.queries, s.value_dim, d_out);
  result.gradients.bias = nans(heads * s.keys), result.gradients.scale = nans(heads);
  AttentionBackward<Bf16> b;
  b.out = out.numbers.data(), b.out_strides = out.strides, b.lse = result.output.lse.data();
  b.d_out = of_out.numbers.data(), b.d_out_strides = of_out.strides;
  b.d_lse = d_lse.empty() ? nullptr : d_lse.data();
  b.d_q = d_q.numbers.data(), b.d_q_strides = d_q.strides;
  b.d_k = d_k.numbers.data(), b.d_k_strides = d_k.strides;
  b.d_v = d_v.numbers.data(), b.d_v_strides = d_v.strides;
  b.d_bias = result.gradients.bias.data(), b.d_scale = result.gradients.scale.data();
  attention_backward(p, b);
  result.gradients.q = d_q.gathered(s), result.gradients.k = d_k.gathered(s), result.gradients.v = d_v.gathered(s);
  return result;
}

std::vector<float> some_d_out(const Shape& s) { return rounded(random_like(std::vector<float>(s.batch * s.heads * s.queries * s.value_dim), 2)); }
std::vector<float> some_d_lse(const Shape& s) { return random_like(std::vector<float>(s.batch * s.heads * s.queries), 3); }

void expect_right_on_every_isa(const Shape& shape, const Options& options) {
  const Problem<float> problem = rounded_problem(shape, options);
  const auto d_out = some_d_out(shape), d_lse = some_d_lse(shape);
  const Reference truth = reference(problem, d_out, d_lse, spacing);
  // Products are exact and their sums are float's, exponentials good to 1.1e-4; a centre can cost the products of far queries and near keys a rounding.
  const double lse_bound = (options.score == Score::dot ? 1.2e-4 : 5e-4) + 4 * reference(problem, d_out, d_lse, std::numeric_limits<float>::epsilon()).bounds.lse;
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(describe(shape, options, isa));
    const WithIsa forced(isa);
    const Result found = run(problem, d_out, d_lse);
    EXPECT_WITHIN_BOUNDS(found.output, found.gradients, truth);
    EXPECT_LE(largest_error(found.output.lse, truth.output.lse), lse_bound);
  }
}

TEST(Bf16, RoundsToTheNearestAndTiesToEven) {
  const auto bits = [](float x) { return Bf16(x).bits; };
  EXPECT_EQ(bits(1.0f), 0x3f80);
  EXPECT_EQ(bits(-2.0f), 0xc000);
  EXPECT_EQ(bits(1.0f + 0x1p-8f), 0x3f80);             // a tie, to even
  EXPECT_EQ(bits(1.0f + 0x1p-7f + 0x1p-8f), 0x3f82);   // a tie, to even
  EXPECT_EQ(bits(1.0f + 0x1p-8f + 0x1p-20f), 0x3f81);  // above the tie
  EXPECT_EQ(bits(infinity), 0x7f80);
  EXPECT_EQ(bits(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_TRUE(std::isnan(static_cast<float>(Bf16(nan))));
  for (std::uint32_t n = 0; n < 0x10000; ++n) {
    Bf16 x;
    x.bits = static_cast<std::uint16_t>(n);
    if (!std::isnan(static_cast<float>(x))) {
      ASSERT_EQ(Bf16(static_cast<float>(x)).bits, x.bits);
    }
  }
}

TEST(AttentionBf16, EveryDimension) {
  const std::int64_t dims[] = {1, 2, 3, 7, 8, 10, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 257, 512};
  for (const Score score : scores)
    for (std::size_t n = 0; n < std::size(dims); ++n)
      expect_right_on_every_isa({1, 1, 21, 37, dims[n], dims[(n + 7) % std::size(dims)]}, {.score = score, .bias = n % 2 == 0});
}

TEST(AttentionBf16, EveryTailOfQueriesAndKeys) {
  const std::int64_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 17, 23, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 255, 256, 257};
  for (std::size_t n = 0; n < std::size(sizes); ++n)
    for (const Score score : scores) {
      expect_right_on_every_isa({1, 1, sizes[n], sizes[(n + 5) % std::size(sizes)], 5, 9}, {.score = score});
      expect_right_on_every_isa({1, 1, sizes[n], sizes[n], 10, 34}, {.score = score, .causal = true});
      expect_right_on_every_isa({1, 1, sizes[n], sizes[n], 5, 17}, {.score = score, .own_key = 0});
    }
}

TEST(AttentionBf16, SeveralBlocksWithEveryOption) {
  for (const Score score : scores) {
    expect_right_on_every_isa({1, 1, 200, 1100, 6, 5}, {.score = score});
    expect_right_on_every_isa({1, 1, 520, 300, 6, 5}, {.score = score, .bias = true, .key_mask = true, .causal = true});
    expect_right_on_every_isa({1, 1, 301, 1031, 4, 70}, {.score = score, .key_mask = true, .causal = true});
    expect_right_on_every_isa({2, 2, 101, 270, 7, 3}, {.score = score, .bias = true, .mask = true});
    expect_right_on_every_isa({2, 3, 33, 70, 16, 16}, {.score = score, .key_mask = true, .mask = true, .causal = true});
    expect_right_on_every_isa({1, 1, 300, 1030, 4, 3}, {.score = score, .own_key = 515});
    expect_right_on_every_isa({2, 1, 200, 200, 6, 5}, {.score = score, .mask = true, .causal = true, .own_key = 0});
  }
}

// Rounding costs what it must: weights and results are rounded once each.  One rounding of many numbers is 1.7e-3 of their size in the square mean.
void expect_two_roundings(const Problem<float>& problem, const std::string& isa, double most = 0x1p-8) {
  const auto d_out = some_d_out(problem.shape);
  const Result found = run(problem, d_out, {});
  const Reference truth = reference(problem, d_out, {}, spacing);
  const auto relative = [](const std::vector<float>& a, const std::vector<Real>& b) {
    Real error = 0, size = 0;
    for (std::size_t n = 0; n < a.size(); ++n) error += (a[n] - b[n]) * (a[n] - b[n]), size += b[n] * b[n];
    return static_cast<double>(std::sqrt(error / size));
  };
  EXPECT_LT(relative(found.output.out, truth.output.out), most) << isa;
  EXPECT_LT(relative(found.gradients.q, truth.gradients.q), most) << isa;
  EXPECT_LT(relative(found.gradients.k, truth.gradients.k), most) << isa;
  EXPECT_LT(relative(found.gradients.v, truth.gradients.v), most) << isa;
}

TEST(AttentionBf16, ErrsByTwoRoundings) {
  for (const std::string& isa : isa_names())
    for (const Score score : scores) {
      const WithIsa forced(isa);
      expect_two_roundings(rounded_problem({1, 1, 300, 500, 64, 64}, {.score = score}), isa);
    }
}

// Numbers around 100 lie 1/2 apart, those around 1,000 lie 4: their differences are exact where the centre is a bfloat16 near them.
TEST(AttentionBf16, DistancesFarFromTheOriginLoseNothing) {
  for (const std::string& isa : isa_names())
    for (const float offset : {1.0f, 3.0f, 30.0f, 100.0f, -1000.0f}) {
      const WithIsa forced(isa);
      Problem<float> problem = rounded_problem({1, 1, 200, 300, 16, 16}, {.score = Score::squared_distance});
      for (auto* rows : {&problem.q, &problem.k})
        for (float& x : *rows) x = static_cast<float>(Bf16(3 * x + offset));
      problem.scale[0] /= 9;
      expect_two_roundings(problem, fmt::format("{} at {}", isa, offset), 1.25 * 0x1p-8);  // at 3, as far as they are from each other, 1.11
    }
}

TEST(AttentionBf16, WhatIsMaskedChangesNothing) {
  for (const std::string& isa : isa_names())
    for (const Score score : scores) {
      const WithIsa forced(isa);
      const Shape shape{1, 2, 50, 70, 9, 11};
      Problem<float> problem = rounded_problem(shape, {.score = score, .bias = true});
      problem.key_mask.assign(70, 1);
      for (const std::int64_t j : {0, 31, 32, 69}) problem.key_mask[static_cast<std::size_t>(j)] = 0;
      problem.bias[5] = problem.bias[70 + 5] = -infinity;
      const auto d_out = some_d_out(shape), d_lse = some_d_lse(shape);
      const Result plain = run(problem, d_out, d_lse);
      for (std::int64_t head = 0; head < 2; ++head)
        for (const std::int64_t j : {0, 5, 31, 32, 69}) {
          std::fill_n(problem.k.begin() + (head * 70 + j) * 9, 9, nan);
          std::fill_n(problem.v.begin() + (head * 70 + j) * 11, 11, infinity);
        }
      const Result filled = run(problem, d_out, d_lse);
      EXPECT_EQ(plain.output.out, filled.output.out) << isa;
      EXPECT_EQ(plain.output.lse, filled.output.lse) << isa;
      EXPECT_EQ(plain.gradients.q, filled.gradients.q) << isa;
      EXPECT_EQ(plain.gradients.k, filled.gradients.k) << isa;
      EXPECT_EQ(plain.gradients.v, filled.gradients.v) << isa;
      EXPECT_EQ(plain.gradients.bias, filled.gradients.bias) << isa;
      for (const std::int64_t j : {0, 5, 31, 32, 69}) EXPECT_EQ(filled.gradients.k[static_cast<std::size_t>(j * 9)], 0.0f) << isa;
    }
}

// Visible contents that are not finite, or too large for products in float, show as they do in a computation with floats.
TEST(AttentionBf16, WhatIsNotTameIsComputedAsFloats) {
  for (const std::string& isa : isa_names())
    for (const Score score : scores)
      for (const float wild : {nan, infinity, 0x1p60f}) {
        const WithIsa forced(isa);
        const Shape shape{1, 1, 100, 40, 8, 8};
        for (int where = 0; where < 3; ++where) {
          Problem<float> problem = rounded_problem(shape, {.score = score});
          (where == 0 ? problem.q : where == 1 ? problem.k : problem.v)[8 * 20 + 3] = wild;
          const auto d_out = some_d_out(shape);
          const Result found = run(problem, d_out, {});
          const Output<float> floats = run_forward(problem);
          const Gradients<float> gradients = run_backward(problem, {found.output.out, floats.lse}, d_out, {});
          const auto expect_alike = [&](const std::vector<float>& a, std::vector<float> b, const char* name) {
            b = rounded(b);
            for (std::size_t n = 0; n < a.size(); ++n)
              ASSERT_TRUE(a[n] == b[n] || (std::isnan(a[n]) && std::isnan(b[n]))) << isa << " " << name << "[" << n << "] " << a[n] << " " << b[n];
          };
          expect_alike(found.output.out, floats.out, "out");
          expect_alike(found.gradients.q, gradients.q, "d_q");
          expect_alike(found.gradients.k, gradients.k, "d_k");
          expect_alike(found.gradients.v, gradients.v, "d_v");
        }
      }
}

TEST(AttentionBf16, SameBitsForAnyNumberOfThreads) {
  for (const Score score : scores) {
    const Shape shape{1, 3, 700, 900, 20, 24};
    Problem<float> problem = rounded_problem(shape, {.score = score, .bias = true});
    const auto d_out = some_d_out(shape), d_lse = some_d_lse(shape);
    const Result one = run(problem, d_out, d_lse);
    for (const int threads : {2, 3}) {
      problem.threads = threads;
      const Result several = run(problem, d_out, d_lse);
      EXPECT_EQ(one.output.out, several.output.out);
      EXPECT_EQ(one.output.lse, several.output.lse);
      EXPECT_EQ(one.gradients.q, several.gradients.q);
      EXPECT_EQ(one.gradients.k, several.gradients.k);
      EXPECT_EQ(one.gradients.v, several.gradients.v);
      EXPECT_EQ(one.gradients.scale, several.gradients.scale);
    }
  }
}

TEST(AttentionBf16, EmptyProblems) {
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    const Problem<float> no_keys = rounded_problem({1, 2, 3, 0, 4, 2}, {});
    const Result found = run(no_keys, std::vector<float>(12, 1.0f), {});
    EXPECT_EQ(found.output.out, std::vector<float>(12, 0.0f));
    EXPECT_EQ(found.output.lse, std::vector<float>(6, -infinity));
    EXPECT_EQ(found.gradients.q, std::vector<float>(24, 0.0f));
    const Problem<float> no_queries = rounded_problem({1, 2, 0, 3, 4, 2}, {});
    EXPECT_EQ(run(no_queries, {}, {}).gradients.k, std::vector<float>(24, 0.0f));
  }
}

// Charged before a run: what the floats take, and not less than the packed copies.
TEST(AttentionBf16, WorkspaceIsThatOfTheWayTaken) {
  AttentionParams<Bf16> p;
  const std::vector<float> scale(8, 1.0f);
  const Bf16 any;
  p.batch = 1, p.heads = 8, p.queries = p.keys = 4096, p.dim = p.value_dim = 64, p.threads = 1;
  p.q = p.k = p.v = &any, p.scale = scale.data(), p.scale_head_stride = 1;
  const std::uint64_t floats = 8ull * 4096 * 64 * 4 * sizeof(float);
  for (const std::string& isa : isa_names()) {
    const WithIsa forced(isa);
    if (bf16_products()) {
      EXPECT_LT(attention_workspace(p, false), floats / 4) << isa;
      EXPECT_GT(attention_workspace(p, false), 4096 * 64 * 2 * 2u) << isa;  // a head's keys and values
    } else {
      EXPECT_GT(attention_workspace(p, false), floats) << isa;
    }
  }
}

}  // namespace
}  // namespace calor::kernels::test
