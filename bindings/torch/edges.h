// Attention on the edges of a graph as torch operators, with autograd in C++: torch.ops.calor.edge_attention, edge_sums and the compositions
// that they are tested against.  kernels/edges.h has the formulas.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "calor/kernels/edges.h"

namespace calor::torch_ops {

// A graph's edges by row and by column, as kernels::EdgePattern has them: begin [rows + 1] and reverse_begin [columns + 1] int64, column and
// reverse_row [edges] int32, reverse_edge [edges] int64, contiguous, on the CPU.
struct EdgeTensors {
  at::Tensor begin, column, reverse_begin, reverse_row, reverse_edge;
  std::vector<at::Tensor> list() const { return {begin, column, reverse_begin, reverse_row, reverse_edge}; }
};

// Both views of the edges of these rows.  begin and column are checked: ascending starts, columns in range.  O(edges).
EdgeTensors edge_tensors(const at::Tensor& begin, const at::Tensor& column, std::int64_t columns);

// What edge attention takes beside features; absent tensors are undefined.
struct EdgeAttentionOptions {
  kernels::EdgeScore score = kernels::EdgeScore::dot;
  at::Tensor scale;   // [heads]
  at::Tensor bias;    // [edges, heads]
  at::Tensor vector;  // [heads, dim], of joined scores
  double slope = 0.2, dropout = 0;
  std::int64_t seed = 0;
  at::Tensor features;            // [edges, edge_dim], of the edges
  at::Tensor key_map, value_map;  // [heads, dim, edge_dim], [heads, value_dim, edge_dim]: what is added to a neighbour's k and v
};

// q [rows, heads, dim], k [columns, heads, dim], v [columns, heads, value_dim], float or double.  Returns (out [rows, heads, value_dim],
// log-sum-exp [rows, heads]), both differentiable, once streamed and further through the composition.  Throws c10::ValueError and
// c10::TypeError.  Memory O(edges heads + nodes heads dim), with features of
// edges too.
std::tuple<at::Tensor, at::Tensor> edge_attention(const EdgeTensors& edges, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                                  const EdgeAttentionOptions& options);

// The weighted sums of the neighbours' v [columns, heads, value_dim], weights [edges, heads].  Differentiable in both.
at::Tensor edge_sums(const EdgeTensors& edges, const at::Tensor& weights, const at::Tensor& v);

}  // namespace calor::torch_ops
