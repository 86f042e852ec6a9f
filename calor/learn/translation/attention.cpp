#include "calor/learn/translation/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/linear.h>

#include <cmath>

#include "bindings/torch/attention.h"
#include "calor/learn/score_kind.h"

namespace calor::learn {
namespace {

// Where a head's temperature starts: sqrt(d) for products; 2 sqrt(d) for distances, in which q.k then has the same weight.
double starting_temperature(TranslatorScore score, std::int64_t features) {
  const auto d = static_cast<double>(features);
  return score == TranslatorScore::self ? std::sqrt(d) : 2 * std::sqrt(d);
}

}  // namespace

TranslatorAttention::TranslatorAttention(const TranslatorShape& shape, const std::string& name, std::vector<WeightSpec>& specs)
    : score_(parse_translator_score(shape.score)), heads_(shape.heads) {
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
  } else {
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
  specs.push_back({name + ".log_temperature", {shape.heads}, 0, std::log(starting_temperature(score_, width / shape.heads))});
  log_temperature_ = specs.size() - 1;
}

at::Tensor TranslatorAttention::compared(const Weights& weights, const at::Tensor& x, std::size_t map) const {
  const at::Tensor z = at::linear(x, weights[map]);
  return heads(score_ == TranslatorScore::metric ? learned_map(z, weights[expand_], weights[expand_offset_], weights[contract_], weights[contract_offset_]) : z);
}

at::Tensor TranslatorAttention::queries(const Weights& weights, const at::Tensor& x) const { return compared(weights, x, query_); }
at::Tensor TranslatorAttention::keys(const Weights& weights, const at::Tensor& x) const { return compared(weights, x, key_); }
at::Tensor TranslatorAttention::values(const Weights& weights, const at::Tensor& x) const { return heads(at::linear(x, weights[value_])); }

at::Tensor TranslatorAttention::attend(const Weights& weights, const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values, const at::Tensor& valid, bool causal) const {
  torch_ops::AttentionOptions options;
  options.score = score_ == TranslatorScore::self ? torch_ops::Score::dot : torch_ops::Score::squared_distance;
  options.key_mask = valid;
  options.causal = causal;
  const at::Tensor out = std::get<0>(torch_ops::attention(queries, keys, values, at::exp(-weights[log_temperature_]), options));
  return at::linear(out.transpose(1, 2).flatten(2), weights[output_]);
}

}  // namespace calor::learn
