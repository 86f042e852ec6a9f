// Strides, refusals and the choice of instruction set: every layout must give the bits of the contiguous one, and every
// wrong call a message that names the argument.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "calor/core/error.h"
#include "tests/kernels/problem.h"

namespace calor::kernels::test {
namespace {

constexpr Score scores[] = {Score::dot, Score::squared_distance};

// [batch, heads, rows, dim] stored as [batch, rows, heads, dim + gap], as a projection's output is.
struct Transposed {
  std::vector<float> values;
  Strides strides;

  Transposed(const std::vector<float>& from, const Shape& s, std::int64_t rows, std::int64_t dim)
      : values(s.batch * rows * s.heads * (dim + 3), -7.0f),
        strides{rows * s.heads * (dim + 3), dim + 3, s.heads * (dim + 3)} {
    for (std::int64_t b = 0; b < s.batch; ++b)
      for (std::int64_t h = 0; h < s.heads; ++h)
        for (std::int64_t i = 0; i < rows; ++i)
          for (std::int64_t c = 0; c < dim; ++c)
            values[b * strides.batch + h * strides.head + i * strides.row + c] =
                from.empty() ? 0 : from[((b * s.heads + h) * rows + i) * dim + c];
  }
};

TEST(AttentionInterface, TransposedHeads) {
  const Shape s{2, 3, 40, 70, 10, 5};
  for (const std::string& isa : isa_names())
    for (const Score score : scores) {
      SCOPED_TRACE(isa);
      const WithIsa forced(isa);
      const Problem<float> problem(s, {.score = score});
      const Output<float> output = run_forward(problem);
      const auto d_out_values = random_like(output.out, 2);
      const Gradients<float> gradients = run_backward(problem, output, d_out_values, {});

      const Transposed q(problem.q, s, 40, 10), k(problem.k, s, 70, 10), v(problem.v, s, 70, 5);
      AttentionParams<float> p = problem.params();
      p.q = q.values.data(), p.q_strides = q.strides;
      p.k = k.values.data(), p.k_strides = k.strides;
      p.v = v.values.data(), p.v_strides = v.strides;
      Transposed out({}, s, 40, 5);
      std::vector<float> lse(240);
      attention_forward(p, AttentionForward<float>{out.values.data(), out.strides, lse.data()});
      EXPECT_EQ(out.values, Transposed(output.out, s, 40, 5).values);  // gaps untouched
      EXPECT_EQ(lse, output.lse);

      const Transposed d_out(d_out_values, s, 40, 5);
      Transposed d_q({}, s, 40, 10), d_k({}, s, 70, 10), d_v({}, s, 70, 5);
      AttentionBackward<float> b;
      b.out = out.values.data(), b.out_strides = out.strides, b.lse = lse.data();
      b.d_out = d_out.values.data(), b.d_out_strides = d_out.strides;
      b.d_q = d_q.values.data(), b.d_q_strides = d_q.strides;
      b.d_k = d_k.values.data(), b.d_k_strides = d_k.strides;
      b.d_v = d_v.values.data(), b.d_v_strides = d_v.strides;
      attention_backward(p, b);
      EXPECT_EQ(d_q.values, Transposed(gradients.q, s, 40, 10).values);
      EXPECT_EQ(d_k.values, Transposed(gradients.k, s, 70, 10).values);
      EXPECT_EQ(d_v.values, Transposed(gradients.v, s, 70, 5).values);
    }
}

// One head of keys, values, bias, masks and scale for all heads, and one mask row for all queries.
TEST(AttentionInterface, BroadcastInputs) {
  const Shape s{2, 3, 20, 30, 6, 4};
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(isa);
    const WithIsa forced(isa);
    const Options options{.score = Score::squared_distance, .bias = true, .key_mask = true, .mask = true};
    const Problem<float> one({1, 1, 20, 30, 6, 4}, options);
    Problem<float> full(s, options);
    for (std::int64_t head = 0; head < 6; ++head) {
      std::copy(one.k.begin(), one.k.end(), full.k.begin() + head * 180);
      std::copy(one.v.begin(), one.v.end(), full.v.begin() + head * 120);
      std::copy(one.bias.begin(), one.bias.end(), full.bias.begin() + head * 30);
      if (head < 2) std::copy(one.key_mask.begin(), one.key_mask.end(), full.key_mask.begin() + head * 30);
      for (std::int64_t i = 0; i < 20; ++i) std::copy_n(one.mask.begin(), 30, full.mask.begin() + (head * 20 + i) * 30);
    }
    AttentionParams<float> p = full.params();
    p.k = one.k.data(), p.k_strides = {0, 0, 6};
    p.v = one.v.data(), p.v_strides = {0, 0, 4};
    p.scale_batch_stride = p.scale_head_stride = 0;
    p.bias = one.bias.data(), p.bias_batch_stride = p.bias_head_stride = 0;
    p.key_mask = one.key_mask.data(), p.key_mask_batch_stride = 0;
    p.mask = one.mask.data(), p.mask_strides = {0, 0, 0};
    for (const bool causal : {false, true}) {
      full.options.causal = p.causal = causal;
      Output<float> broadcast{unwritten<float>(480), unwritten<float>(120)};
      attention_forward(p, AttentionForward<float>{broadcast.out.data(), contiguous(s, 20, 4), broadcast.lse.data()});
      const Output<float> expected = run_forward(full);
      EXPECT_EQ(broadcast.out, expected.out);
      EXPECT_EQ(broadcast.lse, expected.lse);
    }
  }
}

template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault(), Fault::usage);
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(AttentionInterface, RefusesWhatDoesNotFit) {
  EXPECT_EQ(message_of([] { run_forward(Problem<float>({1, 1, 2, 2, 513, 4}, {})); }),
            "[attention] expected dim in 1..512, found 513");
  EXPECT_EQ(message_of([] { run_forward(Problem<double>({1, 1, 2, 2, 4, 600}, {})); }),
            "[attention] expected value_dim in 1..512, found 600");
  const Problem<float> problem({2, 2, 3, 4, 5, 6}, {});
  const auto refused = [&](auto change) {
    AttentionParams<float> p = problem.params();
    std::vector<float> out(72), lse(12);
    AttentionForward<float> result{out.data(), contiguous(problem.shape, 3, 6), lse.data()};
    change(p, result);
    return message_of([&] { attention_forward(p, result); });
  };
  EXPECT_EQ(refused([](auto& p, auto&) { p.queries = -1; }),
            "[attention] expected queries in 0..1099511627776, found -1");
  EXPECT_EQ(refused([](auto& p, auto&) { p.dim = 0; }), "[attention] expected dim in 1..512, found 0");
  EXPECT_EQ(refused([](auto& p, auto&) { p.k = nullptr; }), "[attention] expected k, found a null pointer");
  EXPECT_EQ(refused([](auto&, auto& r) { r.lse = nullptr; }), "[attention] expected lse, found a null pointer");
  EXPECT_EQ(refused([](auto&, auto& r) { r.out_strides.row = 5; }),
            "[attention] expected strides of out that keep its rows of 6 apart, found (36, 18, 5)");
  EXPECT_EQ(refused([](auto&, auto& r) { r.out_strides.head = 0; }),
            "[attention] expected strides of out that keep its rows of 6 apart, found (36, 0, 6)");
  const float bad = std::numeric_limits<float>::infinity();
  EXPECT_EQ(refused([&](auto& p, auto&) { p.scale = &bad, p.scale_batch_stride = p.scale_head_stride = 0; }),
            "[attention] expected a finite scale, found inf (batch 0, head 0)");
}

TEST(AttentionInterface, InstructionSets) {
  const std::vector<std::string> names = isa_names();
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.front(), "scalar");
  for (const std::string& name : names) {
    const WithIsa forced(name);
    EXPECT_EQ(isa_name(), name);
  }
  const char* wanted = std::getenv("CALOR_ISA");
  EXPECT_EQ(isa_name(), wanted && *wanted ? wanted : names.back());
  const std::string message = message_of([] { force_isa("abacus"); });
  EXPECT_NE(message.find("\"abacus\""), std::string::npos) << message;
  for (const std::string& name : names) EXPECT_NE(message.find(name), std::string::npos) << message;
#if defined(__x86_64__)
  EXPECT_EQ(std::count(names.begin(), names.end(), "avx2"), __builtin_cpu_supports("avx2") ? 1 : 0);
  EXPECT_EQ(std::count(names.begin(), names.end(), "avx512"), __builtin_cpu_supports("avx512bw") ? 1 : 0);
#endif
}

// Linear in the sizes, never queries x keys.
TEST(AttentionInterface, WorkspaceIsLinear) {
  for (const std::string& isa : isa_names())
    for (const bool backward : {false, true}) {
      const WithIsa forced(isa);
      AttentionParams<float> p;
      const float scale = 1;
      p.batch = 1, p.heads = 1, p.dim = p.value_dim = 64, p.scale = &scale;
      p.q = p.k = p.v = &scale, p.threads = 1;
      p.queries = p.keys = 100'000;
      const std::uint64_t some = attention_workspace(p, backward);
      EXPECT_LE(some, 16 * 4 * 100'000ull * 128);  // a few copies of the inputs; the weights would take 40 GB
      p.queries = p.keys = 200'000;
      EXPECT_LE(attention_workspace(p, backward), 2 * some);
    }
}

// Heads that are worked off together keep some 16 MiB a thread, one head's at least: more threads take up more heads.
TEST(AttentionInterface, WorkspaceGrowsWithTheThreads) {
  for (const std::string& isa : isa_names()) {
    if (isa == "scalar") continue;
    const WithIsa forced(isa);
    AttentionParams<float> p;
    const float scale = 1;
    p.batch = 1, p.heads = 8, p.dim = p.value_dim = 64, p.scale = &scale, p.scale_head_stride = 0;
    p.q = p.k = p.v = &scale, p.queries = p.keys = 16'384;
    for (const int threads : {1, 2, 3, 8}) {
      p.threads = threads;
      EXPECT_LE(attention_workspace(p, true), static_cast<std::uint64_t>(threads) * (17 << 20)) << isa << " " << threads;
      EXPECT_GE(attention_workspace(p, true), static_cast<std::uint64_t>(threads) * (15 << 20)) << isa << " " << threads;
    }
  }
}

}  // namespace
}  // namespace calor::kernels::test
