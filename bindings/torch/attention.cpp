// Registration of the attention operators and their derivative: the first streams, the second is the composition's.
#include "bindings/torch/attention.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <string_view>
#include <tuple>

#include "bindings/torch/attention_arguments.h"

namespace calor::torch_ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

using AttentionSignature = TensorPair(const at::Tensor&, const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                      const OptionalTensor&, const OptionalTensor&, const OptionalTensor&, bool,
                                      std::string_view, std::int64_t);
using BackwardSignature = Gradients(const at::Tensor&, const OptionalTensor&, const at::Tensor&, const at::Tensor&,
                                    const at::Tensor&, const at::Tensor&, const OptionalTensor&, const OptionalTensor&,
                                    const OptionalTensor&, const at::Tensor&, const at::Tensor&, bool,
                                    std::string_view, std::int64_t, bool, bool);

const auto& attention_operator() {
  static const auto handle = c10::Dispatcher::singleton().findSchemaOrThrow("calor::attention", "")
                                 .typed<AttentionSignature>();
  return handle;
}

const auto& backward_operator() {
  static const auto handle = c10::Dispatcher::singleton().findSchemaOrThrow("calor::attention_backward", "")
                                 .typed<BackwardSignature>();
  return handle;
}

bool needs_gradient(const OptionalTensor& tensor) { return tensor && tensor->requires_grad(); }

// A new node of the graph over the same values: a derivative with respect to it stops there, also when one input was
// computed from another.
at::Tensor fresh(const at::Tensor& tensor) { return tensor.defined() ? tensor.view_as(tensor) : tensor; }

// What is not a tensor, as one number: each entry of saved_data takes memory of its own.
std::int64_t packed(bool causal, std::string_view score, std::int64_t own_key) {
  return 4 * own_key + 2 * (score_of(score) == Score::squared_distance) + causal;
}

std::tuple<bool, std::string_view, std::int64_t> unpacked(std::int64_t choices) {
  return {choices & 1, name_of(choices & 2 ? Score::squared_distance : Score::dot), choices >> 2};
}

class Attention : public torch::autograd::Function<Attention> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                               const at::Tensor& scale, const OptionalTensor& bias, const OptionalTensor& key_mask,
                               const OptionalTensor& mask, bool causal, std::string_view score,
                               std::int64_t own_key) {
    at::AutoDispatchBelowADInplaceOrView guard;
    auto [out, lse] = attention_operator().call(q, k, v, scale, bias, key_mask, mask, causal, score, own_key);
    context->save_for_backward({q, k, v, scale, bias.value_or(at::Tensor()), key_mask.value_or(at::Tensor()),
                                mask.value_or(at::Tensor()), out, lse});
    context->saved_data["choices"] = packed(causal, score, own_key);
    context->set_materialize_grads(false);
    return {out, lse};
  }

  static variable_list backward(AutogradContext* context, const variable_list& d_outputs) {
    const auto saved = context->get_saved_variables();
    const auto &out = saved[7], &lse = saved[8];
    const auto [causal, score, own_key] = unpacked(context->saved_data["choices"].toInt());
    if (!d_outputs[0].defined() && !d_outputs[1].defined()) return variable_list(10);
    const at::Tensor d_out = d_outputs[0].defined() ? d_outputs[0] : at::zeros_like(out);
    const at::Tensor& d_lse = d_outputs[1];
    if (at::GradMode::is_enabled()) return differentiable(saved, d_out, d_lse, causal, score, own_key);

    const auto &scale = saved[3], &bias = saved[4];
    const bool scale_gradient = context->needs_input_grad(3), bias_gradient = bias.defined() && bias.requires_grad();
    auto [d_q, d_k, d_v, d_scale, d_bias] = backward_operator().call(
        d_out, optional(d_lse), saved[0], saved[1], saved[2], scale, optional(bias), optional(saved[5]),
        optional(saved[6]), out, lse, causal, score, own_key, scale_gradient, bias_gradient);
    return {d_q,
            d_k,
            d_v,
            scale_gradient ? at::sum_to(d_scale, scale.sym_sizes()) : at::Tensor(),
            bias_gradient ? at::sum_to(d_bias, bias.sym_sizes()) : at::Tensor(),
            {},
            {},
            {},
            {},
            {}};
  }

 private:
  // The gradients as a graph of their own (create_graph), through the composition.
  static variable_list differentiable(const variable_list& saved, const at::Tensor& d_out, const at::Tensor& d_lse,
                                      bool causal, std::string_view score, std::int64_t own_key) {
    variable_list inputs, wanted;
    for (int i = 0; i < 5; ++i) {
      inputs.push_back(fresh(saved[i]));
      if (saved[i].defined() && saved[i].requires_grad()) wanted.push_back(inputs.back());
    }
    const auto [out, lse] = attention_composed_op(inputs[0], inputs[1], inputs[2], inputs[3], optional(inputs[4]),
                                                  optional(saved[5]), optional(saved[6]), causal, score, own_key);
    variable_list outputs = {out}, d_outputs = {d_out};
    if (d_lse.defined()) outputs.push_back(lse), d_outputs.push_back(d_lse);
    const auto gradients = torch::autograd::grad(outputs, wanted, d_outputs, true, true, true);
    variable_list result(10);
    std::size_t next = 0;
    for (int i = 0; i < 5; ++i) {
      if (saved[i].defined() && saved[i].requires_grad()) result[i] = gradients[next++];
    }
    return result;
  }
};

TensorPair attention_autograd(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                              const OptionalTensor& bias, const OptionalTensor& key_mask, const OptionalTensor& mask,
                              bool causal, std::string_view score, std::int64_t own_key) {
  check_device(q);
  if (at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad() ||
                                     scale.requires_grad() || needs_gradient(bias))) {
    auto result = Attention::apply(q, k, v, scale, bias, key_mask, mask, causal, score, own_key);
    return {result[0], result[1]};
  }
  at::AutoDispatchBelowADInplaceOrView guard;
  return attention_operator().call(q, k, v, scale, bias, key_mask, mask, causal, score, own_key);
}

}  // namespace

TensorPair attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                     const AttentionOptions& options) {
  return attention_operator().call(q, k, v, scale, optional(options.bias), optional(options.key_mask),
                                   optional(options.mask), options.causal, name_of(options.score), options.own_key);
}

TORCH_LIBRARY(calor, library) {
  library.def("attention(Tensor q, Tensor k, Tensor v, Tensor scale, Tensor? bias=None, Tensor? key_mask=None, "
              "Tensor? mask=None, bool causal=False, str score=\"dot\", int own_key=-1) -> (Tensor, Tensor)");
  library.def("attention_backward(Tensor d_out, Tensor? d_lse, Tensor q, Tensor k, Tensor v, Tensor scale, "
              "Tensor? bias, Tensor? key_mask, Tensor? mask, Tensor out, Tensor lse, bool causal, str score, "
              "int own_key, bool scale_gradient, bool bias_gradient) -> (Tensor, Tensor, Tensor, Tensor, Tensor)");
  library.def("attention_composed(Tensor q, Tensor k, Tensor v, Tensor scale, Tensor? bias=None, "
              "Tensor? key_mask=None, Tensor? mask=None, bool causal=False, str score=\"dot\", int own_key=-1) -> (Tensor, Tensor)",
              &attention_composed_op);
}

TORCH_LIBRARY_IMPL(calor, CPU, library) {
  library.impl("attention", &attention_cpu);
  library.impl("attention_backward", &attention_backward_cpu);
}

TORCH_LIBRARY_IMPL(calor, Meta, library) {
  library.impl("attention", &attention_meta);
  library.impl("attention_backward", &attention_backward_meta);
}

TORCH_LIBRARY_IMPL(calor, Autograd, library) { library.impl("attention", &attention_autograd); }

}  // namespace calor::torch_ops
