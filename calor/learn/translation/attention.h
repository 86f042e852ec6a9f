// One attention of a translator: what is compared, what flows, and the temperature of each head.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "calor/learn/network/weights.h"
#include "calor/learn/translation/linear.h"
#include "calor/learn/translation/shape.h"

namespace calor::learn {

// Maps are W x without offsets but phi's.  Every head learns its temperature; uniform ones have none, nor maps of what is compared.  x: [B, N, width]; heads: [B, heads, N, width / heads].
class TranslatorAttention {
 public:
  // Declares its weights at the end of `specs`.
  TranslatorAttention(const TranslatorShape& shape, Products products, const std::string& name, std::vector<WeightSpec>& specs);

  // What is compared, and what flows.
  struct Rows {
    at::Tensor queries, keys, values;
  };
  Rows rows(const Weights& weights, const at::Tensor& x) const;  // all of the same x; of distances the queries are the keys
  at::Tensor queries(const Weights& weights, const at::Tensor& x) const;
  Rows keys_and_values(const Weights& weights, const at::Tensor& x) const;

  // [B, N, width], streamed.  valid: [B, M] bool, or undefined; causal: row i sees keys 0..i.
  at::Tensor attend(const Weights& weights, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values, const at::Tensor& valid, bool causal) const;

 private:
  at::Tensor compared(const Weights& weights, const at::Tensor& z) const;
  at::Tensor alike(const at::Tensor& x) const;  // what uniform attention compares: one zero a row and head
  at::Tensor heads(const at::Tensor& x) const { return x.unflatten(2, {heads_, -1}).transpose(1, 2); }

  TranslatorScore score_;
  std::int64_t heads_;
  Products products_;
  std::size_t query_ = 0, key_ = 0, expand_ = 0, expand_offset_ = 0, contract_ = 0, contract_offset_ = 0, value_ = 0, output_ = 0, log_temperature_ = 0;
};

}  // namespace calor::learn
