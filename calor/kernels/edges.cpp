#include "calor/kernels/edges.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "calor/core/error.h"
#include "calor/kernels/edge_dropout.h"
#include "calor/kernels/edge_pieces.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {
namespace {

// Asks for numbers that will be read soon.
template <class T>
void fetch(const T* numbers, std::int64_t count) {
  constexpr std::int64_t line = 64 / sizeof(T), most = 1024 / sizeof(T);
  for (std::int64_t n = 0; n < std::min(count, most); n += line) __builtin_prefetch(numbers + n);
}

void check(bool fits, const char* what, std::int64_t found) {
  require(fits, Fault::usage, "[edge_attention] expected {}, found {}", what, found);
}

template <class T>
void check(const EdgeAttentionParams<T>& p) {
  check(p.heads >= 1, "at least one head", p.heads);
  check(p.dim >= 1 && p.value_dim >= 1, "at least one feature a head", std::min(p.dim, p.value_dim));
  check(p.score != EdgeScore::additive || p.dim == 1, "features of one number a head for an additive score", p.dim);
  check(p.score != EdgeScore::joined || p.vector, "a vector for a joined score", 0);
  require(p.dropout >= 0 && p.dropout < 1, Fault::usage, "[edge_attention] expected a dropout from 0 to below 1, found {}", p.dropout);
}

// A row of an attention problem: its edges, and the scores of them.
template <class T>
class Scorer {
 public:
  explicit Scorer(const EdgeAttentionParams<T>& params) : p_(params), rows_(edge_rows<T>(current_isa().edges())) {}

  EdgeRow<T> compared(std::int64_t i) const {
    EdgeRow<T> row{p_.q + i * p_.q_stride, p_.k, p_.k_stride, p_.pattern.column + p_.pattern.begin[i], degree(i), p_.heads, p_.dim};
    row.known = p_.pattern.edges() - p_.pattern.begin[i];
    row.also = p_.v, row.also_stride = p_.v_stride, row.also_width = p_.heads * p_.value_dim;
    row.vector = p_.vector;
    row.slope = p_.slope;
    return row;
  }
  EdgeRow<T> valued(std::int64_t i, const T* own) const {
    return {own, p_.v, p_.v_stride, p_.pattern.column + p_.pattern.begin[i], degree(i), p_.heads, p_.value_dim};
  }
  std::int64_t degree(std::int64_t i) const { return p_.pattern.begin[i + 1] - p_.pattern.begin[i]; }
  T scale(std::int64_t h) const { return p_.scale ? p_.scale[h] : T(1); }

  // scores[h][e]; before scale and bias where `raw` is given: that then has them so.
  void scores(std::int64_t i, T* scores, T* raw = nullptr) const {
    const EdgeRow<T> row = compared(i);
    const std::int64_t n = row.count, first = p_.pattern.begin[i];
    const T* bias = p_.bias ? p_.bias + first * p_.heads : nullptr;
    if (p_.score == EdgeScore::additive) {
      T* sums = raw ? raw : scores;
      for (std::int64_t e = 0; e < n; ++e) {
        const T* other = row.others + row.column[e] * row.stride;
        for (std::int64_t h = 0; h < p_.heads; ++h) sums[h * n + e] = row.own[h] + other[h] + (bias ? bias[e * p_.heads + h] : T(0));
      }
      for (std::int64_t h = 0; h < p_.heads; ++h) {
        const T above = scale(h), below = p_.slope * above;
        for (std::int64_t e = 0; e < n; ++e) scores[h * n + e] = sums[h * n + e] * (sums[h * n + e] > 0 ? above : below);
      }
      return;
    }
    (p_.score == EdgeScore::dot ? rows_.products : p_.score == EdgeScore::squared_distance ? rows_.squares : rows_.joined)(row, scores);
    if (raw) std::copy_n(scores, n * p_.heads, raw);
    const T sign = p_.score == EdgeScore::squared_distance ? T(-1) : T(1);
    for (std::int64_t h = 0; h < p_.heads; ++h) {
      const T factor = sign * scale(h);
      for (std::int64_t e = 0; e < n; ++e) scores[h * n + e] = factor * scores[h * n + e] + (bias ? bias[e * p_.heads + h] : T(0));
    }
  }
  const EdgeRows<T>& kernels() const { return rows_; }

 private:
  const EdgeAttentionParams<T>& p_;
  const EdgeRows<T>& rows_;
};

}  // namespace

template <class T>
void edge_attention_forward(const EdgeAttentionParams<T>& p, T* out, T* lse) {
  check(p);
  const Scorer<T> scorer(p);
  const EdgeDropout dropout(p.dropout, p.seed);
  const std::int64_t width = p.heads * p.value_dim;
  for_each_piece(pieces_of(p.pattern.begin, p.pattern.rows), p.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) {
    T* weights = memory.take<T>(most_edges(p.pattern.begin, first, end) * p.heads);
    T* kept = memory.take<T>(p.heads);
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t n = scorer.degree(i);
      if (n == 0) {
        std::fill_n(out + i * width, width, T(0));
        std::fill_n(lse + i * p.heads, p.heads, -std::numeric_limits<T>::infinity());
        continue;
      }
      scorer.scores(i, weights);
      scorer.kernels().softmax(weights, n, p.heads, lse + i * p.heads);
      if (dropout.active())
        for (std::int64_t e = 0; e < n; ++e) {
          dropout.factors(p.pattern.begin[i] + e, p.heads, kept);
          for (std::int64_t h = 0; h < p.heads; ++h) weights[h * n + e] *= kept[h];
        }
      scorer.kernels().rows(scorer.valued(i, nullptr), weights, out + i * width);
    }
  });
}

template <class T>
void edge_attention_backward(const EdgeAttentionParams<T>& p, const EdgeAttentionBackward<T>& r) {
  check(p);
  const Scorer<T> scorer(p);
  const EdgeRows<T>& kernels = scorer.kernels();
  const EdgeDropout dropout(p.dropout, p.seed);
  const std::int64_t heads = p.heads, width = heads * p.dim, value_width = heads * p.value_dim;
  const WorkspaceScope problem(WorkspaceScope::Use::problem);
  // Of every edge what its column needs later, head by head next to each other: the weight of its value, and the gradient of its score.
  T* kept_of = problem->take<T>(p.pattern.edges() * heads * 2);
  const std::vector<std::int64_t> pieces = pieces_of(p.pattern.begin, p.pattern.rows);
  const std::int64_t count = static_cast<std::int64_t>(pieces.size()) - 1;
  std::vector<T> scale_parts(static_cast<std::size_t>(r.d_scale ? count * heads : 0)), vector_parts(static_cast<std::size_t>(r.d_vector ? count * width : 0));
  const bool additive = p.score == EdgeScore::additive, squared = p.score == EdgeScore::squared_distance, joined = p.score == EdgeScore::joined;

  for_each_piece(pieces, p.threads, [&](std::int64_t piece, std::int64_t first, std::int64_t end, Workspace& memory) {
    const std::int64_t most = most_edges(p.pattern.begin, first, end) * heads;
    T *weights = memory.take<T>(most), *gradients = memory.take<T>(most), *raw = memory.take<T>(most), *leaks = memory.take<T>(width);
    T* kept = memory.take<T>(most);
    std::fill_n(kept, most, T(1));
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t n = scorer.degree(i), edge = p.pattern.begin[i];
      T* d_q = r.d_q + i * width;
      if (n == 0) {
        std::fill_n(d_q, width, T(0));
        continue;
      }
      const T* d_out = r.d_out + i * value_width;
      scorer.scores(i, weights, raw);
      kernels.exponentials(weights, n, heads, r.lse + i * heads);
      kernels.products(scorer.valued(i, d_out), gradients);
      if (dropout.active())
        for (std::int64_t e = 0; e < n; ++e) dropout.factors(edge + e, heads, kept + e * heads);
      for (std::int64_t h = 0; h < heads; ++h) {
        T flow = r.d_lse ? r.d_lse[i * heads + h] : T(0);
        for (std::int64_t d = h * p.value_dim; d < (h + 1) * p.value_dim; ++d) flow -= d_out[d] * r.out[i * value_width + d];
        T* w = weights + h * n;
        T* g = gradients + h * n;
        for (std::int64_t e = 0; e < n; ++e) {
          const std::int64_t number = (edge + e) * heads + h;
          const T share = kept[e * heads + h];
          g[e] = w[e] * (g[e] * share + flow);
          kept_of[2 * number] = w[e] * share;
        }
        if (r.d_scale) {
          T sum = 0;
          for (std::int64_t e = 0; e < n; ++e) {
            const T score = raw[h * n + e];
            sum += g[e] * (squared ? -score : additive && !(score > 0) ? p.slope * score : score);
          }
          scale_parts[piece * heads + h] += sum;
        }
        if (r.d_bias && !additive)
          for (std::int64_t e = 0; e < n; ++e) r.d_bias[(edge + e) * heads + h] = g[e];
        const T scale = scorer.scale(h);
        for (std::int64_t e = 0; e < n; ++e) {
          g[e] *= additive && !(raw[h * n + e] > 0) ? p.slope * scale : scale;
          kept_of[2 * ((edge + e) * heads + h) + 1] = g[e];
        }
        if (r.d_bias && additive)
          for (std::int64_t e = 0; e < n; ++e) r.d_bias[(edge + e) * heads + h] = g[e];
      }
      const EdgeRow<T> row = scorer.compared(i);
      if (additive) {
        for (std::int64_t h = 0; h < heads; ++h) {
          T sum = 0;
          for (std::int64_t e = 0; e < n; ++e) sum += gradients[h * n + e];
          d_q[h] = sum;
        }
      } else if (squared) {
        kernels.differences(row, gradients, d_q);
        for (std::int64_t d = 0; d < width; ++d) d_q[d] *= 2;
      } else if (joined) {
        kernels.slopes(row, gradients, d_q);
        for (std::int64_t d = 0; d < width; ++d) d_q[d] *= p.vector[d];
        if (r.d_vector) {
          kernels.leaks(row, gradients, leaks);
          for (std::int64_t d = 0; d < width; ++d) vector_parts[piece * width + d] += leaks[d];
        }
      } else {
        kernels.rows(row, gradients, d_q);
      }
    }
  });
  const auto add_up = [count](T* result, const std::vector<T>& parts, std::int64_t size) {
    if (!result) return;
    std::fill_n(result, size, T(0));
    for (std::int64_t part = 0; part < count; ++part)
      for (std::int64_t d = 0; d < size; ++d) result[d] += parts[part * size + d];
  };
  add_up(r.d_scale, scale_parts, heads);
  add_up(r.d_vector, vector_parts, width);

  const std::int64_t* begin = p.pattern.reverse_begin;
  for_each_piece(pieces_of(begin, p.pattern.columns), p.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) {
    const std::int64_t most = most_edges(begin, first, end) * heads;
    T *weights = memory.take<T>(most), *gradients = memory.take<T>(most);
    for (std::int64_t j = first; j < end; ++j) {
      const std::int64_t n = begin[j + 1] - begin[j];
      T *d_k = r.d_k + j * width, *d_v = r.d_v + j * value_width;
      if (n == 0) {
        std::fill_n(d_k, width, T(0));
        std::fill_n(d_v, value_width, T(0));
        continue;
      }
      const std::int32_t* rows = p.pattern.reverse_row + begin[j];
      const std::int64_t* numbers = p.pattern.reverse_edge + begin[j];
      const std::int64_t known = p.pattern.edges() - begin[j];
      for (std::int64_t e = 0; e < n; ++e) {
        if (constexpr std::int64_t ahead = 8; e + ahead < known) {  // of the columns to come as well
          fetch(kept_of + numbers[e + ahead] * heads * 2, heads * 2);
          fetch(r.d_out + rows[e + ahead] * value_width, value_width);
          fetch(p.q + rows[e + ahead] * p.q_stride, width);
        }
        for (std::int64_t h = 0, number = numbers[e] * heads; h < heads; ++h, ++number) {
          weights[h * n + e] = kept_of[2 * number];
          gradients[h * n + e] = kept_of[2 * number + 1];
        }
      }
      kernels.rows({nullptr, r.d_out, value_width, rows, n, heads, p.value_dim}, weights, d_v);
      EdgeRow<T> row{p.k + j * p.k_stride, p.q, p.q_stride, rows, n, heads, p.dim};
      row.slope = p.slope;
      if (additive) {
        for (std::int64_t h = 0; h < heads; ++h) {
          T sum = 0;
          for (std::int64_t e = 0; e < n; ++e) sum += gradients[h * n + e];
          d_k[h] = sum;
        }
      } else if (squared) {
        kernels.differences(row, gradients, d_k);
        for (std::int64_t d = 0; d < width; ++d) d_k[d] *= 2;
      } else if (joined) {
        kernels.slopes(row, gradients, d_k);
        for (std::int64_t d = 0; d < width; ++d) d_k[d] *= p.vector[d];
      } else {
        kernels.rows(row, gradients, d_k);
      }
    }
  });
}

template void edge_attention_forward(const EdgeAttentionParams<float>&, float*, float*);
template void edge_attention_forward(const EdgeAttentionParams<double>&, double*, double*);
template void edge_attention_backward(const EdgeAttentionParams<float>&, const EdgeAttentionBackward<float>&);
template void edge_attention_backward(const EdgeAttentionParams<double>&, const EdgeAttentionBackward<double>&);

}  // namespace calor::kernels
