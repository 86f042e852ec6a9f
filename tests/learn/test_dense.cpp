// Dense layers as nodes of torch's graph: floats against the composition in double, values and gradients by every input; gradients of gradients against the composition's; and what
// the kernels do not serve, through the composition.  Numbers are of size 1 and sums have under 40 terms: floats are within 1e-5.  Gradients of the double path are checked by
// differences (step 1e-6, 1e-7), so that the float path's are too.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <vector>

#include "bindings/torch/dense.h"
#include "calor/core/random.h"

namespace calor::learn {
namespace {

using torch_ops::Activation;
using Tensors = std::vector<at::Tensor>;
using Operator = std::function<at::Tensor(const Tensors&)>;

at::Tensor drawn(at::IntArrayRef sizes, std::uint64_t stream) {
  Random random(6, Purpose::test, stream);
  const at::Tensor x = at::empty(sizes, at::kDouble);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.data_ptr<double>()[i] = random.uniform(-1, 1);
  return x.to(at::kFloat).to(at::kDouble);  // the same numbers in both types
}

struct Named {
  const char* name;
  Operator by;
  Tensors inputs;  // doubles
};

std::vector<Named> operators() {
  const auto layer = [](Activation activation) { return [=](const Tensors& in) { return torch_ops::dense_layer(in[0], in[1], in.size() > 2 ? in[2] : at::Tensor(), activation); }; };
  return {{"layer", layer(Activation::none), {drawn({9, 5}, 0), drawn({7, 5}, 1), drawn({7}, 2)}},
          {"tanh", layer(Activation::tanh), {drawn({100, 17}, 0), drawn({20, 17}, 1), drawn({20}, 2)}},
          {"no bias", layer(Activation::none), {drawn({33, 16}, 0), drawn({3, 16}, 1)}},
          {"map", [](const Tensors& in) { return torch_ops::learned_map(in[0], in[1], in[2], in[3], in[4]); },
           {drawn({40, 10}, 0), drawn({6, 10}, 1), drawn({6}, 2), drawn({10, 6}, 3), drawn({10}, 4)}},
          {"sum", [](const Tensors& in) { return torch_ops::tanh_of_sum(in[0], in[1]); }, {drawn({5, 7}, 0), drawn({5, 7}, 1)}}};
}

Tensors leaves(const Tensors& inputs, at::ScalarType type) {
  Tensors own;
  for (const at::Tensor& input : inputs) own.push_back(input.to(type).clone().requires_grad_());
  return own;
}

// A number that the result makes, no two of whose derivatives are alike.
at::Tensor number_of(const at::Tensor& y) { return (y * drawn(y.sizes(), 9).to(y.scalar_type())).sum(); }

double difference(const at::Tensor& a, const at::Tensor& b) { return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>(); }

TEST(Dense, FloatsAreTheDefinitionInDouble) {
  for (const Named& each : operators()) {
    const Tensors floats = leaves(each.inputs, at::kFloat), doubles = leaves(each.inputs, at::kDouble);
    const at::Tensor y = each.by(floats), exact = each.by(doubles);
    EXPECT_LE(difference(y, exact), 1e-5) << each.name;
    const auto found = torch::autograd::grad({number_of(y)}, floats), known = torch::autograd::grad({number_of(exact)}, doubles);
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_LE(difference(found[i], known[i]), 1e-5) << each.name << " " << i;
    const at::NoGradGuard no_gradient;
    EXPECT_TRUE(at::equal(each.by(floats), y)) << each.name;
  }
}

TEST(Dense, GradientsInDoubleAreDifferences) {
  constexpr double step = 1e-6;
  for (const Named& each : operators()) {
    const Tensors inputs = leaves(each.inputs, at::kDouble);
    const auto known = torch::autograd::grad({number_of(each.by(inputs))}, inputs);
    const at::NoGradGuard no_gradient;
    for (std::size_t i = 0; i < inputs.size(); ++i)
      for (std::int64_t n = 0; n < inputs[i].numel(); n += 3) {
        double* number = inputs[i].data_ptr<double>() + n;
        const double before = *number;
        *number = before + step;
        const double above = number_of(each.by(inputs)).item<double>();
        *number = before - step;
        const double below = number_of(each.by(inputs)).item<double>();
        *number = before;
        ASSERT_NEAR(known[i].flatten()[n].item<double>(), (above - below) / (2 * step), 1e-7) << each.name << " " << i;
      }
  }
}

TEST(Dense, GradientsOfGradientsAreTheDefinitions) {
  for (const Named& each : operators()) {
    const auto second = [&](at::ScalarType type) {
      const Tensors inputs = leaves(each.inputs, type);
      const auto first = torch::autograd::grad({number_of(each.by(inputs))}, inputs, {}, true, true);
      at::Tensor all = at::zeros({}, type);
      for (const at::Tensor& gradient : first) all = all + gradient.square().sum();
      return torch::autograd::grad({all}, inputs, {}, std::nullopt, false, true);
    };
    const auto found = second(at::kFloat), known = second(at::kDouble);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].defined(), known[i].defined()) << each.name << " " << i;
      if (known[i].defined()) {
        EXPECT_LE(difference(found[i], known[i]), 2e-6 * (1 + known[i].abs().max().item<double>()) * 40) << each.name << " " << i;
      }
    }
  }
}

TEST(Dense, OtherStridesAndTypes) {
  const at::Tensor x = drawn({12, 8}, 0).to(at::kFloat), weight = drawn({8, 6}, 1).to(at::kFloat);
  const at::Tensor y = torch_ops::dense_layer(x.t().narrow(1, 2, 8), weight.t(), {}, Activation::tanh);
  EXPECT_TRUE(at::equal(y, torch_ops::dense_layer(x.t().narrow(1, 2, 8).contiguous(), weight.t().contiguous(), {}, Activation::tanh)));
  const at::Tensor half = torch_ops::dense_layer(x.to(at::kBFloat16), weight.t().to(at::kBFloat16).narrow(1, 0, 8), {}, Activation::none);
  EXPECT_EQ(half.scalar_type(), at::kBFloat16);
  EXPECT_EQ(torch_ops::dense_layer(x.narrow(0, 0, 0), weight.t(), {}, Activation::none).size(0), 0);
}

}  // namespace
}  // namespace calor::learn
