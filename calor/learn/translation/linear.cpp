#include "calor/learn/translation/linear.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "calor/learn/translation/shape.h"

namespace calor::learn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

bool has_bf16_products() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool is_amd() {
#if defined(__x86_64__)
  return __builtin_cpu_is("amd");
#else
  return false;
#endif
}

at::Tensor rows_of(const at::Tensor& x) { return x.reshape({-1, x.size(-1)}); }

// a b + offset, in that type.
at::Tensor product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& offset, at::ScalarType type) { return at::addmm(offset.to(a.scalar_type()), a, b).to(type); }

at::Tensor shaped(const at::Tensor& rows, const at::Tensor& like) {
  std::vector<std::int64_t> sizes(like.sizes().begin(), like.sizes().end());
  sizes.back() = rows.size(1);
  return rows.view(sizes);
}

class LinearMaps : public torch::autograd::Function<LinearMaps> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::TensorList& weights, Products products) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    variable_list kept{operand(rows_of(x), products)}, found;
    for (const at::Tensor& weight : weights) {
      kept.push_back(operand(weight, products));
      found.push_back(shaped(at::mm(kept[0], kept.back().t()).to(x.scalar_type()), x));
    }
    context->save_for_backward(kept);
    context->saved_data["products"] = static_cast<std::int64_t>(products);
    return found;
  }
  static variable_list backward(AutogradContext* context, const variable_list& d_found) {
    const auto saved = context->get_saved_variables();
    const auto products = static_cast<Products>(context->saved_data["products"].toInt());
    const auto type = d_found[0].scalar_type();
    variable_list gradients{at::Tensor()};
    at::Tensor d_x;
    for (std::size_t m = 0; m < d_found.size(); ++m) {
      const at::Tensor d = operand(rows_of(d_found[m]), products), &w = saved[m + 1];
      if (!d_x.defined()) d_x = at::mm(d, w).to(type);
      else if (w.scalar_type() == type) d_x.addmm_(d, w);
      else d_x.add_(at::mm(d, w));
      gradients.push_back(at::mm(d.t(), saved[0]).to(type));
    }
    gradients[0] = shaped(d_x, d_found[0]);
    gradients.emplace_back();
    return gradients;
  }
};

enum class Between { relu, tanh };  // tanh: and x is added

class BothMaps : public torch::autograd::Function<BothMaps> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& expand, const at::Tensor& expand_offset, const at::Tensor& contract,
                            const at::Tensor& contract_offset, Between between, Products products) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const at::Tensor rows = operand(rows_of(x), products), w1 = operand(expand, products), w2 = operand(contract, products);
    const at::Tensor before = product(rows, w1.t(), expand_offset, rows.scalar_type());
    const at::Tensor hidden = operand(between == Between::relu ? before.relu_() : before.tanh_(), products);
    context->save_for_backward({rows, w1, w2, hidden});
    context->saved_data["products"] = static_cast<std::int64_t>(products);
    context->saved_data["tanh"] = between == Between::tanh;
    const at::Tensor out = shaped(product(hidden, w2.t(), contract_offset, x.scalar_type()), x);
    return between == Between::tanh ? out.add_(x) : out;
  }
  static variable_list backward(AutogradContext* context, const variable_list& d_out) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &rows = saved[0], &w1 = saved[1], &w2 = saved[2], &hidden = saved[3];
    const auto products = static_cast<Products>(context->saved_data["products"].toInt());
    const bool tanh = context->saved_data["tanh"].toBool();
    const at::Tensor d_rows = rows_of(d_out[0]), d = operand(d_rows, products), before = at::mm(d, w2);
    const auto type = d_rows.scalar_type();
    const at::Tensor d_hidden = operand(tanh ? at::tanh_backward(before, hidden) : at::threshold_backward(before, hidden, 0), products);
    const at::Tensor d_x = at::mm(d_hidden, w1).to(type);
    if (tanh) d_x.add_(d_rows);
    return {shaped(d_x, d_out[0]), at::mm(d_hidden.t(), rows).to(type), d_hidden.sum(at::IntArrayRef{0}, false, type), at::mm(d.t(), hidden).to(type), d_rows.sum(0), {}, {}};
  }
};

constexpr auto onednn = at::Float32Backend::MKLDNN;
constexpr auto matmul = at::Float32Op::MATMUL;

void set_onednn(at::Float32Precision precision) { at::globalContext().setFloat32Precision(onednn, matmul, precision); }

// 1 + 2^-12 times 1 is itself in float, and 1 in bfloat16.
bool onednn_multiplies_floats() {
  static const bool yes = [] {
    const at::NoGradGuard no_gradient;
    set_onednn(at::Float32Precision::BF16);
    const double number = 1 + 1.0 / 4096, found = at::mm(at::full({256, 256}, number, at::kFloat), at::ones({256, 256}, at::kFloat)).min().item<double>();
    set_onednn(at::Float32Precision::NONE);
    return found == 256 * number;
  }();
  return yes;
}

}  // namespace

const std::vector<std::string>& precisions() {
  static const std::vector<std::string> names{"float", "bf16"};
  return names;
}

Products products_of(std::string_view precision) {
  if (place_of(precision, precisions(), "a precision") == 0) return Products::whole;
  return has_bf16_products() ? Products::bf16 : Products::rounded;
}

at::Tensor operand(const at::Tensor& x, Products products) {
  if (products == Products::whole) return x;
  const at::Tensor short_ones = x.to(at::kBFloat16);
  return products == Products::bf16 ? short_ones : short_ones.to(at::kFloat);
}

std::vector<at::Tensor> linear_maps(const at::Tensor& x, const std::vector<at::Tensor>& weights, Products products) { return LinearMaps::apply(x, at::TensorList(weights), products); }

at::Tensor feed_forward(const at::Tensor& x, const TwoMaps& maps, Products products) {
  return BothMaps::apply(x, maps.expand, maps.expand_offset, maps.contract, maps.contract_offset, Between::relu, products);
}

at::Tensor learned_map(const at::Tensor& x, const TwoMaps& maps, Products products) {
  return BothMaps::apply(x, maps.expand, maps.expand_offset, maps.contract, maps.contract_offset, Between::tanh, products);
}

FasterProducts::FasterProducts() : set_(is_amd() && at::globalContext().float32Precision(onednn, matmul) == at::Float32Precision::NONE && onednn_multiplies_floats()) {
  if (set_) set_onednn(at::Float32Precision::BF16);
}

FasterProducts::~FasterProducts() {
  if (set_) set_onednn(at::Float32Precision::NONE);
}

}  // namespace calor::learn
