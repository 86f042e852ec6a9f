// Attention on the edges of a graph, on every instruction set: against its definition in long double, its gradients against differences.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "calor/core/error.h"
#include "calor/core/random.h"
#include "calor/kernels/attention.h"
#include "calor/kernels/edges.h"

namespace calor::kernels::test {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Graph {
  std::vector<std::int64_t> begin{0}, reverse_begin, reverse_edge;
  std::vector<std::int32_t> column, reverse_row;
  std::int64_t columns = 0;

  // Rows of 0 to `most` edges to different columns, at most `gap` apart; row 2 has none.
  Graph(std::int64_t rows, std::int64_t columns_, std::int64_t most, std::uint64_t seed, std::uint64_t gap = 4) : columns(columns_) {
    Random random(seed, Purpose::test);
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto degree = i == 2 ? 0 : static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most) + 1));
      for (std::int64_t j = static_cast<std::int64_t>(random.below(3)); j < columns && static_cast<std::int64_t>(column.size()) - begin.back() < degree; j += 1 + static_cast<std::int64_t>(random.below(gap)))
        column.push_back(static_cast<std::int32_t>(j));
      begin.push_back(static_cast<std::int64_t>(column.size()));
    }
    reverse_begin.assign(static_cast<std::size_t>(columns) + 1, 0);
    for (std::int64_t j = 0; j < columns; ++j) {
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e)
          if (column[e] == j) reverse_row.push_back(static_cast<std::int32_t>(i)), reverse_edge.push_back(e);
      reverse_begin[j + 1] = static_cast<std::int64_t>(reverse_row.size());
    }
  }
  std::int64_t rows() const { return static_cast<std::int64_t>(begin.size()) - 1; }
  std::int64_t edges() const { return begin.back(); }
  EdgePattern pattern() const { return {rows(), columns, begin.data(), column.data(), reverse_begin.data(), reverse_row.data(), reverse_edge.data()}; }
};

template <class T>
std::vector<T> normals(std::int64_t count, std::uint64_t seed, double offset = 0) {
  Random random(seed, Purpose::test, 1);
  std::vector<T> numbers(static_cast<std::size_t>(count));
  for (T& number : numbers) number = static_cast<T>(random.normal() + offset);
  return numbers;
}

// A problem with all its numbers, and gradients that come in.
template <class T>
struct Problem {
  Graph graph;
  std::vector<T> q, k, v, scale, bias, vector, d_out, d_lse, features, key_map, value_map;
  EdgeAttentionParams<T> params;

  // edge_dim: numbers of an edge, with a map to the keys where the score takes one, and one to the values; the graph is then of up to 40 edges a row and a column.
  Problem(EdgeScore score, std::int64_t heads, std::int64_t dim, std::int64_t value_dim, std::int64_t most, double dropout = 0, double offset = 0, std::int64_t edge_dim = 0)
      : graph(40, edge_dim ? 45 : 31, most, 7, edge_dim ? 1 : 4),
        q(normals<T>(40 * heads * dim, 1, offset)),
        k(normals<T>(graph.columns * heads * dim, 2, offset)),
        v(normals<T>(graph.columns * heads * value_dim, 3)),
        scale(normals<T>(heads, 4, 1)),
        bias(normals<T>(graph.edges() * heads, 5)),
        vector(normals<T>(heads * dim, 6)),
        d_out(normals<T>(40 * heads * value_dim, 8)),
        d_lse(normals<T>(40 * heads, 9)),
        features(normals<T>(graph.edges() * edge_dim, 10)),
        key_map(normals<T>(score == EdgeScore::additive ? 0 : heads * dim * edge_dim, 11)),
        value_map(normals<T>(heads * value_dim * edge_dim, 12)) {
    for (T& s : scale) s = std::abs(s) / static_cast<T>(dim) + T(0.1);
    params = {graph.pattern(), score, heads, dim, value_dim, q.data(), k.data(), v.data(), heads * dim, heads * dim, heads * value_dim, scale.data(), bias.data(), vector.data(), T(0.2), dropout, 99, 1};
    if (edge_dim == 0) return;
    params.features = features.data(), params.edge_dim = edge_dim;
    if (!key_map.empty()) params.key_map = key_map.data();
    params.value_map = value_map.data();
  }
};

long double leaky(long double x, long double slope) { return x > 0 ? x : slope * x; }

// What a map makes of an edge's features, at one place of a head.
template <class T>
long double mapped(const EdgeAttentionParams<T>& p, const T* map, std::int64_t place, std::int64_t e) {
  long double sum = 0;
  for (std::int64_t f = 0; map && f < p.edge_dim; ++f) sum += static_cast<long double>(map[place * p.edge_dim + f]) * p.features[e * p.edge_dim + f];
  return sum;
}

template <class T>
long double score_of(const EdgeAttentionParams<T>& p, std::int64_t i, std::int64_t e, std::int64_t h) {
  const T *q = p.q + i * p.q_stride + h * p.dim, *k = p.k + p.pattern.column[e] * p.k_stride + h * p.dim;
  const long double bias = p.bias ? p.bias[e * p.heads + h] : 0, scale = p.scale ? p.scale[h] : 1;
  if (p.score == EdgeScore::additive) return scale * leaky(static_cast<long double>(q[0]) + k[0] + bias, p.slope);
  long double sum = 0;
  for (std::int64_t d = 0; d < p.dim; ++d) {
    const long double x = q[d], y = k[d] + mapped(p, p.key_map, h * p.dim + d, e);
    if (p.score == EdgeScore::dot) sum += x * y;
    if (p.score == EdgeScore::squared_distance) sum -= (x - y) * (x - y);
    if (p.score == EdgeScore::joined) sum += p.vector[h * p.dim + d] * leaky(x + y, p.slope);
  }
  return scale * sum + bias;
}

// out and lse, as the header defines them.
template <class T>
void definition(const EdgeAttentionParams<T>& p, std::vector<long double>& out, std::vector<long double>& lse) {
  out.assign(static_cast<std::size_t>(p.pattern.rows * p.heads * p.value_dim), 0);
  lse.assign(static_cast<std::size_t>(p.pattern.rows * p.heads), -infinity);
  std::vector<double> kept(static_cast<std::size_t>(p.pattern.edges() * p.heads));
  edge_dropout(p.pattern.edges(), p.heads, p.dropout, p.seed, kept.data());
  for (std::int64_t i = 0; i < p.pattern.rows; ++i)
    for (std::int64_t h = 0; h < p.heads; ++h) {
      long double sum = 0;
      for (std::int64_t e = p.pattern.begin[i]; e < p.pattern.begin[i + 1]; ++e) sum += std::exp(score_of(p, i, e, h));
      if (p.pattern.begin[i] == p.pattern.begin[i + 1]) continue;
      lse[i * p.heads + h] = std::log(sum);
      for (std::int64_t e = p.pattern.begin[i]; e < p.pattern.begin[i + 1]; ++e)
        for (std::int64_t d = 0; d < p.value_dim; ++d)
          out[(i * p.heads + h) * p.value_dim + d] +=
              std::exp(score_of(p, i, e, h)) / sum * kept[e * p.heads + h] * (p.v[p.pattern.column[e] * p.v_stride + h * p.value_dim + d] + mapped(p, p.value_map, h * p.value_dim + d, e));
    }
}

void on_every_isa(const std::function<void()>& check) {
  for (const std::string& isa : isa_names()) {
    SCOPED_TRACE(isa);
    force_isa(isa);
    check();
  }
  force_isa("");
}

constexpr EdgeScore scores[] = {EdgeScore::dot, EdgeScore::squared_distance, EdgeScore::additive, EdgeScore::joined};

template <class T>
void expect_definition(double tolerance) {
  for (const EdgeScore score : scores)
    for (const std::int64_t dim : {1, 3, 4, 7, 8, 13, 16, 64, 100})
      for (const std::int64_t heads : {1, 3})
        for (const std::int64_t value_dim : {1, 5, 8, 37, 64}) {
          if (score == EdgeScore::additive && dim > 1) continue;
          SCOPED_TRACE(testing::Message() << "score " << static_cast<int>(score) << " dim " << dim << " heads " << heads << " values " << value_dim);
          const Problem<T> problem(score, heads, dim, value_dim, 20, dim == 7 ? 0.4 : 0);
          std::vector<T> out(problem.d_out.size()), lse(problem.d_lse.size());
          edge_attention_forward(problem.params, out.data(), lse.data());
          std::vector<long double> true_out, true_lse;
          definition(problem.params, true_out, true_lse);
          for (std::size_t n = 0; n < out.size(); ++n) ASSERT_NEAR(out[n], true_out[n], tolerance) << n;
          for (std::size_t n = 0; n < lse.size(); ++n) {
            if (std::isinf(true_lse[n])) ASSERT_EQ(lse[n], -infinity);
            else ASSERT_NEAR(lse[n], true_lse[n], tolerance * 4);
          }
        }
}

TEST(EdgeAttention, IsItsDefinitionInFloat) { on_every_isa([] { expect_definition<float>(2e-5); }); }
TEST(EdgeAttention, IsItsDefinitionInDouble) { on_every_isa([] { expect_definition<double>(1e-13); }); }

// Keys and values that an edge's features add to; rows of more edges than a block.
template <class T>
void expect_definition_with_features(double tolerance) {
  for (const EdgeScore score : scores)
    for (const std::int64_t dim : {1, 5, 16})
      for (const std::int64_t heads : {1, 3})
        for (const std::int64_t edge_dim : {1, 4, 19}) {
          if (score == EdgeScore::additive && dim > 1) continue;
          SCOPED_TRACE(testing::Message() << "score " << static_cast<int>(score) << " dim " << dim << " heads " << heads << " of an edge " << edge_dim);
          const Problem<T> problem(score, heads, dim, 7, 80, dim == 5 ? 0.4 : 0, 0, edge_dim);
          std::vector<T> out(problem.d_out.size()), lse(problem.d_lse.size());
          edge_attention_forward(problem.params, out.data(), lse.data());
          std::vector<long double> true_out, true_lse;
          definition(problem.params, true_out, true_lse);
          for (std::size_t n = 0; n < out.size(); ++n) ASSERT_NEAR(out[n], true_out[n], tolerance) << n;
          for (std::size_t n = 0; n < lse.size(); ++n) {
            if (std::isinf(true_lse[n])) ASSERT_EQ(lse[n], -infinity);
            else ASSERT_NEAR(lse[n], true_lse[n], tolerance * 4);
          }
        }
}

TEST(EdgeFeatures, AreAddedToKeysAndValuesInFloat) { on_every_isa([] { expect_definition_with_features<float>(2e-4); }); }
TEST(EdgeFeatures, AreAddedToKeysAndValuesInDouble) { on_every_isa([] { expect_definition_with_features<double>(1e-12); }); }

TEST(EdgeAttention, AnOffsetOfThePointsCostsADistanceNoDigits) {
  on_every_isa([] {
    const Problem<float> problem(EdgeScore::squared_distance, 2, 16, 4, 10, 0, 1e3);
    std::vector<float> out(problem.d_out.size()), lse(problem.d_lse.size());
    edge_attention_forward(problem.params, out.data(), lse.data());
    std::vector<long double> true_out, true_lse;
    definition(problem.params, true_out, true_lse);
    for (std::size_t n = 0; n < out.size(); ++n) EXPECT_NEAR(out[n], true_out[n], 2e-5);
  });
}

// The loss whose gradients come in.
double loss_of(const Problem<double>& problem) {
  std::vector<double> out(problem.d_out.size()), lse(problem.d_lse.size());
  edge_attention_forward(problem.params, out.data(), lse.data());
  double loss = 0;
  for (std::size_t n = 0; n < out.size(); ++n) loss += out[n] * problem.d_out[n];
  for (std::size_t n = 0; n < lse.size(); ++n)
    if (std::isfinite(lse[n])) loss += lse[n] * problem.d_lse[n];
  return loss;
}

struct Gradients {
  std::vector<double> q, k, v, scale, bias, vector, features, key_map, value_map;
};

Gradients gradients_of(const Problem<double>& problem) {
  std::vector<double> out(problem.d_out.size()), lse(problem.d_lse.size());
  edge_attention_forward(problem.params, out.data(), lse.data());
  Gradients g{std::vector<double>(problem.q.size()), std::vector<double>(problem.k.size()), std::vector<double>(problem.v.size()),
              std::vector<double>(problem.scale.size()), std::vector<double>(problem.bias.size()), std::vector<double>(problem.vector.size()),
              std::vector<double>(problem.features.size()), std::vector<double>(problem.key_map.size()), std::vector<double>(problem.value_map.size())};
  EdgeAttentionBackward<double> backward{out.data(), lse.data(), problem.d_out.data(), problem.d_lse.data(), g.q.data(), g.k.data(), g.v.data(), g.scale.data(), g.bias.data(), nullptr};
  if (problem.params.score == EdgeScore::joined) backward.d_vector = g.vector.data();
  if (problem.params.features) backward.d_features = g.features.data(), backward.d_value_map = g.value_map.data();
  if (problem.params.key_map) backward.d_key_map = g.key_map.data();
  edge_attention_backward(problem.params, backward);
  return g;
}

TEST(EdgeAttention, GradientsAreDifferencesOfTheLoss) {
  on_every_isa([] {
    for (const EdgeScore score : scores)
      for (const std::int64_t dim : {1, 5, 12})
        for (const auto& [dropout, edge_dim] : {std::pair{0.0, 0}, {0.5, 0}, {0.0, 3}, {0.5, 20}}) {
          if (score == EdgeScore::additive && dim > 1) continue;
          SCOPED_TRACE(testing::Message() << "score " << static_cast<int>(score) << " dim " << dim << " dropout " << dropout << " of an edge " << edge_dim);
          Problem<double> problem(score, 3, dim, 6, edge_dim ? 80 : 9, dropout, 0, edge_dim);
          const Gradients g = gradients_of(problem);
          constexpr double step = 1e-6;
          const auto check = [&](std::vector<double>& numbers, const std::vector<double>& gradient, const char* name) {
            const std::size_t stride = std::max<std::size_t>(1, numbers.size() / (edge_dim ? 11 : 40));
            for (std::size_t n = 0; n < numbers.size(); n += stride) {
              const double before = numbers[n];
              numbers[n] = before + step;
              const double above = loss_of(problem);
              numbers[n] = before - step;
              const double below = loss_of(problem);
              numbers[n] = before;
              ASSERT_NEAR(gradient[n], (above - below) / (2 * step), 5e-7) << name << n;
            }
          };
          check(problem.q, g.q, "q");
          check(problem.k, g.k, "k");
          check(problem.v, g.v, "v");
          check(problem.scale, g.scale, "scale");
          check(problem.bias, g.bias, "bias");
          check(problem.features, g.features, "features");
          check(problem.key_map, g.key_map, "key map");
          check(problem.value_map, g.value_map, "value map");
          if (score == EdgeScore::joined) check(problem.vector, g.vector, "vector");
        }
  });
}

// Many pieces: 3,000 rows of up to 40 edges.
TEST(EdgeAttention, HasTheSameBitsForAnyNumberOfThreads) {
  const Graph graph(3000, 2500, 40, 3);
  ASSERT_GT(graph.edges(), 50000);
  const auto q = normals<float>(3000 * 16, 1), k = normals<float>(2500 * 16, 2), v = normals<float>(2500 * 16, 3), d_out = normals<float>(3000 * 16, 4);
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    EdgeAttentionParams<float> params{graph.pattern(), EdgeScore::squared_distance, 2, 8, 8, q.data(), k.data(), v.data(), 16, 16, 16, nullptr, nullptr, nullptr, 0, 0.3, 5, threads};
    std::vector<float> all(static_cast<std::size_t>(3000 * 16 * 2 + 2500 * 32 + 3000 * 2 + 2));
    float *out = all.data(), *lse = out + 3000 * 16, *d_q = lse + 3000 * 2, *d_k = d_q + 3000 * 16, *d_v = d_k + 2500 * 16, *d_scale = d_v + 2500 * 16;
    edge_attention_forward(params, out, lse);
    edge_attention_backward(params, {out, lse, d_out.data(), nullptr, d_q, d_k, d_v, d_scale, nullptr, nullptr});
    if (first.empty()) first = all;
    EXPECT_EQ(std::memcmp(first.data(), all.data(), all.size() * sizeof(float)), 0) << threads;
  }
}

TEST(EdgeFeatures, HaveTheSameBitsForAnyNumberOfThreads) {
  const Graph graph(3000, 2500, 40, 3);
  const auto q = normals<float>(3000 * 8, 1), k = normals<float>(2500 * 8, 2), v = normals<float>(2500 * 8, 3), d_out = normals<float>(3000 * 8, 4), vector = normals<float>(8, 5);
  const auto features = normals<float>(graph.edges() * 3, 6), map = normals<float>(8 * 3, 7);
  std::vector<float> first;
  for (const int threads : {1, 2, 3}) {
    EdgeAttentionParams<float> params{graph.pattern(), EdgeScore::joined, 2, 4, 4, q.data(), k.data(), v.data(), 8, 8, 8, nullptr, nullptr, vector.data(), 0.2F, 0.3, 5, threads};
    params.features = features.data(), params.edge_dim = 3, params.key_map = params.value_map = map.data();
    std::vector<float> out(3000 * 8), lse(3000 * 2), d_q(3000 * 8), d_k(2500 * 8), d_v(2500 * 8), all(static_cast<std::size_t>(graph.edges() * 3 + 48));
    edge_attention_forward(params, out.data(), lse.data());
    EdgeAttentionBackward<float> backward{out.data(), lse.data(), d_out.data(), nullptr, d_q.data(), d_k.data(), d_v.data()};
    backward.d_key_map = all.data(), backward.d_value_map = all.data() + 24, backward.d_features = all.data() + 48;
    edge_attention_backward(params, backward);
    for (const auto& numbers : {out, d_q, d_k, d_v}) all.insert(all.end(), numbers.begin(), numbers.end());
    if (first.empty()) first = all;
    EXPECT_EQ(std::memcmp(first.data(), all.data(), all.size() * sizeof(float)), 0) << threads;
  }
}

TEST(EdgeAttention, RowsOfMinusInfinityWeighNothing) {
  on_every_isa([] {
    Problem<double> problem(EdgeScore::dot, 1, 4, 3, 6);
    for (std::int64_t e = problem.graph.begin[5]; e < problem.graph.begin[6]; ++e) problem.bias[e] = -infinity;
    ASSERT_GT(problem.graph.begin[6], problem.graph.begin[5]);
    std::vector<double> out(problem.d_out.size()), lse(problem.d_lse.size());
    edge_attention_forward(problem.params, out.data(), lse.data());
    EXPECT_EQ(lse[5], -infinity);
    for (int d = 0; d < 3; ++d) EXPECT_EQ(out[15 + d], 0);
    problem.d_lse.assign(problem.d_lse.size(), 0);
    const Gradients g = gradients_of(problem);
    for (int d = 0; d < 4; ++d) EXPECT_EQ(g.q[20 + d], 0);
    for (const double number : g.v) EXPECT_TRUE(std::isfinite(number));
  });
}

TEST(EdgeSums, AreTheirDefinitionWithGradients) {
  on_every_isa([] {
    for (const std::int64_t heads : {1, 4})
      for (const std::int64_t dim : {1, 7, 24}) {
        const Graph graph(30, 22, 12, 11);
        const auto weights = normals<double>(graph.edges() * heads, 1), v = normals<double>(22 * heads * dim, 2), d_out = normals<double>(30 * heads * dim, 3);
        const EdgeSumsParams<double> params{graph.pattern(), heads, dim, weights.data(), v.data(), heads * dim, 1};
        std::vector<double> out(d_out.size()), d_weights(weights.size()), d_v(v.size());
        edge_sums_forward(params, out.data());
        edge_sums_backward(params, d_out.data(), d_weights.data(), d_v.data());
        std::vector<double> true_out(out.size(), 0), true_d_v(v.size(), 0);
        for (std::int64_t i = 0; i < 30; ++i)
          for (std::int64_t e = graph.begin[i]; e < graph.begin[i + 1]; ++e)
            for (std::int64_t h = 0; h < heads; ++h) {
              double product = 0;
              for (std::int64_t d = 0; d < dim; ++d) {
                const std::int64_t at = (i * heads + h) * dim + d, from = (graph.column[e] * heads + h) * dim + d;
                true_out[at] += weights[e * heads + h] * v[from];
                true_d_v[from] += weights[e * heads + h] * d_out[at];
                product += d_out[at] * v[from];
              }
              EXPECT_NEAR(d_weights[e * heads + h], product, 1e-13);
            }
        for (std::size_t n = 0; n < out.size(); ++n) EXPECT_NEAR(out[n], true_out[n], 1e-13);
        for (std::size_t n = 0; n < v.size(); ++n) EXPECT_NEAR(d_v[n], true_d_v[n], 1e-13);
      }
  });
}

TEST(EdgeDropout, KeepsTheShareThatIsAskedForAndItsMean) {
  std::vector<double> factors(200000);
  edge_dropout(50000, 4, 0.3, 12, factors.data());
  double zeros = 0, sum = 0;
  for (const double factor : factors) {
    zeros += factor == 0;
    sum += factor;
    EXPECT_TRUE(factor == 0 || factor == 1 / 0.7);
  }
  EXPECT_NEAR(zeros / 200000, 0.3, 0.006);  // 5 standard deviations
  EXPECT_NEAR(sum / 200000, 1, 0.01);
  std::vector<double> others(200000);
  edge_dropout(50000, 4, 0.3, 13, others.data());
  EXPECT_NE(factors, others);
}

TEST(EdgeAttention, RefusesSizesThatDoNotFit) {
  Problem<float> problem(EdgeScore::dot, 1, 4, 3, 6);
  std::vector<float> out(problem.d_out.size()), lse(problem.d_lse.size());
  problem.params.score = EdgeScore::additive;
  EXPECT_THROW(edge_attention_forward(problem.params, out.data(), lse.data()), Error);
  problem.params.score = EdgeScore::dot;
  problem.params.dropout = 1;
  EXPECT_THROW(edge_attention_forward(problem.params, out.data(), lse.data()), Error);
}

}  // namespace
}  // namespace calor::kernels::test
