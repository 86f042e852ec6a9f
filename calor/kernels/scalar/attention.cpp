#include "calor/kernels/scalar/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "calor/core/threads.h"
#include "calor/kernels/pairwise.h"

namespace calor::kernels::scalar {

// Keys visible to row i and their scores.
struct VisibleScores {
  std::vector<std::int64_t> keys;
  std::vector<double> scores;

  template <class S, class T>
  void gather(S, const Head<T>& head, std::int64_t i) {
    keys.clear();
    scores.clear();
    for (std::int64_t j = 0; j < head.params().keys; ++j) {
      if (!head.visible(i, j)) continue;
      keys.push_back(j);
      scores.push_back(head.scale() * S::similarity(head.q(i), head.k(j), head.params().dim) + head.bias(j));
    }
  }
};

template <class T>
void forward_rows(const Head<T>& head, const AttentionForward<T>& result, std::int64_t begin, std::int64_t end) {
  const AttentionParams<T>& p = head.params();
  VisibleScores row;
  std::vector<double> out(p.value_dim);
  for (std::int64_t i = begin; i < end; ++i) {
    with_score(p.score, [&](auto score) { row.gather(score, head, i); });
    std::fill(out.begin(), out.end(), 0.0);
    double lse = -std::numeric_limits<double>::infinity();
    if (!row.keys.empty()) {
      const double max = *std::max_element(row.scores.begin(), row.scores.end());
      double sum = 0;
      for (const double s : row.scores) sum += std::exp(s - max);
      lse = max + std::log(sum);
      for (std::size_t n = 0; n < row.keys.size(); ++n) {
        const double weight = std::exp(row.scores[n] - max) / sum;
        const T* v = head.v(row.keys[n]);
        for (std::int64_t c = 0; c < p.value_dim; ++c) out[c] += weight * v[c];
      }
    }
    std::copy(out.begin(), out.end(), head.row(result.out, result.out_strides, i));
    result.lse[head.index() * p.queries + i] = static_cast<T>(lse);
  }
}

template <class T>
void backward_head(const Head<T>& head, const AttentionBackward<T>& result) {
  const AttentionParams<T>& p = head.params();
  VisibleScores row;
  std::vector<double> d_q(p.dim), d_k(p.keys * p.dim), d_v(p.keys * p.value_dim), d_bias(p.keys);
  double d_scale = 0;
  for (std::int64_t i = 0; i < p.queries; ++i) {
    with_score(p.score, [&](auto score) { row.gather(score, head, i); });
    std::fill(d_q.begin(), d_q.end(), 0.0);
    const double lse = result.lse[head.index() * p.queries + i];
    const T* d_out = head.row(result.d_out, result.d_out_strides, i);
    // Row i's loss gradient reaches s_ij through out as P_ij (d_out.v_j - d_out.out) and through lse as P_ij d_lse.
    double through_row = 0;
    if (!row.keys.empty()) {
      through_row = -DotScore::similarity(d_out, head.row(result.out, result.out_strides, i), p.value_dim);
      if (result.d_lse) through_row += result.d_lse[head.index() * p.queries + i];
    }
    for (std::size_t n = 0; n < row.keys.size(); ++n) {
      const std::int64_t j = row.keys[n];
      const double weight = std::exp(row.scores[n] - lse);
      const double d_score = weight * (DotScore::similarity(d_out, head.v(j), p.value_dim) + through_row);
      for (std::int64_t c = 0; c < p.value_dim; ++c) d_v[j * p.value_dim + c] += weight * d_out[c];
      d_bias[j] += d_score;
      with_score(p.score, [&](auto score) {
        d_scale += d_score * score.similarity(head.q(i), head.k(j), p.dim);
        score.add_gradient(head.q(i), head.k(j), p.dim, head.scale() * d_score, d_q.data(), d_k.data() + j * p.dim);
      });
    }
    std::copy(d_q.begin(), d_q.end(), head.row(result.d_q, result.d_q_strides, i));
  }
  for (std::int64_t j = 0; j < p.keys; ++j) {
    std::copy_n(d_k.data() + j * p.dim, p.dim, head.row(result.d_k, result.d_k_strides, j));
    std::copy_n(d_v.data() + j * p.value_dim, p.value_dim, head.row(result.d_v, result.d_v_strides, j));
  }
  if (result.d_bias) std::copy(d_bias.begin(), d_bias.end(), result.d_bias + head.index() * p.keys);
  if (result.d_scale) result.d_scale[head.index()] = static_cast<T>(d_scale);
}

template <class T>
void forward(const AttentionParams<T>& params, const AttentionForward<T>& result) {
  constexpr std::int64_t rows = 32;
  const std::int64_t blocks = (params.queries + rows - 1) / rows;
  parallel_for(params.batch * params.heads * blocks, params.threads, [&](std::int64_t piece) {
    const std::int64_t begin = piece % blocks * rows;
    forward_rows(Head<T>(params, piece / blocks), result, begin, std::min(begin + rows, params.queries));
  });
}

template <class T>
void backward(const AttentionParams<T>& params, const AttentionBackward<T>& result) {
  parallel_for(params.batch * params.heads, params.threads,
               [&](std::int64_t index) { backward_head(Head<T>(params, index), result); });
}

template <class T>
std::uint64_t workspace_bytes(const AttentionParams<T>& params, bool backward) {
  const std::int64_t threads = params.threads > 0 ? params.threads : available_threads();
  const std::int64_t row = params.keys * 2 + params.value_dim;
  const std::int64_t head = backward ? params.keys * (params.dim + params.value_dim + 1) + params.dim : 0;
  return sizeof(double) * static_cast<std::uint64_t>(threads * (row + head));
}

template void forward_rows(const Head<float>&, const AttentionForward<float>&, std::int64_t, std::int64_t);
template void backward_head(const Head<float>&, const AttentionBackward<float>&);
template void forward(const AttentionParams<float>&, const AttentionForward<float>&);
template void forward(const AttentionParams<double>&, const AttentionForward<double>&);
template void backward(const AttentionParams<float>&, const AttentionBackward<float>&);
template void backward(const AttentionParams<double>&, const AttentionBackward<double>&);
template std::uint64_t workspace_bytes(const AttentionParams<float>&, bool);
template std::uint64_t workspace_bytes(const AttentionParams<double>&, bool);

}  // namespace calor::kernels::scalar
