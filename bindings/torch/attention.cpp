// Registration of the attention operators and their derivatives: the first and the second stream, further ones are the composition's.
#include "bindings/torch/attention.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <string_view>
#include <tuple>

#include "bindings/torch/attention_arguments.h"
#include "bindings/torch/attention_second.h"

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

// What a call takes beside what it differentiates by.
struct Choices {
  OptionalTensor key_mask, mask;
  bool causal;
  std::string_view score;
  std::int64_t own_key;
};

// Gradients with respect to q, k, v, scale and bias as a graph of their own, through the composition; undefined where none is wanted.
variable_list composed_gradients(const variable_list& inputs, const at::Tensor& d_out, const at::Tensor& d_lse, const Choices& choices) {
  variable_list own, wanted;
  for (const at::Tensor& input : inputs) {
    own.push_back(fresh(input));
    if (input.defined() && input.requires_grad()) wanted.push_back(own.back());
  }
  const auto [out, lse] = attention_composed_op(own[0], own[1], own[2], own[3], optional(own[4]), choices.key_mask, choices.mask, choices.causal, choices.score,
                                                choices.own_key);
  variable_list outputs, d_outputs, result(inputs.size());
  if (d_out.defined() && out.requires_grad()) outputs.push_back(out), d_outputs.push_back(d_out);
  if (d_lse.defined() && lse.requires_grad()) outputs.push_back(lse), d_outputs.push_back(d_lse);  // of v alone it does not depend
  if (outputs.empty() || wanted.empty()) return result;
  const auto gradients = torch::autograd::grad(outputs, wanted, d_outputs, true, true, true);
  std::size_t next = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].defined() && inputs[i].requires_grad()) result[i] = gradients[next++];
  return result;
}

at::Tensor as_floats(const at::Tensor& tensor) { return tensor.defined() && tensor.scalar_type() == at::kBFloat16 ? tensor.to(at::kFloat) : tensor; }

// The first derivative as a function that can be differentiated: of q, k, v, scale, bias, d_out and d_lse.
class AttentionGradient : public torch::autograd::Function<AttentionGradient> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                               const OptionalTensor& bias, const at::Tensor& d_out, const OptionalTensor& d_lse, const OptionalTensor& key_mask,
                               const OptionalTensor& mask, const at::Tensor& out, const at::Tensor& lse, bool causal, std::string_view score, std::int64_t own_key) {
    at::AutoDispatchBelowADInplaceOrView guard;
    const bool scale_gradient = scale.requires_grad(), bias_gradient = needs_gradient(bias);
    auto [d_q, d_k, d_v, d_scale, d_bias] = backward_operator().call(d_out, d_lse, q, k, v, scale, bias, key_mask, mask, out, lse, causal, score, own_key,
                                                                    scale_gradient, bias_gradient);
    context->save_for_backward({q, k, v, scale, bias.value_or(at::Tensor()), d_out, d_lse.value_or(at::Tensor()), key_mask.value_or(at::Tensor()),
                                mask.value_or(at::Tensor()), lse});
    context->saved_data["choices"] = packed(causal, score, own_key);
    context->set_materialize_grads(false);
    return {d_q, d_k, d_v, d_scale, d_bias};
  }

  static variable_list backward(AutogradContext* context, const variable_list& sent) {
    const auto saved = context->get_saved_variables();
    const auto [causal, score, own_key] = unpacked(context->saved_data["choices"].toInt());
    const Choices choices{optional(saved[7]), optional(saved[8]), causal, score, own_key};
    const variable_list inputs(saved.begin(), saved.begin() + 5);
    const at::Tensor &d_out = saved[5], &d_lse = saved[6];
    const c10::impl::ExcludeDispatchKeyGuard without_autocast(c10::autocast_dispatch_keyset);  // numbers keep their types
    if (at::GradMode::is_enabled()) return composed(inputs, d_out, d_lse, choices, sent);

    SecondProblem problem;
    problem.q = as_floats(saved[0]), problem.k = as_floats(saved[1]), problem.v = as_floats(saved[2]), problem.scale = saved[3], problem.lse = saved[9];
    problem.d_out = as_floats(d_out), problem.bias = optional(saved[4]), problem.key_mask = choices.key_mask, problem.mask = choices.mask, problem.d_lse = optional(d_lse);
    problem.causal = causal, problem.score = score_of(score), problem.own_key = own_key;
    problem.of_d_q = as_floats(sent[0]), problem.of_d_k = as_floats(sent[1]), problem.of_d_v = as_floats(sent[2]);
    problem.scale_gradient = saved[3].requires_grad();
    if (problem.scale_gradient) problem.of_d_scale = sent[3];
    if (saved[4].defined() && saved[4].requires_grad()) problem.of_d_bias = sent[4];
    const SecondGradients found = second_derivative(problem);
    variable_list result(14);
    const auto put = [&](std::size_t i, const at::Tensor& input, const at::Tensor& gradient) {
      if (input.defined() && input.requires_grad()) result[i] = gradient.sizes() == input.sizes() ? gradient.to(input.scalar_type()) : at::sum_to(gradient, input.sym_sizes());
    };
    put(0, saved[0], found.q), put(1, saved[1], found.k), put(2, saved[2], found.v), put(3, saved[3], found.scale), put(4, saved[4], found.bias);
    put(5, d_out, found.d_out), put(6, d_lse, found.d_lse);
    return result;
  }

 private:
  // What was sent to the gradient of a broadcast input, back in that input's shape: it is the same along what was summed over.
  static at::Tensor first_of_each(at::Tensor sent, const at::Tensor& like) {
    while (sent.dim() > like.dim()) sent = sent.select(0, 0);
    for (std::int64_t d = 0; d < like.dim(); ++d)
      if (like.size(d) == 1 && sent.size(d) != 1) sent = sent.narrow(d, 0, 1);
    return sent;
  }

  // As a graph: a third derivative is wanted.
  static variable_list composed(const variable_list& saved, const at::Tensor& d_out, const at::Tensor& d_lse, const Choices& choices, const variable_list& sent) {
    variable_list inputs;
    for (const at::Tensor& input : saved) inputs.push_back(fresh(input));
    const at::Tensor own_d_out = fresh(d_out), own_d_lse = fresh(d_lse);
    const variable_list first = composed_gradients(inputs, own_d_out, own_d_lse, choices);
    inputs.push_back(own_d_out), inputs.push_back(own_d_lse);
    variable_list outputs, of_outputs, wanted, result(14);
    for (std::size_t i = 0; i < first.size(); ++i) {
      if (!first[i].defined() || !sent[i].defined() || !first[i].requires_grad()) continue;
      outputs.push_back(first[i]);
      of_outputs.push_back(first_of_each(sent[i], first[i]));
    }
    for (const at::Tensor& input : inputs)
      if (input.defined() && input.requires_grad()) wanted.push_back(input);
    if (outputs.empty() || wanted.empty()) return result;
    const auto gradients = torch::autograd::grad(outputs, wanted, of_outputs, true, true, true);
    std::size_t next = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].defined() && inputs[i].requires_grad()) result[i] = gradients[next++];
    return result;
  }
};

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
    const auto &scale = saved[3], &bias = saved[4];
    const bool scale_gradient = context->needs_input_grad(3), bias_gradient = bias.defined() && bias.requires_grad();
    const auto sent_on = [&](const at::Tensor& d_q, const at::Tensor& d_k, const at::Tensor& d_v, const at::Tensor& d_scale, const at::Tensor& d_bias) {
      return variable_list{d_q, d_k, d_v, scale_gradient ? at::sum_to(d_scale, scale.sym_sizes()) : at::Tensor(),
                           bias_gradient ? at::sum_to(d_bias, bias.sym_sizes()) : at::Tensor(), {}, {}, {}, {}, {}};
    };
    if (at::GradMode::is_enabled()) {  // gradients that can be differentiated again
      const auto found = AttentionGradient::apply(saved[0], saved[1], saved[2], scale, optional(bias), d_out, optional(d_lse), optional(saved[5]),
                                                  optional(saved[6]), out.detach(), lse.detach(), causal, score, own_key);
      return sent_on(found[0], found[1], found[2], found[3], found[4]);
    }
    const auto [d_q, d_k, d_v, d_scale, d_bias] = backward_operator().call(
        d_out, optional(d_lse), saved[0], saved[1], saved[2], scale, optional(bias), optional(saved[5]),
        optional(saved[6]), out, lse, causal, score, own_key, scale_gradient, bias_gradient);
    return sent_on(d_q, d_k, d_v, d_scale, d_bias);
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
