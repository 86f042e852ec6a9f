// Attention as torch operators, with autograd in C++.  The same functions are registered as
// torch.ops.calor.attention and torch.ops.calor.attention_composed.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

#include "calor/kernels/attention.h"

namespace calor::torch_ops {

using kernels::Score;

// What a call to attention takes beside queries, keys and values; absent tensors are undefined.
struct AttentionOptions {
  Score score = Score::dot;
  at::Tensor bias;      // [B|1, H|1, M], float: added to every score of a key; differentiable
  at::Tensor key_mask;  // [B|1, M], bool: true = valid
  at::Tensor mask;      // [B|1, H|1, N|1, M], bool: true = attend
  bool causal = false;
  std::int64_t own_key = -1;  // from 0: query i does not see key own_key + i; -1: no such pair
};

// q [B, H, N, d], k [B, H, M, d], v [B, H, M, dv], float, double or bfloat16 (scale, bias and log-sum-exp are float then), on the
// CPU, any strides; scale: a tensor that broadcasts to [B, H] (a temperature's inverse; differentiable).  Scores are scale * q.k or -scale * |q - k|^2.
// Returns (out [B, H, N, dv], log-sum-exp [B, H, N]); both differentiable with respect to q, k, v, scale, bias.
// The first and the second derivative stream, further ones are those of the composition.  Uses at::get_num_threads() threads.  Throws
// c10::ValueError (shapes), c10::TypeError (dtype, device) and calor::Error (values that the kernel refuses).
std::tuple<at::Tensor, at::Tensor> attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                             const at::Tensor& scale, const AttentionOptions& options);

// The definition: the same result from torch operators, materialising [B, H, N, M], on any device.  Oracle, fallback and
// third derivative.  Contents that no query may attend to change nothing; a NaN that one may see reaches all of them here.
std::tuple<at::Tensor, at::Tensor> attention_composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                                      const at::Tensor& scale, const AttentionOptions& options);

}  // namespace calor::torch_ops
