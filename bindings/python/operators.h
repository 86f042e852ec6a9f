// The kernels of attention and of edges for tensors of any torch: python/calor/_operators registers them as torch's operators, checks what is given and
// makes what is returned.  Addresses are taken at their word.
#pragma once

#include "python.h"

namespace calor::python {

// attention_forward(type, score, (batch, heads, queries, keys, dim, value dim), causal, own_key, threads, (q, k, v, scale, bias, key_mask, mask), (out, lse))
// and attention_backward(..., (out, lse, d_out, d_lse, d_q, d_k, d_v, d_scale, d_bias)), as kernels/attention.h has them; type: "float32", "float64" or "bfloat16".
PyObject* attention_forward(PyObject* module, PyObject* arguments);
PyObject* attention_backward(PyObject* module, PyObject* arguments);

// edge_attention_forward(type, score, (rows, columns, heads, dim, value dim, edge_dim), slope, dropout, seed, threads, (begin, column, reverse_begin, reverse_row,
// reverse_edge), (q, k, v, scale, bias, vector, features, key_map, value_map), (out, lse)) and edge_attention_backward(..., (out, lse, d_out, d_lse, d_q, d_k, d_v,
// d_scale, d_bias, d_vector, d_features, d_key_map, d_value_map)), as kernels/edges.h has them.
PyObject* edge_attention_forward(PyObject* module, PyObject* arguments);
PyObject* edge_attention_backward(PyObject* module, PyObject* arguments);

// edge_sums(type, (rows, columns, heads, value dim), threads, edges, (weights, v), (out,)), backward with (d_out, d_weights, d_v).
PyObject* edge_sums_forward(PyObject* module, PyObject* arguments);
PyObject* edge_sums_backward(PyObject* module, PyObject* arguments);

// edges_by_column((rows, columns), edges): fills the last three; edge_dropout((edges, heads), dropout, seed, (factors,)), float64.
PyObject* edges_by_column(PyObject* module, PyObject* arguments);
PyObject* edge_dropout(PyObject* module, PyObject* arguments);

}  // namespace calor::python
