// The second derivative of attention, streamed: what a loss of attention's gradients sends back, by blocks of queries.
#pragma once

#include <ATen/core/Tensor.h>

#include "bindings/torch/attention_arguments.h"

namespace calor::torch_ops {

// One call of attention, its gradients' inputs, and what a loss sends to d_q, d_k, d_v, d_scale [B, H] and d_bias [B, H, M] (undefined: nothing).
struct SecondProblem {
  at::Tensor q, k, v, scale, lse, d_out;
  OptionalTensor bias, key_mask, mask, d_lse;
  bool causal = false;
  Score score = Score::dot;
  std::int64_t own_key = -1;
  bool scale_gradient = true;  // wanted; else that of scale is 0
  at::Tensor of_d_q, of_d_k, of_d_v, of_d_scale, of_d_bias;
};

// What arrives at attention's inputs and at the gradients of its results; scale and bias in full, [B, H] and [B, H, M].
struct SecondGradients {
  at::Tensor q, k, v, scale, bias, d_out, d_lse;
};

// O((N + M) d) memory beside blocks of some hundred queries by all keys; thirteen products of N x M x d, where the first derivative takes five.  Heads are worked off side by side.
SecondGradients second_derivative(const SecondProblem& problem);

}  // namespace calor::torch_ops
