// The arguments of attention as the registered operators receive them, and their checks, shared by the streamed and the
// composed form.  Sizes are symbolic, so the same checks run while torch.compile traces.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string_view>
#include <tuple>

#include "bindings/torch/attention.h"

namespace calor::torch_ops {

using OptionalTensor = std::optional<at::Tensor>;
using TensorPair = std::tuple<at::Tensor, at::Tensor>;
// d_q, d_k, d_v as their inputs, d_scale [B, H] and d_bias [B, H, M]; the last two have no elements when not asked for.
using Gradients = std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor>;

// "dot" or "squared_distance".  Throws c10::ValueError for any other name.
Score score_of(std::string_view name);
std::string_view name_of(Score score);

inline OptionalTensor optional(const at::Tensor& tensor) {
  return tensor.defined() ? OptionalTensor(tensor) : std::nullopt;
}

// What scale, bias, log-sum-exp and their gradients are beside rows of `dtype`: float for bfloat16, else the same.
inline at::ScalarType plain_type(at::ScalarType dtype) { return dtype == at::kBFloat16 ? at::kFloat : dtype; }

// Both throw c10::ValueError (device and dtype: c10::TypeError) reading "[calor::attention] expected ..., found ...".
void check_device(const at::Tensor& q);  // the streamed form runs on the CPU, the composed one anywhere
void check_arguments(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                     const OptionalTensor& bias, const OptionalTensor& key_mask, const OptionalTensor& mask);
void check_own_key(std::int64_t own_key);

// Which keys queries [first, first + rows) may see as far as their places decide, [rows, keys]; undefined: all.
at::Tensor visible_places(const c10::SymInt& first, const c10::SymInt& rows, const c10::SymInt& keys, at::Device device, bool causal, std::int64_t own_key);

// The kernels behind the operators, by dispatch key.
TensorPair attention_cpu(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                         const OptionalTensor& bias, const OptionalTensor& key_mask, const OptionalTensor& mask,
                         bool causal, std::string_view score, std::int64_t own_key);
TensorPair attention_meta(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                          const OptionalTensor& bias, const OptionalTensor& key_mask, const OptionalTensor& mask,
                          bool causal, std::string_view score, std::int64_t own_key);
Gradients attention_backward_cpu(const at::Tensor& d_out, const OptionalTensor& d_lse, const at::Tensor& q,
                                 const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                                 const OptionalTensor& bias, const OptionalTensor& key_mask,
                                 const OptionalTensor& mask, const at::Tensor& out, const at::Tensor& lse, bool causal,
                                  std::string_view score, std::int64_t own_key, bool scale_gradient, bool bias_gradient);
Gradients attention_backward_meta(const at::Tensor& d_out, const OptionalTensor& d_lse, const at::Tensor& q,
                                  const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                                  const OptionalTensor& bias, const OptionalTensor& key_mask,
                                  const OptionalTensor& mask, const at::Tensor& out, const at::Tensor& lse,
                                  bool causal, std::string_view score, std::int64_t own_key, bool scale_gradient, bool bias_gradient);
TensorPair attention_composed_op(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const at::Tensor& scale, const OptionalTensor& bias, const OptionalTensor& key_mask,
                                 const OptionalTensor& mask, bool causal, std::string_view score, std::int64_t own_key);

}  // namespace calor::torch_ops
