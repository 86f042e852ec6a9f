// Attention written out longhand in long double over materialised matrices: independent of the library, and the source
// of the rounding bounds that the float paths are held to.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/kernels/problem.h"

namespace calor::kernels::test {

using Real = long double;

// Largest error that rounding explains, for every result; see reference().
struct Bounds {
  double out = 0, lse = 0, q = 0, k = 0, v = 0, bias = 0, scale = 0;
};

struct Reference {
  Output<Real> output;
  Gradients<Real> gradients;
  Bounds bounds;
};

// Scores, weights and gradients of every head by their formulas, and how far rounding may take them.
//
// Bounds: roundings are taken as independent, each with a relative standard error u (the unit roundoff), and propagated
// in quadrature; the bound is 3 standard errors of the worst element.  A sum of n terms x_j with relative errors r_j has
// the variance  sum (x_j r_j)^2 + u^2 n (S^2 + sum x_j^2),  its partial sums being of the size of its value S or of a
// random walk.  So, with |.| the largest element where a vector is meant,
//   score   u A_ij,  A = scale |q||k| + |bias| (Euclidean norms; distances: scale (|q| + |k|)^2, points centred on the
//           mean of the visible keys)
//   lse     the score's, and u (1 + |lse| + A)
//   P       relative: that of the score, of lse, and 2 u for the exponential
//   dS      P (d_out.v - d_out.out + d_lse): dS times P's, and P times 2 u (|d_out||v| + |d_out||out| + |d_lse|)
//   out, d_q, d_k, d_v, d_bias, d_scale: sums of those.  What is common to a row (lse, d_out.out) does not average out
//           over its keys and is added as such.
template <class T>
Reference reference(const Problem<T>& p, const std::vector<T>& d_out, const std::vector<T>& d_lse, double spacing) {
  constexpr Real standard_errors = 3;
  const Real u = spacing / 2;
  const Shape& s = p.shape;
  const std::int64_t heads = s.batch * s.heads, N = s.queries, M = s.keys, d = s.dim, dv = s.value_dim;
  const bool l2 = p.options.score == Score::squared_distance;
  const Real infinity = std::numeric_limits<Real>::infinity();
  Reference r;
  r.output.out.assign(heads * N * dv, 0), r.output.lse.assign(heads * N, -infinity);
  r.gradients.q.assign(heads * N * d, 0);
  r.gradients.k.assign(heads * M * d, 0), r.gradients.v.assign(heads * M * dv, 0);
  r.gradients.bias.assign(heads * M, 0), r.gradients.scale.assign(heads, 0);
  const auto square = [](Real x) { return x * x; };
  const auto length = [&](const auto* x, std::int64_t n) {
    Real sum = 0;
    for (std::int64_t c = 0; c < n; ++c) sum += square(x[c]);
    return std::sqrt(sum);
  };
  const auto largest = [](const auto* x, std::int64_t n) {
    Real most = 0;
    for (std::int64_t c = 0; c < n; ++c) most = std::max(most, std::abs(Real(x[c])));
    return most;
  };
  const auto grow = [&](double& bound, Real variance) {
    bound = std::max(bound, static_cast<double>(standard_errors * std::sqrt(variance)));
  };
  // Variance of a sum of n terms: `errors` the sum of their variances, `squares` of their squares, `value` itself.
  const auto of_sum = [&](Real errors, std::int64_t n, Real value, Real squares) {
    return errors + u * u * n * (value * value + squares);
  };

  for (std::int64_t head = 0; head < heads; ++head) {
    const std::int64_t b = head / s.heads, h = head % s.heads;
    const T *q = p.q.data() + head * N * d, *k = p.k.data() + head * M * d, *v = p.v.data() + head * M * dv;
    const Real scale = p.scale[head];
    std::vector<Real> near_q(q, q + N * d), near_k(k, k + M * d), centre(d, 0);  // relative to the centre
    std::int64_t seen_keys = 0;
    for (std::int64_t j = 0; l2 && j < M; ++j) {
      bool seen = false;
      for (std::int64_t i = 0; i < N; ++i) seen |= p.visible(b, h, i, j);
      seen_keys += seen;
      for (std::int64_t c = 0; seen && c < d; ++c) centre[c] += k[j * d + c];
    }
    for (std::int64_t c = 0; seen_keys > 0 && c < d; ++c) {
      for (std::int64_t i = 0; i < N; ++i) near_q[i * d + c] -= centre[c] / seen_keys;
      for (std::int64_t j = 0; j < M; ++j) near_k[j * d + c] -= centre[c] / seen_keys;
    }
    struct Sum {
      Real errors = 0, squares = 0;
    };
    std::vector<Sum> for_k(M), for_v(M), for_bias(M);
    Sum for_scale;
    for (std::int64_t i = 0; i < N; ++i) {
      std::vector<Real> score(M, -infinity), magnitude(M, 0);
      Real max = -infinity, sum = 0, worst = 0;
      const Real q_length = length(&near_q[i * d], d), q_largest = largest(&near_q[i * d], d);
      const auto similarity = [&](std::int64_t j) {
        Real value = 0;
        for (std::int64_t c = 0; c < d; ++c)
          value += l2 ? -square(Real(q[i * d + c]) - k[j * d + c]) : Real(q[i * d + c]) * k[j * d + c];
        return value;
      };
      const auto reach = [&](std::int64_t j) {
        const Real k_length = length(&near_k[j * d], d);
        return l2 ? square(q_length + k_length) : q_length * k_length;
      };
      for (std::int64_t j = 0; j < M; ++j) {
        if (!p.visible(b, h, i, j)) continue;
        const Real bias = p.bias.empty() ? 0 : p.bias[head * M + j];
        score[j] = scale * similarity(j) + bias;
        magnitude[j] = std::abs(scale) * reach(j) + std::abs(bias);
        max = std::max(max, score[j]);
      }
      if (max == -infinity) continue;
      for (std::int64_t j = 0; j < M; ++j) sum += std::exp(score[j] - max);
      const Real lse = max + std::log(sum);
      r.output.lse[head * N + i] = lse;
      for (std::int64_t j = 0; j < M; ++j) worst = std::max(worst, std::exp(score[j] - lse) * magnitude[j]);
      const Real lse_variance = square(u) * (square(worst) + square(1 + std::abs(lse) + worst));
      grow(r.bounds.lse, lse_variance);

      std::vector<Real> weight(M, 0);
      Real* out = r.output.out.data() + (head * N + i) * dv;
      Sum for_out;
      for (std::int64_t j = 0; j < M; ++j) {
        weight[j] = std::exp(score[j] - lse);
        if (weight[j] == 0) continue;
        for (std::int64_t c = 0; c < dv; ++c) out[c] += weight[j] * v[j * dv + c];
        const Real term = square(weight[j] * largest(v + j * dv, dv));
        for_out.squares += term;
        for_out.errors += term * square(u) * (square(magnitude[j]) + 4);
      }
      grow(r.bounds.out, of_sum(for_out.errors, M + 4, largest(out, dv), for_out.squares));
      if (d_out.empty()) continue;

      const T* g = d_out.data() + (head * N + i) * dv;
      const Real through_lse = d_lse.empty() ? 0 : d_lse[head * N + i];
      const Real g_length = length(g, dv), g_largest = largest(g, dv), row_error = 2 * u * g_length * length(out, dv);
      Real through_row = through_lse;
      for (std::int64_t c = 0; c < dv; ++c) through_row -= g[c] * out[c];
      Sum for_q;
      std::vector<Real> mean_key(d, 0);
      for (std::int64_t j = 0; j < M; ++j) {
        if (weight[j] == 0) continue;
        Real through_value = 0;
        for (std::int64_t c = 0; c < dv; ++c) {
          through_value += Real(g[c]) * v[j * dv + c];
          r.gradients.v[(head * M + j) * dv + c] += weight[j] * g[c];
        }
        const Real d_score = weight[j] * (through_value + through_row);
        r.gradients.bias[head * M + j] += d_score;
        for (std::int64_t c = 0; c < d; ++c) {
          const Real x = q[i * d + c], y = k[j * d + c];
          r.gradients.q[(head * N + i) * d + c] += scale * d_score * (l2 ? 2 * (y - x) : y);
          r.gradients.k[(head * M + j) * d + c] += scale * d_score * (l2 ? 2 * (x - y) : x);
          mean_key[c] += weight[j] * near_k[j * d + c];
        }
        r.gradients.scale[head] += d_score * similarity(j);

        const Real k_largest = largest(&near_k[j * d], d);
        const Real weight_variance = square(u) * (square(magnitude[j]) + 4) + lse_variance;  // relative
        const Real size = g_length * length(v + j * dv, dv) + g_length * length(out, dv) + std::abs(through_lse);
        const Real score_variance = square(d_score) * weight_variance + square(weight[j] * 2 * u * size);
        const auto add = [&](Sum& to, Real factor) {
          to.errors += score_variance * square(factor);
          to.squares += square(d_score * factor);
        };
        add(for_bias[j], 1);
        add(for_k[j], std::abs(scale) * (l2 ? 2 * (q_largest + k_largest) : q_largest));
        add(for_q, std::abs(scale) * (l2 ? 2 : 1) * k_largest);
        add(for_scale, reach(j));
        for_v[j].errors += square(weight[j] * g_largest) * weight_variance;
        for_v[j].squares += square(weight[j] * g_largest);
      }
      const Real d_q = largest(r.gradients.q.data() + (head * N + i) * d, d);
      const Real common = square(std::abs(scale) * (l2 ? 2 : 1) * row_error * largest(mean_key.data(), d)) +
                          square(2 * u * scale * through_lse * q_largest) * l2 + lse_variance * square(d_q);
      grow(r.bounds.q, of_sum(for_q.errors + common, M, d_q, for_q.squares));
      for_scale.errors += square(row_error * q_length * length(mean_key.data(), d)) +
                          square(u * through_lse * square(q_length)) * l2;
    }
    for (std::int64_t j = 0; j < M; ++j) {
      const std::int64_t row = head * M + j;
      grow(r.bounds.k, of_sum(for_k[j].errors, N, largest(&r.gradients.k[row * d], d), for_k[j].squares));
      grow(r.bounds.v, of_sum(for_v[j].errors, N, largest(&r.gradients.v[row * dv], dv), for_v[j].squares));
      grow(r.bounds.bias, of_sum(for_bias[j].errors, N, std::abs(r.gradients.bias[row]), for_bias[j].squares));
    }
    grow(r.bounds.scale, of_sum(for_scale.errors, M + N, std::abs(r.gradients.scale[head]), for_scale.squares));
  }
  return r;
}

// Largest |a - b|; infinity when one is NaN or only one is infinite.
template <class T, class U>
double largest_error(const std::vector<T>& a, const std::vector<U>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  for (std::size_t n = 0; n < a.size(); ++n) {
    if (static_cast<Real>(a[n]) == static_cast<Real>(b[n])) continue;
    const double error = static_cast<double>(std::abs(static_cast<Real>(a[n]) - static_cast<Real>(b[n])));
    worst = error <= worst ? worst : std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
  }
  return worst;
}

}  // namespace calor::kernels::test

#define EXPECT_WITHIN_BOUNDS(found_output, found_gradients, truth)                              \
  do {                                                                                           \
    EXPECT_LE(largest_error((found_output).out, (truth).output.out), (truth).bounds.out);        \
    EXPECT_LE(largest_error((found_output).lse, (truth).output.lse), (truth).bounds.lse);        \
    EXPECT_LE(largest_error((found_gradients).q, (truth).gradients.q), (truth).bounds.q);        \
    EXPECT_LE(largest_error((found_gradients).k, (truth).gradients.k), (truth).bounds.k);        \
    EXPECT_LE(largest_error((found_gradients).v, (truth).gradients.v), (truth).bounds.v);        \
    EXPECT_LE(largest_error((found_gradients).bias, (truth).gradients.bias), (truth).bounds.bias); \
    EXPECT_LE(largest_error((found_gradients).scale, (truth).gradients.scale), (truth).bounds.scale); \
  } while (false)
