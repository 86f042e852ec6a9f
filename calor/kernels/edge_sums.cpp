// Weighted sums over a graph's edges, the edges by column, and dropout's factors as numbers.
#include <algorithm>

#include "calor/kernels/edge_dropout.h"
#include "calor/kernels/edge_pieces.h"
#include "calor/kernels/edges.h"
#include "calor/kernels/isa.h"

namespace calor::kernels {

// Weights of a row head by head, as the kernels want them.
template <class T>
static void by_head(const T* weights, std::int64_t count, std::int64_t heads, T* result) {
  for (std::int64_t e = 0; e < count; ++e)
    for (std::int64_t h = 0; h < heads; ++h) result[h * count + e] = weights[e * heads + h];
}

template <class T>
void edge_sums_forward(const EdgeSumsParams<T>& p, T* out) {
  const EdgeRows<T>& kernels = edge_rows<T>(current_isa().edges());
  const std::int64_t width = p.heads * p.value_dim;
  const std::int64_t* begin = p.pattern.begin;
  for_each_piece(pieces_of(begin, p.pattern.rows), p.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) {
    T* turned = memory.take<T>(most_edges(begin, first, end) * p.heads);
    for (std::int64_t i = first; i < end; ++i) {
      const std::int64_t n = begin[i + 1] - begin[i];
      const T* weights = p.weights + begin[i] * p.heads;
      if (p.heads > 1) by_head(weights, n, p.heads, turned);
      kernels.rows({nullptr, p.v, p.v_stride, p.pattern.column + begin[i], n, p.heads, p.value_dim}, p.heads > 1 ? turned : weights, out + i * width);
    }
  });
}

template <class T>
void edge_sums_backward(const EdgeSumsParams<T>& p, const T* d_out, T* d_weights, T* d_v) {
  const EdgeRows<T>& kernels = edge_rows<T>(current_isa().edges());
  const std::int64_t width = p.heads * p.value_dim;
  if (d_weights) {
    const std::int64_t* begin = p.pattern.begin;
    for_each_piece(pieces_of(begin, p.pattern.rows), p.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) {
      T* turned = memory.take<T>(most_edges(begin, first, end) * p.heads);
      for (std::int64_t i = first; i < end; ++i) {
        const std::int64_t n = begin[i + 1] - begin[i];
        kernels.products({d_out + i * width, p.v, p.v_stride, p.pattern.column + begin[i], n, p.heads, p.value_dim}, turned);
        for (std::int64_t e = 0; e < n; ++e)
          for (std::int64_t h = 0; h < p.heads; ++h) d_weights[(begin[i] + e) * p.heads + h] = turned[h * n + e];
      }
    });
  }
  if (!d_v) return;
  const std::int64_t* begin = p.pattern.reverse_begin;
  for_each_piece(pieces_of(begin, p.pattern.columns), p.threads, [&](std::int64_t, std::int64_t first, std::int64_t end, Workspace& memory) {
    T* weights = memory.take<T>(most_edges(begin, first, end) * p.heads);
    for (std::int64_t j = first; j < end; ++j) {
      const std::int64_t n = begin[j + 1] - begin[j];
      for (std::int64_t e = 0; e < n; ++e)
        for (std::int64_t h = 0; h < p.heads; ++h) weights[h * n + e] = p.weights[p.pattern.reverse_edge[begin[j] + e] * p.heads + h];
      kernels.rows({nullptr, d_out, width, p.pattern.reverse_row + begin[j], n, p.heads, p.value_dim}, weights, d_v + j * width);
    }
  });
}

void edges_by_column(std::int64_t rows, std::int64_t columns, const std::int64_t* begin, const std::int32_t* column, std::int64_t* reverse_begin, std::int32_t* reverse_row,
                     std::int64_t* reverse_edge) {
  std::fill_n(reverse_begin, columns + 1, std::int64_t{0});
  for (std::int64_t e = 0; e < begin[rows]; ++e) ++reverse_begin[column[e] + 1];
  for (std::int64_t j = 0; j < columns; ++j) reverse_begin[j + 1] += reverse_begin[j];
  std::vector<std::int64_t> next(reverse_begin, reverse_begin + columns);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) {
      const std::int64_t at = next[static_cast<std::size_t>(column[e])]++;
      reverse_row[at] = static_cast<std::int32_t>(i);
      reverse_edge[at] = e;
    }
}

template <class T>
void edge_dropout(std::int64_t edges, std::int64_t heads, double share, std::uint64_t seed, T* factors) {
  const EdgeDropout dropout(share, seed);
  if (!dropout.active()) {
    std::fill_n(factors, edges * heads, T(1));
    return;
  }
  for (std::int64_t e = 0; e < edges; ++e) dropout.factors(e, heads, factors + e * heads);
}

template void edge_sums_forward(const EdgeSumsParams<float>&, float*);
template void edge_sums_forward(const EdgeSumsParams<double>&, double*);
template void edge_sums_backward(const EdgeSumsParams<float>&, const float*, float*, float*);
template void edge_sums_backward(const EdgeSumsParams<double>&, const double*, double*, double*);
template void edge_dropout(std::int64_t, std::int64_t, double, std::uint64_t, float*);
template void edge_dropout(std::int64_t, std::int64_t, double, std::uint64_t, double*);

}  // namespace calor::kernels
