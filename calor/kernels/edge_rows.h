// What an instruction set provides for edges.h: one row of a graph against its neighbours, head by head.
//
// Rows of features are [heads][dim], dim numbers next to each other.  Numbers of edges are [heads][count] here.
#pragma once

#include <cstdint>

namespace calor::kernels {

template <class T>
struct EdgeRow {
  const T* own = nullptr;     // [heads][dim]
  const T* others = nullptr;  // row j at others + j stride
  std::int64_t stride = 0;
  const std::int32_t* column = nullptr;  // of the edges
  std::int64_t count = 0, heads = 0, dim = 0;
  std::int64_t known = 0;     // columns that can be read beyond the row's own: of the rows to come, whose neighbours are fetched ahead; 0: none is
  const T* also = nullptr;    // fetched ahead with them: row j at also + j also_stride, also_width numbers
  std::int64_t also_stride = 0, also_width = 0;
  const T* vector = nullptr;  // joined terms: [heads][dim]
  T slope = 0;                // joined terms: leaky(x) = x above 0, slope x below
};

template <class T>
struct EdgeRows {
  using Pairs = void (*)(const EdgeRow<T>& row, T* result);
  // result[h][e]: x.y, |x - y|^2, and vector.leaky(x + y), for x the own features and y the neighbour's.
  Pairs products, squares, joined;

  using Sums = void (*)(const EdgeRow<T>& row, const T* weights, T* result);
  // result[h][dim] = the sum over edges of weight times y, y - x, leaky'(x + y), and leaky(x + y).
  Sums rows, differences, slopes, leaks;

  // weights[h][e] <- exp(weights - greatest of the head) / their sum; lse[h] the logarithm of the sum of exponentials.  count >= 1.
  void (*softmax)(T* weights, std::int64_t count, std::int64_t heads, T* lse);
  // weights[h][e] <- exp(weights - lse[h]).
  void (*exponentials)(T* weights, std::int64_t count, std::int64_t heads, const T* lse);
};

struct Edges {
  EdgeRows<float> floats;
  EdgeRows<double> doubles;
};

template <class T>
const EdgeRows<T>& edge_rows(const Edges& edges);
template <>
inline const EdgeRows<float>& edge_rows<float>(const Edges& edges) { return edges.floats; }
template <>
inline const EdgeRows<double>& edge_rows<double>(const Edges& edges) { return edges.doubles; }

}  // namespace calor::kernels
