// Attention by its definition, from differentiable torch operators: materialises [batch, heads, queries, keys].
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/where.h>

#include <limits>

#include "bindings/torch/attention_arguments.h"

namespace calor::torch_ops {
namespace {

constexpr double minus_infinity = -std::numeric_limits<double>::infinity();

// Which pairs may attend, broadcastable to [batch, heads, queries, keys].
at::Tensor valid_pairs(const at::Tensor& q, const at::Tensor& k, const OptionalTensor& bias,
                       const OptionalTensor& key_mask, const OptionalTensor& mask, bool causal, std::int64_t own_key) {
  const auto keys = k.sym_size(2);
  const at::Tensor placed = visible_places(0, q.sym_size(2), keys, q.device(), causal, own_key);
  at::Tensor valid = placed.defined() ? placed.unsqueeze(0).unsqueeze(0) : at::ones_symint({1, 1, 1, keys}, q.options().dtype(at::kBool));
  if (key_mask) valid = valid.logical_and(key_mask->unsqueeze(1).unsqueeze(1));
  if (mask) valid = valid.logical_and(*mask);
  if (bias) valid = valid.logical_and(bias->detach().ne(minus_infinity).unsqueeze(2));
  return valid;
}

at::Tensor zero_where_not(const at::Tensor& keep, const at::Tensor& values) { return at::where(keep, values, 0.0); }

// The mean over the keys that some row may attend to.  A constant: no distance changes with it.
at::Tensor centre_of(const at::Tensor& k, const at::Tensor& keep_keys) {
  const auto count = keep_keys.to(k.scalar_type()).expand_as(k.select(3, 0).unsqueeze(3)).sum(2, true).clamp_min(1.0);
  return k.detach().sum(2, true).div(count);
}

}  // namespace

TensorPair attention_composed_op(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                 const at::Tensor& scale, const OptionalTensor& bias, const OptionalTensor& key_mask,
                                 const OptionalTensor& mask, bool causal, std::string_view score, std::int64_t own_key) {
  check_arguments(q, k, v, scale, bias, key_mask, mask);
  check_own_key(own_key);
  if (q.scalar_type() == at::kBFloat16) {  // sums of products are float's there too
    auto [out, lse] = attention_composed_op(q.to(at::kFloat), k.to(at::kFloat), v.to(at::kFloat), scale, bias, key_mask, mask, causal, score, own_key);
    return {out.to(at::kBFloat16), lse};
  }
  const auto valid = valid_pairs(q, k, bias, key_mask, mask, causal, own_key);
  // What nobody may see is zeroed, so that a NaN there meets no arithmetic, forward or backward.
  const auto keep_rows = valid.any(3, true), keep_keys = valid.any(2, true).transpose(2, 3);
  auto queries = zero_where_not(keep_rows, q), keys = zero_where_not(keep_keys, k);
  const auto values = zero_where_not(keep_keys, v);
  const auto temperature = scale.expand_symint(q.sym_sizes().slice(0, 2)).unsqueeze(2).unsqueeze(3);
  at::Tensor scores;
  if (score_of(score) == Score::dot) {
    scores = queries.matmul(keys.transpose(2, 3));
  } else {
    const auto centre = centre_of(keys, keep_keys);
    queries = queries.sub(centre), keys = keys.sub(centre);
    scores = queries.matmul(keys.transpose(2, 3)).mul(2.0).sub(queries.square().sum(3, true))
                 .sub(keys.square().sum(3).unsqueeze(2));
  }
  scores = scores.mul(temperature);
  if (bias) scores = scores.add(at::where(bias->eq(minus_infinity), 0.0, *bias).unsqueeze(2));
  // A row without a valid key takes scores of zero here and is dropped below: no infinity enters a derivative.
  const auto live = keep_rows.expand_symint({q.sym_size(0), q.sym_size(1), q.sym_size(2), 1});
  const auto row_lse = at::logsumexp(at::where(valid, scores, at::where(keep_rows, minus_infinity, 0.0)
                                                                  .to(q.scalar_type())), {3}, true);
  const auto weights = at::where(valid, scores.sub(row_lse), minus_infinity).exp();
  return {weights.matmul(values), at::where(live, row_lse, minus_infinity).squeeze(3)};
}

TensorPair attention_composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& scale,
                              const AttentionOptions& options) {
  return attention_composed_op(q, k, v, scale, optional(options.bias), optional(options.key_mask),
                               optional(options.mask), options.causal, name_of(options.score),
                               options.own_key);
}

}  // namespace calor::torch_ops
