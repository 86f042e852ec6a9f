// A small attention problem that owns its tensors, for the tests of this folder.  Everything is random normal from a
// fixed seed and contiguous, [batch, heads, rows, dim]; tests overwrite what they are about.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "calor/core/random.h"
#include "calor/kernels/attention.h"

namespace calor::kernels::test {

struct Shape {
  std::int64_t batch = 1, heads = 1, queries = 1, keys = 1, dim = 1, value_dim = 1;
};

struct Options {
  Score score = Score::dot;
  bool bias = false, key_mask = false, mask = false, causal = false;
  double density = 0.7;  // of the masks
  std::uint64_t seed = 1;
  std::int64_t own_key = -1;
};

inline Strides contiguous(const Shape& s, std::int64_t rows, std::int64_t dim) {
  return {s.heads * rows * dim, rows * dim, dim};
}

template <class T>
struct Problem {
  Shape shape;
  Options options;
  std::vector<T> q, k, v, scale, bias;
  std::vector<std::uint8_t> key_mask, mask;
  int threads = 1;

  Problem(const Shape& s, const Options& o) : shape(s), options(o) {
    Random random(o.seed, Purpose::test);
    const auto normal = [&](std::int64_t count) {
      std::vector<T> x(count);
      for (T& value : x) value = static_cast<T>(static_cast<float>(random.normal()));  // the same values as float
      return x;
    };
    const auto coin = [&](std::int64_t count) {
      std::vector<std::uint8_t> x(count);
      for (auto& value : x) value = random.uniform() < o.density;
      return x;
    };
    const std::int64_t heads = s.batch * s.heads;
    q = normal(heads * s.queries * s.dim);
    k = normal(heads * s.keys * s.dim);
    v = normal(heads * s.keys * s.value_dim);
    scale.assign(heads, static_cast<T>(static_cast<float>(0.8 / std::sqrt(static_cast<double>(s.dim)))));
    if (o.bias) bias = normal(heads * s.keys);
    if (o.key_mask) key_mask = coin(s.batch * s.keys);
    if (o.mask) mask = coin(heads * s.queries * s.keys);
  }

  // The same problem in the other precision.
  template <class U>
  Problem<U> as() const {
    Problem<U> other(Shape{0, 0, 0, 0, 1, 1}, Options{});
    other.shape = shape;
    other.options = options;
    other.q.assign(q.begin(), q.end());
    other.k.assign(k.begin(), k.end());
    other.v.assign(v.begin(), v.end());
    other.scale.assign(scale.begin(), scale.end());
    other.bias.assign(bias.begin(), bias.end());
    other.key_mask = key_mask;
    other.mask = mask;
    return other;
  }

  AttentionParams<T> params() const {
    const Shape& s = shape;
    AttentionParams<T> p;
    p.score = options.score;
    p.batch = s.batch, p.heads = s.heads, p.queries = s.queries, p.keys = s.keys;
    p.dim = s.dim, p.value_dim = s.value_dim;
    p.q = q.data(), p.k = k.data(), p.v = v.data(), p.scale = scale.data();
    p.q_strides = contiguous(s, s.queries, s.dim);
    p.k_strides = contiguous(s, s.keys, s.dim);
    p.v_strides = contiguous(s, s.keys, s.value_dim);
    p.scale_batch_stride = s.heads, p.scale_head_stride = 1;
    if (!bias.empty()) p.bias = bias.data(), p.bias_batch_stride = s.heads * s.keys, p.bias_head_stride = s.keys;
    if (!key_mask.empty()) p.key_mask = key_mask.data(), p.key_mask_batch_stride = s.keys;
    if (!mask.empty()) p.mask = mask.data(), p.mask_strides = contiguous(s, s.queries, s.keys);
    p.causal = options.causal;
    p.own_key = options.own_key;
    p.threads = threads;
    return p;
  }

  // Written without the library: which pairs count.
  bool visible(std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) const {
    const std::int64_t head = b * shape.heads + h;
    if (options.causal && j > i) return false;
    if (options.own_key >= 0 && j == options.own_key + i) return false;
    if (!key_mask.empty() && !key_mask[b * shape.keys + j]) return false;
    if (!mask.empty() && !mask[(head * shape.queries + i) * shape.keys + j]) return false;
    return bias.empty() || !(std::isinf(bias[head * shape.keys + j]) && bias[head * shape.keys + j] < 0);
  }
};

template <class T>
struct Output {
  std::vector<T> out, lse;
};

template <class T>
struct Gradients {
  std::vector<T> q, k, v, bias, scale;
};

// Results start as NaN, so that an element nobody writes is seen.
template <class T>
std::vector<T> unwritten(std::int64_t count) {
  return std::vector<T>(count, std::numeric_limits<T>::quiet_NaN());
}

template <class T>
Output<T> run_forward(const Problem<T>& problem) {
  const Shape& s = problem.shape;
  const std::int64_t rows = s.batch * s.heads * s.queries;
  Output<T> result{unwritten<T>(rows * s.value_dim), unwritten<T>(rows)};
  attention_forward(problem.params(), AttentionForward<T>{result.out.data(), contiguous(s, s.queries, s.value_dim),
                                                          result.lse.data()});
  return result;
}

// d_lse may be empty.
template <class T>
Gradients<T> run_backward(const Problem<T>& problem, const Output<T>& output, const std::vector<T>& d_out,
                          const std::vector<T>& d_lse) {
  const Shape& s = problem.shape;
  const std::int64_t heads = s.batch * s.heads;
  Gradients<T> result{unwritten<T>(problem.q.size()), unwritten<T>(problem.k.size()), unwritten<T>(problem.v.size()),
                      unwritten<T>(heads * s.keys), unwritten<T>(heads)};
  AttentionBackward<T> b;
  b.out = output.out.data(), b.out_strides = contiguous(s, s.queries, s.value_dim);
  b.lse = output.lse.data();
  b.d_out = d_out.data(), b.d_out_strides = b.out_strides;
  b.d_lse = d_lse.empty() ? nullptr : d_lse.data();
  b.d_q = result.q.data(), b.d_q_strides = contiguous(s, s.queries, s.dim);
  b.d_k = result.k.data(), b.d_k_strides = contiguous(s, s.keys, s.dim);
  b.d_v = result.v.data(), b.d_v_strides = contiguous(s, s.keys, s.value_dim);
  b.d_bias = result.bias.data(), b.d_scale = result.scale.data();
  attention_backward(problem.params(), b);
  return result;
}

template <class T>
std::vector<T> random_like(const std::vector<T>& x, std::uint64_t seed) {
  Random random(seed, Purpose::noise);
  std::vector<T> y(x.size());
  for (T& value : y) value = static_cast<T>(static_cast<float>(random.normal()));
  return y;
}

// Forces an instruction set for a scope.
class WithIsa {
 public:
  explicit WithIsa(const std::string& name) { force_isa(name); }
  ~WithIsa() { force_isa(""); }
  WithIsa(const WithIsa&) = delete;
  WithIsa& operator=(const WithIsa&) = delete;
};

inline std::string describe(const Shape& s, const Options& o, const std::string& isa = "") {
  return fmt::format("{} [{}, {}, {} x {}, {}, {}] {}{}{}{}{}{}", isa, s.batch, s.heads, s.queries, s.keys, s.dim,
                     s.value_dim, o.score == Score::dot ? "dot" : "l2", o.bias ? " bias" : "",
                     o.key_mask ? " key_mask" : "", o.mask ? " mask" : "", o.causal ? " causal" : "",
                     o.own_key >= 0 ? fmt::format(" own_key {}", o.own_key) : "");
}

}  // namespace calor::kernels::test
