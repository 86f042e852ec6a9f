#include "calor/kernels/edges_by_column.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "calor/kernels/edge_dropout.h"
#include "calor/kernels/edge_fetch.h"
#include "calor/kernels/edge_pieces.h"
#include "calor/kernels/edge_sent.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {
namespace {

// What the edges of a row and head have in common.
template <class T>
struct RowTerms {
  T lse, flow;  // flow: d_lse - d_out.out
};

template <class T>
class ByColumn {
 public:
  ByColumn(const EdgeAttentionParams<T>& params, const EdgeAttentionBackward<T>& result)
      : p_(params), r_(result), kernels_(edge_rows<T>(current_isa().edges())), dropout_(params.dropout, params.seed),
        terms_(memory_->take<RowTerms<T>>(params.pattern.rows * params.heads)), sent_(memory_->take<T>(params.pattern.edges() * params.heads)) {}

  void run() {
    const std::vector<std::int64_t> by_row = pieces_of(p_.pattern.begin, p_.pattern.rows), by_column = pieces_of(p_.pattern.reverse_begin, p_.pattern.columns);
    const std::int64_t pieces = static_cast<std::int64_t>(by_column.size()) - 1;
    scale_parts_.assign(static_cast<std::size_t>(r_.d_scale ? pieces * p_.heads : 0), T(0));
    vector_parts_.assign(static_cast<std::size_t>(r_.d_vector ? pieces * width_ : 0), T(0));
    for_each_piece(by_row, p_.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace&) { find_terms(first, end); });
    for_each_piece(by_column, p_.threads, [&](std::int64_t piece, std::int64_t first, std::int64_t end, Workspace& memory) { columns(piece, first, end, memory); });
    for_each_piece(by_row, p_.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) { rows(first, end, memory); });
    add_up(r_.d_scale, scale_parts_, pieces, p_.heads);
    add_up(r_.d_vector, vector_parts_, pieces, width_);
  }

 private:
  bool squared() const { return p_.score == EdgeScore::squared_distance; }
  bool joined() const { return p_.score == EdgeScore::joined; }

  void find_terms(std::int64_t first, std::int64_t end) {
    for (std::int64_t n = first * p_.heads; n < end * p_.heads; ++n) {
      T flow = r_.d_lse ? r_.d_lse[n] : T(0);
      for (std::int64_t d = n * p_.value_dim; d < (n + 1) * p_.value_dim; ++d) flow -= r_.d_out[d] * r_.out[d];
      // Scores that are all -infinity weigh nothing.
      terms_[n] = {r_.lse[n] == -std::numeric_limits<T>::infinity() ? std::numeric_limits<T>::lowest() : r_.lse[n], flow};
    }
  }

  // Of columns [first, end): d_k, d_v, their part of what is summed over all edges, and what each edge sends to its row.
  void columns(std::int64_t piece, std::int64_t first, std::int64_t end, Workspace& memory) {
    const std::int64_t* begin = p_.pattern.reverse_begin;
    const std::int64_t heads = p_.heads, most = most_edges(begin, first, end) * heads;
    T *weights = memory.take<T>(most), *gradients = memory.take<T>(most), *raw = memory.take<T>(most), *kept = memory.take<T>(heads), *leaks = memory.take<T>(width_);
    T* none = memory.take<T>(heads);
    std::fill_n(none, heads, T(0));
    for (std::int64_t j = first; j < end; ++j) {
      const std::int64_t n = begin[j + 1] - begin[j];
      T *d_k = r_.d_k + j * width_, *d_v = r_.d_v + j * value_width_;
      if (n == 0) {
        std::fill_n(d_k, width_, T(0));
        std::fill_n(d_v, value_width_, T(0));
        continue;
      }
      const std::int32_t* of_row = p_.pattern.reverse_row + begin[j];
      const std::int64_t* number = p_.pattern.reverse_edge + begin[j];
      EdgeRow<T> keys{p_.k + j * p_.k_stride, p_.q, p_.q_stride, of_row, n, heads, p_.dim};
      keys.known = p_.pattern.edges() - begin[j];
      keys.also = r_.d_out, keys.also_stride = keys.also_width = value_width_;
      keys.vector = p_.vector;
      keys.slope = p_.slope;
      (squared() ? kernels_.squares : joined() ? kernels_.joined : kernels_.products)(keys, raw);
      kernels_.products({p_.v + j * p_.v_stride, r_.d_out, value_width_, of_row, n, heads, p_.value_dim}, gradients);
      for (std::int64_t h = 0; h < heads; ++h) {
        const T factor = (squared() ? T(-1) : T(1)) * scale(h);
        for (std::int64_t e = 0; e < n; ++e)
          weights[h * n + e] = factor * raw[h * n + e] + (p_.bias ? p_.bias[number[e] * heads + h] : T(0)) - terms_[of_row[e] * heads + h].lse;
      }
      kernels_.exponentials(weights, n, heads, none);
      for (std::int64_t e = 0; e < n; ++e) {
        if (dropout_.active()) dropout_.factors(number[e], heads, kept);
        for (std::int64_t h = 0; h < heads; ++h) {
          T &w = weights[h * n + e], &g = gradients[h * n + e];
          const T share = dropout_.active() ? kept[h] : T(1);
          g = w * (g * share + terms_[of_row[e] * heads + h].flow);
          w *= share;
          if (r_.d_bias) r_.d_bias[number[e] * heads + h] = g;
          if (r_.d_scale) scale_parts_[static_cast<std::size_t>(piece * heads + h)] += g * (squared() ? -raw[h * n + e] : raw[h * n + e]);
          g *= scale(h);
          sent_[number[e] * heads + h] = g;
        }
      }
      kernels_.rows({nullptr, r_.d_out, value_width_, of_row, n, heads, p_.value_dim}, weights, d_v);
      send_to_own(kernels_, p_, keys, gradients, d_k);
      if (!r_.d_vector || !joined()) continue;
      kernels_.leaks(keys, gradients, leaks);
      for (std::int64_t d = 0; d < width_; ++d) vector_parts_[static_cast<std::size_t>(piece * width_ + d)] += leaks[d];
    }
  }

  // d_q of rows [first, end).
  void rows(std::int64_t first, std::int64_t end, Workspace& memory) {
    const std::int64_t* begin = p_.pattern.begin;
    const std::int64_t heads = p_.heads;
    T* gradients = memory.take<T>(most_edges(begin, first, end) * heads);
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t n = begin[i + 1] - begin[i], known = p_.pattern.edges() - begin[i];
      T* d_q = r_.d_q + i * width_;
      if (n == 0) {
        std::fill_n(d_q, width_, T(0));
        continue;
      }
      const std::int32_t* column = p_.pattern.column + begin[i];
      for (std::int64_t e = 0; e < n; ++e) {
        if (e + edges_ahead < known) fetch(p_.k + column[e + edges_ahead] * p_.k_stride, width_);
        for (std::int64_t h = 0; h < heads; ++h) gradients[h * n + e] = sent_[(begin[i] + e) * heads + h];
      }
      EdgeRow<T> row{p_.q + i * p_.q_stride, p_.k, p_.k_stride, column, n, heads, p_.dim};
      row.slope = p_.slope;
      send_to_own(kernels_, p_, row, gradients, d_q);
    }
  }

  T scale(std::int64_t h) const { return p_.scale ? p_.scale[h] : T(1); }

  const EdgeAttentionParams<T>& p_;
  const EdgeAttentionBackward<T>& r_;
  const EdgeRows<T>& kernels_;
  const EdgeDropout dropout_;
  const std::int64_t width_ = p_.heads * p_.dim, value_width_ = p_.heads * p_.value_dim;
  const WorkspaceScope memory_{WorkspaceScope::Use::problem};
  RowTerms<T>* const terms_;  // [rows][heads]
  T* const sent_;             // [edges][heads]: the gradient of the score, times the scale
  std::vector<T> scale_parts_, vector_parts_;
};

}  // namespace

template <class T>
void edge_attention_backward_by_column(const EdgeAttentionParams<T>& params, const EdgeAttentionBackward<T>& result) {
  ByColumn<T>(params, result).run();
}

template void edge_attention_backward_by_column(const EdgeAttentionParams<float>&, const EdgeAttentionBackward<float>&);
template void edge_attention_backward_by_column(const EdgeAttentionParams<double>&, const EdgeAttentionBackward<double>&);

}  // namespace calor::kernels
