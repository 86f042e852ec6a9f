// The linear maps of a translator, forward and backward: nearly all of its arithmetic.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <vector>

namespace calor::learn {

// What is multiplied.  bf16: operands rounded to bfloat16 (8 bits of precision), summed in float; the results are rounded too.  rounded: the same operands,
// multiplied as floats, where the processor has no bfloat16 products; results stay floats, so that the two differ by rounding.
enum class Products { whole, bf16, rounded };

const std::vector<std::string>& precisions();  // "float", "bf16"

// Of a name above, on this processor: bf16 where it has AVX-512's products.  Throws Fault::usage with the nearest name.
Products products_of(std::string_view precision);

// x W' of each weight W; x: [.., in], W: [out, in].  Here and below: differentiable once, values and gradients of x's type.
std::vector<at::Tensor> linear_maps(const at::Tensor& x, const std::vector<at::Tensor>& weights, Products products);

// Two maps and what is between them.
struct TwoMaps {
  at::Tensor expand, expand_offset;      // [hidden, in], [hidden]
  at::Tensor contract, contract_offset;  // [out, hidden], [out]
};
at::Tensor feed_forward(const at::Tensor& x, const TwoMaps& maps, Products products);  // max(0, x W1' + b1) W2' + b2
at::Tensor learned_map(const at::Tensor& x, const TwoMaps& maps, Products products);   // x + tanh(x W1' + b1) W2' + b2

// The operand as it is multiplied.
at::Tensor operand(const at::Tensor& x, Products products);

// While it lives, products of float matrices go to oneDNN instead of MKL on AMD's processors, for which MKL has no AVX-512 kernels: on Zen 4 they are 10 to 20 %
// faster; a step of training takes 11 % less, but 4 % in the first epoch, since oneDNN makes kernels for every new number of rows.  Only where a trial shows that it
// then multiplies floats as floats: the setting that sends them there, which is the process's, allows it bfloat16.
class FasterProducts {
 public:
  FasterProducts();
  ~FasterProducts();
  FasterProducts(const FasterProducts&) = delete;
  FasterProducts& operator=(const FasterProducts&) = delete;

 private:
  bool set_;
};

}  // namespace calor::learn
