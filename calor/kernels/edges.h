// Attention on the edges of a graph: score -> softmax over a row's edges -> weighted sum of the neighbours' values, and its gradients.
// Memory O(edges heads + nodes heads dim) beside inputs and outputs, never edges x heads x dim, with maps of edges' features neither.
//
//   out_i = sum_e m_e P_e v_j(e),   P_e = exp(s_e - lse_i),   lse_i = log sum_e exp(s_e)     over the edges e of row i, for each head
//   s_e = scale q_i.k_j + bias_e                    EdgeScore::dot
//   s_e = -scale |q_i - k_j|^2 + bias_e             EdgeScore::squared_distance (from differences: no offset costs digits)
//   s_e = leaky(q_i + k_j + bias_e)                 EdgeScore::additive: features of one number a head (Velickovic et al. 2018)
//   s_e = vector.leaky(q_i + k_j) + bias_e          EdgeScore::joined (Brody, Alon, Yahav 2022)
//
// leaky(x) = x above 0 and slope x below.  m_e is 1, or with dropout p: 0 with probability p, else 1 / (1 - p), drawn by (seed, edge, head).
// With features e of edges and maps of them, the neighbour of edge e has the key k_j(e) + U e and the value v_j(e) + V e.
// A row without edges gives out = 0, lse = -infinity and no gradient.  Same bits for any number of threads: each row sums in order of its
// edges, each column in order of its rows.
//
// Layout: features [nodes][heads][dim], rows `stride` apart; numbers of edges [edges][heads]; lse [rows][heads].
#pragma once

#include <cstdint>
#include <vector>

namespace calor::kernels {

// Edges of row i: begin[i] <= e < begin[i + 1], to column[e].  The same edges by column, which gradients need: of column j the
// reverse_begin[j] <= r < reverse_begin[j + 1], from reverse_row[r], edge number reverse_edge[r].
struct EdgePattern {
  std::int64_t rows = 0, columns = 0;
  const std::int64_t* begin = nullptr;
  const std::int32_t* column = nullptr;
  const std::int64_t* reverse_begin = nullptr;
  const std::int32_t* reverse_row = nullptr;
  const std::int64_t* reverse_edge = nullptr;
  std::int64_t edges() const { return begin[rows]; }
};

// The same edges by column: begin [columns + 1], row and edge [edges], each column's rows in their order.  O(edges + columns).
void edges_by_column(std::int64_t rows, std::int64_t columns, const std::int64_t* begin, const std::int32_t* column, std::int64_t* reverse_begin, std::int32_t* reverse_row,
                     std::int64_t* reverse_edge);

enum class EdgeScore { dot, squared_distance, additive, joined };

template <class T>
struct EdgeAttentionParams {
  EdgePattern pattern;
  EdgeScore score = EdgeScore::dot;
  std::int64_t heads = 1, dim = 0, value_dim = 0;
  const T *q = nullptr, *k = nullptr, *v = nullptr;
  std::int64_t q_stride = 0, k_stride = 0, v_stride = 0;
  const T* scale = nullptr;   // [heads]; null: 1
  const T* bias = nullptr;    // [edges][heads]; null: 0
  const T* vector = nullptr;  // joined: [heads][dim]
  T slope = T(0.2);
  double dropout = 0;
  std::uint64_t seed = 0;
  int threads = 0;  // 0: all available; changes no bit of the result
  const T* features = nullptr;  // of edges: [edges][edge_dim]; null: none
  std::int64_t edge_dim = 0;
  const T *key_map = nullptr, *value_map = nullptr;  // U [heads][dim][edge_dim], of any score but additive, and V [heads][value_dim][edge_dim]; null: none
};

// Throw Fault::usage for sizes that do not fit: "[edge_attention] expected ...".  O(edges heads (dim + value_dim)); with maps edge_dim (edges heads + rows heads (dim + value_dim))
// more, and for U of a score other than dot edges heads dim edge_dim.
template <class T>
void edge_attention_forward(const EdgeAttentionParams<T>& params, T* out, T* lse);  // out [rows][heads][value_dim]

// Gradients of a loss, given those with respect to out [rows][heads][value_dim] and, where not null, to lse [rows][heads].  Contiguous and
// overwritten; those from d_scale on may be null.
template <class T>
struct EdgeAttentionBackward {
  const T *out = nullptr, *lse = nullptr, *d_out = nullptr, *d_lse = nullptr;
  T *d_q = nullptr, *d_k = nullptr, *d_v = nullptr;          // [rows or columns][heads][dim or value_dim]
  T *d_scale = nullptr, *d_bias = nullptr, *d_vector = nullptr;
  T *d_features = nullptr, *d_key_map = nullptr, *d_value_map = nullptr;  // as their inputs; may be null
};
template <class T>
void edge_attention_backward(const EdgeAttentionParams<T>& params, const EdgeAttentionBackward<T>& result);

// out_i = sum_e w_e v_j(e), for weights [edges][heads] as they are.
template <class T>
struct EdgeSumsParams {
  EdgePattern pattern;
  std::int64_t heads = 1, value_dim = 0;
  const T *weights = nullptr, *v = nullptr;
  std::int64_t v_stride = 0;
  int threads = 0;
};
template <class T>
void edge_sums_forward(const EdgeSumsParams<T>& params, T* out);
// d_weights or d_v may be null.
template <class T>
void edge_sums_backward(const EdgeSumsParams<T>& params, const T* d_out, T* d_weights, T* d_v);

// The factors m_e of attention's dropout, [edges][heads].
template <class T>
void edge_dropout(std::int64_t edges, std::int64_t heads, double dropout, std::uint64_t seed, T* factors);

}  // namespace calor::kernels
