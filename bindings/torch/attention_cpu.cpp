// From tensors to the kernel's plain pointers and strides, and the same shapes without data (Meta).
#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>

#include "bindings/torch/attention_arguments.h"

namespace calor::torch_ops {
namespace {

at::Tensor innermost_contiguous(const at::Tensor& tensor) {
  const auto last = tensor.dim() - 1;
  return tensor.stride(last) == 1 || tensor.size(last) <= 1 ? tensor : tensor.contiguous();
}

kernels::Strides strides_of(const at::Tensor& tensor) { return {tensor.stride(0), tensor.stride(1), tensor.stride(2)}; }

// [batch, heads, rows, dim] with the heads of a row next to each other in memory, so that joining heads after attention
// is a view and not a copy.
at::Tensor empty_rows(const at::Tensor& like, const c10::SymInt& rows, const c10::SymInt& dim) {
  const std::array<c10::SymInt, 4> sizes = {like.sym_size(0), rows, like.sym_size(1), dim};
  return at::empty_symint(sizes, like.options()).transpose(1, 2);
}

auto plain_options(const at::Tensor& q) { return q.options().dtype(plain_type(q.scalar_type())); }

// The same on the CPU, past the dispatcher: a small attention takes no longer than three of its calls.
at::Tensor empty_rows_cpu(const at::Tensor& like, std::int64_t rows, std::int64_t dim) {
  const auto at_least_one = [](std::int64_t n) { return std::max<std::int64_t>(n, 1); };
  const std::int64_t heads = like.size(1), row_stride = at_least_one(heads) * at_least_one(dim);
  return at::detail::empty_strided_cpu({like.size(0), heads, rows, dim}, {at_least_one(rows) * row_stride, at_least_one(dim), row_stride, 1},
                                       like.scalar_type());
}

at::Tensor empty_plain_cpu(const at::Tensor& like, at::IntArrayRef sizes) { return at::detail::empty_cpu(sizes, plain_type(like.scalar_type())); }

// A tensor's numbers as the kernels call their type.
template <class T>
const T* numbers(const at::Tensor& tensor) { return static_cast<const T*>(tensor.const_data_ptr()); }
template <class T>
T* mutable_numbers(const at::Tensor& tensor) { return static_cast<T*>(tensor.mutable_data_ptr()); }

// work(a number of the kernels' type for this dtype): float, double or Bf16.
template <class Work>
void with_numbers(at::ScalarType dtype, const Work& work) {
  if (dtype == at::kFloat) work(float());
  else if (dtype == at::kDouble) work(double());
  else work(kernels::Bf16());
}

// Owns what `params` points to: inputs made contiguous where needed.
template <class T>
struct Call {
  at::Tensor q, k, v, scale, bias, key_mask, mask;
  kernels::AttentionParams<T> params;

  Call(const at::Tensor& q_, const at::Tensor& k_, const at::Tensor& v_, const at::Tensor& scale_,
       const OptionalTensor& bias_, const OptionalTensor& key_mask_, const OptionalTensor& mask_, bool causal,
       std::string_view score, std::int64_t own_key)
      : q(innermost_contiguous(q_)), k(innermost_contiguous(k_)), v(innermost_contiguous(v_)) {
    params.score = score_of(score);
    params.batch = q.size(0), params.heads = q.size(1), params.queries = q.size(2), params.keys = k.size(2);
    params.dim = q.size(3), params.value_dim = v.size(3);
    params.q = numbers<T>(q), params.q_strides = strides_of(q);
    params.k = numbers<T>(k), params.k_strides = strides_of(k);
    params.v = numbers<T>(v), params.v_strides = strides_of(v);
    scale = scale_;
    params.scale = numbers<kernels::Plain<T>>(scale);
    const auto stride = [&](std::int64_t from_last) {  // as expand() would give it
      const std::int64_t d = scale.dim() - from_last;
      return d >= 0 && scale.size(d) > 1 ? scale.stride(d) : 0;
    };
    params.scale_batch_stride = stride(2), params.scale_head_stride = stride(1);
    if (bias_) {
      bias = innermost_contiguous(*bias_).expand({params.batch, params.heads, params.keys});
      params.bias = numbers<kernels::Plain<T>>(bias);
      params.bias_batch_stride = bias.stride(0), params.bias_head_stride = bias.stride(1);
    }
    if (key_mask_) {
      key_mask = innermost_contiguous(*key_mask_).expand({params.batch, params.keys});
      params.key_mask = static_cast<const std::uint8_t*>(key_mask.const_data_ptr());
      params.key_mask_batch_stride = key_mask.stride(0);
    }
    if (mask_) {
      mask = innermost_contiguous(*mask_).expand({params.batch, params.heads, params.queries, params.keys});
      params.mask = static_cast<const std::uint8_t*>(mask.const_data_ptr());
      params.mask_strides = strides_of(mask);
    }
    params.causal = causal;
    params.own_key = own_key;
    params.threads = at::get_num_threads();
  }
};

template <class T>
void run_forward(const Call<T>& call, const at::Tensor& out, const at::Tensor& lse) {
  kernels::AttentionForward<T> result;
  result.out = mutable_numbers<T>(out), result.out_strides = strides_of(out);
  result.lse = mutable_numbers<kernels::Plain<T>>(lse);
  kernels::attention_forward(call.params, result);
}

template <class T>
void run_backward(const Call<T>& call, const at::Tensor& d_out_, const OptionalTensor& d_lse_, const at::Tensor& out_,
                  const at::Tensor& lse_, const Gradients& gradients) {
  const auto d_out = innermost_contiguous(d_out_), out = innermost_contiguous(out_), lse = lse_.contiguous();
  const at::Tensor d_lse = d_lse_ ? d_lse_->contiguous() : at::Tensor();
  const auto& [d_q, d_k, d_v, d_scale, d_bias] = gradients;
  kernels::AttentionBackward<T> result;
  result.out = numbers<T>(out), result.out_strides = strides_of(out);
  result.lse = numbers<kernels::Plain<T>>(lse);
  result.d_out = numbers<T>(d_out), result.d_out_strides = strides_of(d_out);
  if (d_lse.defined()) result.d_lse = numbers<kernels::Plain<T>>(d_lse);
  result.d_q = mutable_numbers<T>(d_q), result.d_q_strides = strides_of(d_q);
  result.d_k = mutable_numbers<T>(d_k), result.d_k_strides = strides_of(d_k);
  result.d_v = mutable_numbers<T>(d_v), result.d_v_strides = strides_of(d_v);
  if (d_bias.dim() == 3) result.d_bias = mutable_numbers<kernels::Plain<T>>(d_bias);
  if (d_scale.dim() == 2) result.d_scale = mutable_numbers<kernels::Plain<T>>(d_scale);
  kernels::attention_backward(call.params, result);
}

}  // namespace

TensorPair attention_meta(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                          const OptionalTensor& bias, const OptionalTensor& key_mask, const OptionalTensor& mask,
                          bool, std::string_view score, std::int64_t own_key) {
  check_arguments(q, k, v, scale, bias, key_mask, mask);
  score_of(score);
  check_own_key(own_key);
  return {empty_rows(q, q.sym_size(2), v.sym_size(3)), at::empty_symint(q.sym_sizes().slice(0, 3), plain_options(q))};
}

TensorPair attention_cpu(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                         const OptionalTensor& bias, const OptionalTensor& key_mask, const OptionalTensor& mask,
                         bool causal, std::string_view score, std::int64_t own_key) {
  check_arguments(q, k, v, scale, bias, key_mask, mask);
  check_own_key(own_key);
  TensorPair result{empty_rows_cpu(q, q.size(2), v.size(3)), empty_plain_cpu(q, q.sizes().slice(0, 3))};
  const auto& [out, lse] = result;
  with_numbers(q.scalar_type(), [&, &out = out, &lse = lse](auto number) {
    run_forward(Call<decltype(number)>(q, k, v, scale, bias, key_mask, mask, causal, score, own_key), out, lse);
  });
  return result;
}

Gradients attention_backward_meta(const at::Tensor&, const OptionalTensor&, const at::Tensor& q, const at::Tensor& k,
                                  const at::Tensor& v, const at::Tensor&, const OptionalTensor&,
                                  const OptionalTensor&, const OptionalTensor&, const at::Tensor&, const at::Tensor&,
                                  bool, std::string_view, std::int64_t, bool scale_gradient, bool bias_gradient) {
  const std::array<c10::SymInt, 3> per_key = {k.sym_size(0), k.sym_size(1), k.sym_size(2)};
  return {empty_rows(q, q.sym_size(2), q.sym_size(3)), empty_rows(k, k.sym_size(2), k.sym_size(3)),
          empty_rows(v, v.sym_size(2), v.sym_size(3)),
          scale_gradient ? at::empty_symint(q.sym_sizes().slice(0, 2), plain_options(q)) : at::empty({0}, plain_options(q)),
          bias_gradient ? at::empty_symint(per_key, plain_options(q)) : at::empty({0}, plain_options(q))};
}

Gradients attention_backward_cpu(const at::Tensor& d_out, const OptionalTensor& d_lse, const at::Tensor& q,
                                 const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                                 const OptionalTensor& bias, const OptionalTensor& key_mask,
                                 const OptionalTensor& mask, const at::Tensor& out, const at::Tensor& lse, bool causal,
                                 std::string_view score, std::int64_t own_key, bool scale_gradient, bool bias_gradient) {
  check_arguments(q, k, v, scale, bias, key_mask, mask);
  TORCH_CHECK_VALUE(out.dim() == 4 && out.sizes().slice(0, 3) == q.sizes().slice(0, 3) && out.size(3) == v.size(3) && lse.sizes() == q.sizes().slice(0, 3),
                    "[calor::attention_backward] expected out of [batch, heads, queries, value dim] and lse of [batch, heads, queries] for q of ", q.sizes(), ", found ",
                    out.sizes(), " and ", lse.sizes());
  TORCH_CHECK_TYPE(out.scalar_type() == q.scalar_type() && d_out.scalar_type() == q.scalar_type() && lse.scalar_type() == plain_type(q.scalar_type()) &&
                       (!d_lse || d_lse->scalar_type() == lse.scalar_type()),
                   "[calor::attention_backward] expected out and d_out of the dtype of q, ", q.scalar_type(), ", and lse and d_lse of ", plain_type(q.scalar_type()));
  TORCH_CHECK_VALUE(d_out.sizes() == out.sizes() && lse.dim() == 3 && (!d_lse || d_lse->sizes() == lse.sizes()),
                    "[calor::attention_backward] expected d_out of ", out.sizes(), " and d_lse of ", lse.sizes(),
                    ", found ", d_out.sizes(), " and ", d_lse ? d_lse->sizes() : at::IntArrayRef{});
  static constexpr std::array<std::int64_t, 1> no_elements{0};
  const at::IntArrayRef none(no_elements);
  Gradients gradients{empty_rows_cpu(q, q.size(2), q.size(3)), empty_rows_cpu(k, k.size(2), k.size(3)), empty_rows_cpu(v, v.size(2), v.size(3)),
                      empty_plain_cpu(q, scale_gradient ? q.sizes().slice(0, 2) : none),
                      empty_plain_cpu(q, bias_gradient ? k.sizes().slice(0, 3) : none)};
  with_numbers(q.scalar_type(), [&](auto number) {
    run_backward(Call<decltype(number)>(q, k, v, scale, bias, key_mask, mask, causal, score, own_key), d_out, d_lse, out, lse, gradients);
  });
  return gradients;
}

}  // namespace calor::torch_ops
