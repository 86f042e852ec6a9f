#include "bindings/torch/dense.h"

#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/tanh.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace calor::torch_ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool served(std::initializer_list<const at::Tensor*> tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [](const at::Tensor* t) { return !t->defined() || (t->is_cpu() && t->scalar_type() == at::kFloat && t->numel() > 0); });
}

bool any_gradient(std::initializer_list<const at::Tensor*> tensors) {
  return at::GradMode::is_enabled() && std::any_of(tensors.begin(), tensors.end(), [](const at::Tensor* t) { return t->defined() && t->requires_grad(); });
}

const float* numbers(const at::Tensor& tensor) { return tensor.defined() ? static_cast<const float*>(tensor.const_data_ptr()) : nullptr; }
float* mutable_numbers(const at::Tensor& tensor) { return tensor.defined() ? static_cast<float*>(tensor.mutable_data_ptr()) : nullptr; }

at::Tensor floats(std::int64_t rows, std::int64_t columns) { return at::detail::empty_cpu({rows, columns}, at::kFloat); }
at::Tensor floats(std::int64_t count) { return at::detail::empty_cpu({count}, at::kFloat); }

// The kernels' view of a layer, whose tensors are contiguous.
kernels::DenseLayer layer_of(const at::Tensor& x, const at::Tensor& weight, Activation activation) {
  return {x.size(0), x.size(1), weight.size(0), numbers(x), x.size(1), numbers(weight), activation, at::get_num_threads()};
}

at::Tensor forward_of(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation, const at::Tensor& added = {}) {
  const at::Tensor y = floats(x.size(0), weight.size(0));
  kernels::dense_forward(layer_of(x, weight, activation), numbers(bias), numbers(added), mutable_numbers(y));
  return y;
}

struct Gradients {
  at::Tensor x, weight, bias;
};

// Those that are wanted; `added` is added to the one by x.
Gradients gradients_of(const at::Tensor& x, const at::Tensor& weight, Activation activation, const at::Tensor& y, const at::Tensor& d_y, bool of_x, bool of_weight, bool of_bias,
                       const at::Tensor& added = {}) {
  Gradients found;
  if (of_x) found.x = floats(x.size(0), x.size(1));
  if (of_weight) found.weight = floats(weight.size(0), weight.size(1));
  if (of_bias) found.bias = floats(weight.size(0));
  kernels::dense_backward(layer_of(x, weight, activation), numbers(y), numbers(d_y), {mutable_numbers(found.x), mutable_numbers(found.weight), mutable_numbers(found.bias), numbers(added)});
  return found;
}

at::Tensor through(Activation activation, const at::Tensor& y, const at::Tensor& d_y) { return activation == Activation::tanh ? d_y * (1 - y * y) : d_y; }

class Layer : public torch::autograd::Function<Layer> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias, Activation activation) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const at::Tensor y = forward_of(x, weight, bias.value_or(at::Tensor()), activation);
    context->save_for_backward({x, weight, y});
    context->saved_data["choices"] = std::int64_t{activation == Activation::tanh} + 2 * std::int64_t{bias.has_value()};
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& sent) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &y = saved[2];
    const std::int64_t choices = context->saved_data["choices"].toInt();
    const Activation activation = choices & 1 ? Activation::tanh : Activation::none;
    const bool of_x = context->needs_input_grad(0), of_weight = context->needs_input_grad(1), of_bias = (choices & 2) && context->needs_input_grad(2);
    if (at::GradMode::is_enabled()) {  // a gradient that can be differentiated again
      const at::Tensor d = through(activation, y, sent[0]);
      return {of_x ? d.matmul(weight) : at::Tensor(), of_weight ? d.t().matmul(x) : at::Tensor(), of_bias ? d.sum(0) : at::Tensor(), {}};
    }
    Gradients found = gradients_of(x, weight, activation, y, sent[0].contiguous(), of_x, of_weight, of_bias);
    return {std::move(found.x), std::move(found.weight), std::move(found.bias), {}};
  }
};

class Map : public torch::autograd::Function<Map> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& z, const at::Tensor& hidden, const at::Tensor& hidden_bias, const at::Tensor& out, const at::Tensor& out_bias) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const at::Tensor units = forward_of(z, hidden, hidden_bias, Activation::tanh);
    context->save_for_backward({z, hidden, hidden_bias, out, units});
    return forward_of(units, out, out_bias, Activation::none, z);
  }
  static variable_list backward(AutogradContext* context, const variable_list& sent) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &z = saved[0], &hidden = saved[1], &out = saved[3], d_y = sent[0].contiguous();
    const auto wanted = [&](std::size_t i) { return context->needs_input_grad(i); };
    if (at::GradMode::is_enabled()) {  // a gradient that can be differentiated again
      const at::Tensor units = at::tanh(at::linear(z, hidden, saved[2])), d = through(Activation::tanh, units, d_y.matmul(out));
      return {wanted(0) ? d_y + d.matmul(hidden) : at::Tensor(), wanted(1) ? d.t().matmul(z) : at::Tensor(), wanted(2) ? d.sum(0) : at::Tensor(),
              wanted(3) ? d_y.t().matmul(units) : at::Tensor(), wanted(4) ? d_y.sum(0) : at::Tensor()};
    }
    const at::Tensor& units = saved[4];
    Gradients second = gradients_of(units, out, Activation::none, at::Tensor(), d_y, wanted(0) || wanted(1) || wanted(2), wanted(3), wanted(4)), first;
    if (second.x.defined()) first = gradients_of(z, hidden, Activation::tanh, units, second.x, wanted(0), wanted(1), wanted(2), d_y);
    return {std::move(first.x), std::move(first.weight), std::move(first.bias), std::move(second.weight), std::move(second.bias)};
  }
};

at::Tensor tangent_of(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor y = at::detail::empty_cpu(a.sizes(), at::kFloat);
  kernels::tanh_of_sum(numbers(a), numbers(b), a.numel(), mutable_numbers(y));
  return y;
}

class TanhOfSum : public torch::autograd::Function<TanhOfSum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& a, const at::Tensor& b) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const at::Tensor y = tangent_of(a, b);
    context->save_for_backward({y});
    return y;
  }
  static variable_list backward(AutogradContext* context, const variable_list& sent) {
    const at::Tensor y = context->get_saved_variables()[0];
    if (at::GradMode::is_enabled()) {
      const at::Tensor d = through(Activation::tanh, y, sent[0]);
      return {d, d};
    }
    const at::Tensor d_y = sent[0].contiguous(), d = at::detail::empty_cpu(y.sizes(), at::kFloat);
    kernels::through_tanh(numbers(y), numbers(d_y), y.numel(), mutable_numbers(d));
    return {d, d};
  }
};

}  // namespace

at::Tensor dense_layer(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Activation activation) {
  if (!served({&x, &weight, &bias}) || x.dim() != 2 || x.size(1) != weight.size(1)) {
    const at::Tensor y = bias.defined() ? at::linear(x, weight, bias) : at::linear(x, weight);
    return activation == Activation::tanh ? at::tanh(y) : y;
  }
  const at::Tensor rows = x.contiguous(), own = weight.contiguous();
  return any_gradient({&x, &weight, &bias}) ? Layer::apply(rows, own, bias.defined() ? std::optional(bias) : std::nullopt, activation) : forward_of(rows, own, bias, activation);
}

at::Tensor learned_map(const at::Tensor& z, const at::Tensor& hidden, const at::Tensor& hidden_bias, const at::Tensor& out, const at::Tensor& out_bias) {
  if (!served({&z, &hidden, &hidden_bias, &out, &out_bias}) || z.dim() != 2 || z.size(1) != hidden.size(1) || z.size(1) != out.size(0) || hidden.size(0) != out.size(1))
    return z + at::linear(at::tanh(at::linear(z, hidden, hidden_bias)), out, out_bias);
  const at::Tensor rows = z.contiguous(), first = hidden.contiguous(), second = out.contiguous();
  if (any_gradient({&z, &hidden, &hidden_bias, &out, &out_bias})) return Map::apply(rows, first, hidden_bias, second, out_bias);
  return forward_of(forward_of(rows, first, hidden_bias, Activation::tanh), second, out_bias, Activation::none, rows);
}

at::Tensor tanh_of_sum(const at::Tensor& a, const at::Tensor& b) {
  if (!served({&a, &b}) || a.sizes() != b.sizes()) return at::tanh(a + b);
  const at::Tensor first = a.contiguous(), second = b.contiguous();
  return any_gradient({&a, &b}) ? TanhOfSum::apply(first, second) : tangent_of(first, second);
}

}  // namespace calor::torch_ops
