// What is masked changes nothing: exact comparisons of a problem with masked contents against the same problem with
// other contents there, and of one way to mask against another.
#include <gtest/gtest.h>

#include <limits>

#include "tests/kernels/problem.h"
#include "tests/kernels/reference.h"

namespace calor::kernels::test {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

struct Both {
  Output<float> output;
  Gradients<float> gradients;
};

Both run_both(const Problem<float>& problem, const std::vector<float>& d_out, const std::vector<float>& d_lse) {
  Output<float> output = run_forward(problem);
  Gradients<float> gradients = run_backward(problem, output, d_out, d_lse);
  return {std::move(output), std::move(gradients)};
}

Both run_both(const Problem<float>& problem) {
  const std::int64_t rows = problem.shape.batch * problem.shape.heads * problem.shape.queries;
  return run_both(problem, random_like(std::vector<float>(rows * problem.shape.value_dim), 2),
                  random_like(std::vector<float>(rows), 3));
}

void expect_same_bits(const Both& a, const Both& b) {
  EXPECT_EQ(a.output.out, b.output.out);
  EXPECT_EQ(a.output.lse, b.output.lse);
  EXPECT_EQ(a.gradients.q, b.gradients.q);
  EXPECT_EQ(a.gradients.k, b.gradients.k);
  EXPECT_EQ(a.gradients.v, b.gradients.v);
  EXPECT_EQ(a.gradients.bias, b.gradients.bias);
  EXPECT_EQ(a.gradients.scale, b.gradients.scale);
}

// Where a visible pair's contents change the path, results agree to rounding only.
void expect_close(const Both& a, const Both& b, const Reference& truth) {
  EXPECT_WITHIN_BOUNDS(a.output, a.gradients, truth);
  EXPECT_WITHIN_BOUNDS(b.output, b.gradients, truth);
}

class AttentionMask : public testing::TestWithParam<std::tuple<std::string, Score>> {
 protected:
  AttentionMask() : forced_(std::get<0>(GetParam())) {}
  Score score() const { return std::get<1>(GetParam()); }
  void fill_key(Problem<float>& problem, std::int64_t head, std::int64_t j, float k, float v) const {
    const Shape& s = problem.shape;
    std::fill_n(problem.k.begin() + (head * s.keys + j) * s.dim, s.dim, k);
    std::fill_n(problem.v.begin() + (head * s.keys + j) * s.value_dim, s.value_dim, v);
  }

 private:
  WithIsa forced_;
};

TEST_P(AttentionMask, ContentsOfMaskedKeysChangeNothing) {
  for (const Shape& shape : {Shape{1, 2, 9, 7, 3, 2}, Shape{2, 1, 120, 300, 20, 33}}) {
    Problem<float> problem(shape, {.score = score(), .bias = true, .key_mask = true, .density = 0.5});
    const Both plain = run_both(problem);
    for (const float wild : {nan, infinity, -infinity, 3e38f, 1e10f}) {
      for (std::int64_t head = 0; head < shape.batch * shape.heads; ++head)
        for (std::int64_t j = 0; j < shape.keys; ++j)
          if (!problem.key_mask[head / shape.heads * shape.keys + j]) {
            fill_key(problem, head, j, wild, wild);
            problem.bias[head * shape.keys + j] = wild;
          }
      expect_same_bits(run_both(problem), plain);
    }
  }
}

TEST_P(AttentionMask, BiasOfMinusInfinityIsAKeyMask) {
  Problem<float> masked({2, 2, 50, 70, 11, 5}, {.score = score(), .bias = true, .key_mask = true});
  Problem<float> biased = masked;
  for (std::int64_t head = 0; head < 4; ++head)
    for (std::int64_t j = 0; j < 70; ++j)
      if (!masked.key_mask[head / 2 * 70 + j]) {
        biased.bias[head * 70 + j] = -infinity;
        fill_key(biased, head, j, nan, nan);
      }
  biased.key_mask.clear();
  const Both a = run_both(masked), b = run_both(biased);
  expect_same_bits(a, b);
  for (std::int64_t head = 0; head < 4; ++head)
    for (std::int64_t j = 0; j < 70; ++j)
      if (!masked.key_mask[head / 2 * 70 + j]) {
        EXPECT_EQ(b.gradients.bias[head * 70 + j], 0);
      }
}

// A key that a boolean mask hides from every row is as good as masked; one that it hides from some rows may hold
// anything only if it shows in the others, so there NaN appears in exactly those rows.
TEST_P(AttentionMask, BooleanMaskHidesContents) {
  Problem<float> problem({1, 2, 40, 290, 6, 4}, {.score = score(), .mask = true});
  for (std::int64_t i = 0; i < 80; ++i) problem.mask[i * 290 + 17] = problem.mask[i * 290 + 280] = 0;
  const Both plain = run_both(problem);
  for (std::int64_t head = 0; head < 2; ++head) {
    fill_key(problem, head, 17, nan, nan);
    fill_key(problem, head, 280, 1e30f, infinity);
  }
  expect_same_bits(run_both(problem), plain);

  problem.v[3 * 4 + 1] = nan;  // head 0, key 3
  const Output<float> output = run_forward(problem);
  for (std::int64_t i = 0; i < 80; ++i) {
    const bool sees = i < 40 && problem.mask[i * 290 + 3];
    EXPECT_EQ(std::isnan(output.out[i * 4 + 1]), sees) << i;
    EXPECT_FALSE(std::isnan(output.out[i * 4])) << i;
  }
}

TEST_P(AttentionMask, CausalHidesTheFuture) {
  // Key 30 is NaN: rows before it must not notice, and gradients of what they see stay finite.
  Problem<float> problem({1, 1, 40, 40, 6, 4}, {.score = score(), .causal = true});
  fill_key(problem, 0, 30, nan, nan);
  const Output<float> output = run_forward(problem);
  for (std::int64_t i = 0; i < 40; ++i) EXPECT_EQ(std::isnan(output.out[i * 4]), i >= 30) << i;
  for (std::int64_t i = 0; i < 40; ++i) EXPECT_EQ(std::isnan(output.lse[i]), i >= 30) << i;

  // Keys past the last row are seen by nobody.
  Problem<float> longer({1, 1, 20, 600, 6, 4}, {.score = score(), .causal = true});
  const Both plain = run_both(longer);
  for (std::int64_t j = 20; j < 600; ++j) fill_key(longer, 0, j, nan, 1e30f);
  const Both wild = run_both(longer);
  expect_same_bits(wild, plain);
  const std::vector<float> unseen(wild.gradients.k.begin() + 20 * 6, wild.gradients.k.end());
  EXPECT_EQ(unseen, std::vector<float>(580 * 6, 0.0f));
}

TEST_P(AttentionMask, CausalIsTheTriangularMask) {
  for (const auto& [queries, keys] : {std::pair{1, 5}, {5, 1}, {97, 97}, {300, 280}, {101, 300}}) {
    const Problem<float> causal({1, 1, queries, keys, 5, 3}, {.score = score(), .causal = true});
    Problem<float> masked({1, 1, queries, keys, 5, 3}, {.score = score()});
    masked.mask.resize(queries * keys);
    for (int i = 0; i < queries; ++i)
      for (int j = 0; j < keys; ++j) masked.mask[i * keys + j] = j <= i;
    const auto d_out = random_like(std::vector<float>(queries * 3), 2);
    const auto d_lse = random_like(std::vector<float>(queries), 3);
    SCOPED_TRACE(fmt::format("{} x {}", queries, keys));
    expect_close(run_both(causal, d_out, d_lse), run_both(masked, d_out, d_lse),
                 reference(causal, d_out, d_lse, std::numeric_limits<float>::epsilon()));
  }
}

// Own keys hidden by their place are those of an explicit mask, bit for bit where both centre on the same keys.
TEST_P(AttentionMask, OwnKeyIsTheMaskOfADiagonal) {
  for (const auto& [queries, keys, own] : {std::tuple{1, 5, 3}, {2, 2, 0}, {97, 97, 0}, {300, 700, 250}, {101, 90, 20}}) {
    const Problem<float> hidden({1, 2, queries, keys, 5, 3}, {.score = score(), .own_key = own});
    Problem<float> masked({1, 2, queries, keys, 5, 3}, {.score = score()});
    masked.mask.assign(static_cast<std::size_t>(2 * queries * keys), 1);
    for (int head = 0; head < 2; ++head)
      for (int i = 0; i < queries && own + i < keys; ++i) masked.mask[(head * queries + i) * keys + own + i] = 0;
    const auto d_out = random_like(std::vector<float>(2 * queries * 3), 2);
    const auto d_lse = random_like(std::vector<float>(2 * queries), 3);
    SCOPED_TRACE(fmt::format("{} x {} from {}", queries, keys, own));
    expect_same_bits(run_both(hidden, d_out, d_lse), run_both(masked, d_out, d_lse));
  }
}

// A key seen by its own row alone may hold anything; one that others see shows in those rows and not in its own.
TEST_P(AttentionMask, OwnKeyHidesContents) {
  Problem<float> alone({1, 1, 1, 30, 6, 4}, {.score = score(), .own_key = 12});
  const Both plain = run_both(alone);
  fill_key(alone, 0, 12, nan, infinity);
  expect_same_bits(run_both(alone), plain);
  Problem<float> last({1, 1, 30, 30, 6, 4}, {.score = score(), .causal = true, .own_key = 0});  // the last key: of the last row alone
  const Both before = run_both(last);
  fill_key(last, 0, 29, nan, 1e30f);
  expect_same_bits(run_both(last), before);
  Problem<float> shared({1, 1, 20, 20, 6, 4}, {.score = score(), .own_key = 0});
  fill_key(shared, 0, 7, 1, nan);
  const Output<float> output = run_forward(shared);
  for (std::int64_t i = 0; i < 20; ++i) EXPECT_EQ(std::isnan(output.out[i * 4]), i != 7) << i;
}

// A row that sees nothing: zeros, -infinity, zero gradients, whatever it and its gradients hold.
TEST_P(AttentionMask, FullyMaskedRows) {
  Problem<float> problem({1, 1, 130, 40, 6, 4}, {.score = score(), .mask = true});
  const auto hide_row = [&](std::int64_t i) { std::fill_n(problem.mask.begin() + i * 40, 40, std::uint8_t{0}); };
  for (const std::int64_t i : {0, 50, 129}) hide_row(i);
  auto d_out = random_like(std::vector<float>(130 * 4), 2), d_lse = random_like(std::vector<float>(130), 3);
  const Both plain = run_both(problem, d_out, d_lse);
  const Reference truth = reference(problem, d_out, d_lse, std::numeric_limits<float>::epsilon());
  EXPECT_WITHIN_BOUNDS(plain.output, plain.gradients, truth);
  for (const std::int64_t i : {0, 50, 129}) {
    EXPECT_EQ(plain.output.lse[i], -infinity);
    for (int c = 0; c < 4; ++c) EXPECT_EQ(plain.output.out[i * 4 + c], 0);
    for (int c = 0; c < 6; ++c) EXPECT_EQ(plain.gradients.q[i * 6 + c], 0);
    std::fill_n(problem.q.begin() + i * 6, 6, nan);
    std::fill_n(d_out.begin() + i * 4, 4, nan);
    d_lse[i] = infinity;
  }
  const Both wild = run_both(problem, d_out, d_lse);
  EXPECT_WITHIN_BOUNDS(wild.output, wild.gradients, truth);

  problem.key_mask.assign(40, 0);  // and all of them
  const Both nothing = run_both(problem, d_out, d_lse);
  EXPECT_EQ(nothing.output.out, std::vector<float>(130 * 4, 0.0f));
  EXPECT_EQ(nothing.output.lse, std::vector<float>(130, -infinity));
  EXPECT_EQ(nothing.gradients.k, std::vector<float>(40 * 6, 0.0f));
  EXPECT_EQ(nothing.gradients.scale, std::vector<float>(1, 0.0f));
}

// What is visible and not finite shows: nothing is swallowed.
TEST_P(AttentionMask, VisibleNanShows) {
  Problem<float> problem({1, 1, 30, 20, 6, 4}, {.score = score()});
  problem.q[7 * 6 + 2] = nan;
  const Both result = run_both(problem);
  for (std::int64_t i = 0; i < 30; ++i) EXPECT_EQ(std::isnan(result.output.lse[i]), i == 7);
  EXPECT_TRUE(std::isnan(result.gradients.k[0]));
}

// Large but finite contents are computed, not refused.
TEST_P(AttentionMask, LargeContents) {
  Problem<float> problem({1, 1, 30, 20, 6, 4}, {.score = score()});
  for (float& x : problem.v) x *= 1e25f;
  const auto none = std::vector<float>(30 * 4, 0.0f);
  const Output<float> output = run_forward(problem);
  const Reference truth = reference(problem, none, {}, std::numeric_limits<float>::epsilon());
  EXPECT_LE(largest_error(output.out, truth.output.out), truth.bounds.out);
}

INSTANTIATE_TEST_SUITE_P(All, AttentionMask,
                         testing::Combine(testing::ValuesIn(isa_names()),
                                          testing::Values(Score::dot, Score::squared_distance)),
                         [](const auto& test) {
                           return std::get<0>(test.param) + (std::get<1>(test.param) == Score::dot ? "_dot" : "_l2");
                         });

}  // namespace
}  // namespace calor::kernels::test
