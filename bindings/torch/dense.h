// Dense layers as one node of torch's graph each, computed by kernels/dense.h: small layers take less time than the nodes and passes of their composition.
#pragma once

#include <ATen/core/Tensor.h>

#include "calor/kernels/dense.h"

namespace calor::torch_ops {

using kernels::Activation;

// Rows are [rows, features].  Floats on the CPU go through the kernels, others through torch's operators, which are the definition; differentiable any number of times, from the
// second on by the definition.  Uses at::get_num_threads() threads; the same bits for any number of them.

// f(x W' + b); W [out, in], b [out] or undefined.
at::Tensor dense_layer(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation);

// z + tanh(z W1' + b1) W2' + b2; W1 [any, in], W2 [in, any].
at::Tensor learned_map(const at::Tensor& z, const at::Tensor& hidden, const at::Tensor& hidden_bias, const at::Tensor& out, const at::Tensor& out_bias);

// tanh(a + b) of tensors of one size.
at::Tensor tanh_of_sum(const at::Tensor& a, const at::Tensor& b);

}  // namespace calor::torch_ops
