#include "calor/learn/translation/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "bindings/torch/attention.h"

namespace calor::learn {
namespace {

// Where a head's temperature starts: sqrt(d) for products; 2 sqrt(d) for distances, in which q.k then has the same weight.
double starting_temperature(TranslatorScore score, std::int64_t features) {
  const auto d = static_cast<double>(features);
  return score == TranslatorScore::self ? std::sqrt(d) : 2 * std::sqrt(d);
}

}  // namespace

TranslatorAttention::TranslatorAttention(const TranslatorShape& shape, Products products, const std::string& name, std::vector<WeightSpec>& specs)
    : score_(parse_translator_score(shape.score)), heads_(shape.heads), products_(products) {
  const std::int64_t width = shape.width;
  const auto map = [&](const char* role) {
    specs.push_back({name + "." + role, {width, width}, glorot(width, width)});
    return specs.size() - 1;
  };
  const auto offset = [&](const char* role) {
    specs.push_back({name + "." + role, {width}});
    return specs.size() - 1;
  };
  if (score_ == TranslatorScore::self) {
    query_ = map("query");
    key_ = map("key");
  } else if (score_ != TranslatorScore::uniform) {
    query_ = key_ = map("projection");
  }
  if (score_ == TranslatorScore::metric) {
    expand_ = map("expand");
    expand_offset_ = offset("expand_offset");
    contract_ = map("contract");
    contract_offset_ = offset("contract_offset");
  }
  value_ = map("value");
  output_ = map("output");
  if (score_ == TranslatorScore::uniform) return;
  specs.push_back({name + ".log_temperature", {shape.heads}, 0, std::log(starting_temperature(score_, width / shape.heads))});
  log_temperature_ = specs.size() - 1;
}

at::Tensor TranslatorAttention::alike(const at::Tensor& x) const { return at::zeros({x.size(0), heads_, x.size(1), 1}, x.options()); }

at::Tensor TranslatorAttention::compared(const Weights& weights, const at::Tensor& z) const {
  if (score_ != TranslatorScore::metric) return heads(z);
  return heads(learned_map(z, {weights[expand_], weights[expand_offset_], weights[contract_], weights[contract_offset_]}, products_));
}

TranslatorAttention::Rows TranslatorAttention::rows(const Weights& weights, const at::Tensor& x) const {
  if (score_ != TranslatorScore::self) {
    Rows rows = keys_and_values(weights, x);
    rows.queries = rows.keys;
    return rows;
  }
  const auto z = linear_maps(x, {weights[query_], weights[key_], weights[value_]}, products_);
  return {heads(z[0]), heads(z[1]), heads(z[2])};
}

at::Tensor TranslatorAttention::queries(const Weights& weights, const at::Tensor& x) const {
  return score_ == TranslatorScore::uniform ? alike(x) : compared(weights, linear_maps(x, {weights[query_]}, products_)[0]);
}

TranslatorAttention::Rows TranslatorAttention::keys_and_values(const Weights& weights, const at::Tensor& x) const {
  if (score_ == TranslatorScore::uniform) return {{}, alike(x), heads(linear_maps(x, {weights[value_]}, products_)[0])};
  const auto z = linear_maps(x, {weights[key_], weights[value_]}, products_);
  return {{}, compared(weights, z[0]), heads(z[1])};
}

at::Tensor TranslatorAttention::attend(const Weights& weights, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values, const at::Tensor& valid, bool causal) const {
  torch_ops::AttentionOptions options;
  options.score = score_ == TranslatorScore::self || score_ == TranslatorScore::uniform ? torch_ops::Score::dot : torch_ops::Score::squared_distance;
  options.key_mask = valid;
  options.causal = causal;
  const at::Tensor scale = score_ == TranslatorScore::uniform ? at::ones({}, values.options()) : at::exp(-weights[log_temperature_]);
  const at::Tensor out = std::get<0>(torch_ops::attention(queries, keys, values, scale, options));
  return linear_maps(out.transpose(1, 2).flatten(2), {weights[output_]}, products_)[0];
}

}  // namespace calor::learn
