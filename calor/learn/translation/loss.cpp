#include "calor/learn/translation/loss.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

namespace calor::learn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Rows: of floats with 8,000 columns 8 MB, which stay in the cache from one pass to the next.  In bf16 a slice's share of the embedding's gradient is added by
// a pass of its own, which more rows make rarer.
std::int64_t slice_of(Products products) { return products == Products::bf16 ? 512 : 256; }

struct Gradients {
  at::Tensor features, embedding;  // undefined: not wanted
};

at::Tensor evaluate(const at::Tensor& all, const at::Tensor& embedding, const at::Tensor& wanted, double smoothing, Products products, const Gradients& gradients) {
  const auto type = all.scalar_type();
  const at::Tensor features = operand(all, products), columns = operand(embedding, products);
  const double spread = smoothing / static_cast<double>(embedding.size(0));
  const at::Tensor sum = at::zeros({}, all.options());
  const std::int64_t slice = slice_of(products);
  for (std::int64_t first = 0; first < features.size(0); first += slice) {
    const std::int64_t rows = std::min(slice, features.size(0) - first);
    const at::Tensor some = features.narrow(0, first, rows), column = wanted.narrow(0, first, rows).unsqueeze(1);
    at::Tensor logs = at::log_softmax(at::mm(some, columns.t()).to(type), 1);
    sum.sub_(logs.gather(1, column).sum(), 1 - smoothing);
    if (spread > 0) sum.sub_(logs.sum(), spread);
    if (!gradients.features.defined()) continue;
    at::Tensor& difference = logs.exp_();
    if (spread > 0) difference.sub_(spread);
    difference.scatter_add_(1, column, at::zeros({rows, 1}, all.options()).fill_(smoothing - 1));
    const at::Tensor d = operand(difference, products);
    gradients.features.narrow(0, first, rows).copy_(at::mm(d, columns));
    if (d.scalar_type() == type) gradients.embedding.addmm_(d.t(), some);
    else gradients.embedding.add_(at::mm(d.t(), some));
  }
  return sum;
}

class CrossEntropySum : public torch::autograd::Function<CrossEntropySum> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& features, const at::Tensor& embedding, const at::Tensor& wanted, double smoothing, Products products) {
    const at::AutoDispatchBelowADInplaceOrView guard;
    const Gradients gradients{at::empty_like(features), at::zeros_like(embedding)};
    const at::Tensor sum = evaluate(features, embedding, wanted, smoothing, products, gradients);
    context->save_for_backward({gradients.features, gradients.embedding});
    return sum;
  }
  static variable_list backward(AutogradContext* context, const variable_list& d_sum) {
    const auto saved = context->get_saved_variables();
    return {saved[0] * d_sum[0], saved[1] * d_sum[0], {}, {}, {}};
  }
};

}  // namespace

at::Tensor cross_entropy_sum(const at::Tensor& features, const at::Tensor& embedding, const at::Tensor& wanted, double smoothing, Products products) {
  if (at::GradMode::is_enabled() && (features.requires_grad() || embedding.requires_grad())) return CrossEntropySum::apply(features, embedding, wanted, smoothing, products);
  return evaluate(features, embedding, wanted, smoothing, products, {});
}

}  // namespace calor::learn
