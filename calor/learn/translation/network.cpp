#include "calor/learn/translation/network.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>

#include <cmath>

#include "calor/core/error.h"
#include "calor/core/text.h"
#include "calor/learn/network/features.h"
#include "calor/learn/translation/loss.h"

namespace calor::learn {
namespace {

// sin and cos of position / 10000^(2 i / width) in features 2 i and 2 i + 1.
at::Tensor sinusoids(std::int64_t width, at::ScalarType dtype) {
  const at::Tensor table = at::empty({most_positions, width}, at::kDouble);
  auto* at = table.mutable_data_ptr<double>();
  for (std::int64_t p = 0; p < most_positions; ++p)
    for (std::int64_t i = 0; i < width / 2; ++i) {
      const double angle = static_cast<double>(p) * std::pow(10'000.0, -2.0 * static_cast<double>(i) / static_cast<double>(width));
      *at++ = std::sin(angle);
      *at++ = std::cos(angle);
    }
  return table.to(dtype);
}

// Dropout of one pass: each call draws for a place of its own.
class Dropout {
 public:
  Dropout(double share, const Draws& draws, std::size_t first) : share_(draws.training ? share : 0), draws_(draws), place_(first) {}
  at::Tensor operator()(const at::Tensor& x) { return share_ > 0 ? x * dropout_factors(x.sizes(), share_, draws_, place_++) : x; }
  // x, and y dropped out.
  at::Tensor added(const at::Tensor& x, const at::Tensor& y) { return share_ > 0 ? at::addcmul(x, y, dropout_factors(y.sizes(), share_, draws_, place_++)) : x + y; }

 private:
  double share_;
  Draws draws_;
  std::size_t place_;
};

constexpr std::size_t decoder_places = 500;  // of dropout: those of the encoder come before

}  // namespace

void DecoderCache::select(const at::Tensor& rows) {
  const auto pick = [&](at::Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.index_select(0, rows);
  };
  for (Layer& layer : layers) pick(layer.keys), pick(layer.values), pick(layer.source_keys), pick(layer.source_values);
  pick(valid);
}

Translator::Parts::Parts(const TranslatorShape& shape, Products products) {
  validate(shape);
  embedding = declare("embedding", {shape.vocabulary, shape.width}, std::sqrt(3.0 / static_cast<double>(shape.width)));  // variance 1 / width
  for (std::int64_t l = 0; l < shape.layers; ++l) {
    const std::string name = fmt::format("encoder.{}.", l);
    const Norm before_attention = norm(name + "before_attention", shape.width);
    const TranslatorAttention attention(shape, products, name + "attention", specs);
    const Norm before_forward = norm(name + "before_forward", shape.width);
    encoder.push_back({before_attention, attention, before_forward, forward(name + "forward", shape)});
  }
  after_encoder = norm("encoder.after", shape.width);
  for (std::int64_t l = 0; l < shape.layers; ++l) {
    const std::string name = fmt::format("decoder.{}.", l);
    const Norm before_attention = norm(name + "before_attention", shape.width);
    const TranslatorAttention attention(shape, products, name + "attention", specs);
    const Norm before_source = norm(name + "before_source", shape.width);
    const TranslatorAttention source(shape, products, name + "source", specs);
    const Norm before_forward = norm(name + "before_forward", shape.width);
    decoder.push_back({before_attention, attention, before_source, source, before_forward, forward(name + "forward", shape)});
  }
  after_decoder = norm("decoder.after", shape.width);
}

std::size_t Translator::Parts::declare(const std::string& name, std::vector<std::int64_t> extents, double bound, double start) {
  specs.push_back({name, std::move(extents), bound, start});
  return specs.size() - 1;
}

Translator::Norm Translator::Parts::norm(const std::string& name, std::int64_t width) {
  const std::size_t gain = declare(name + ".gain", {width}, 0, 1);
  return {gain, declare(name + ".offset", {width}, 0)};
}

Translator::Forward Translator::Parts::forward(const std::string& name, const TranslatorShape& shape) {
  const double bound = glorot(shape.width, shape.hidden);
  const std::size_t expand = declare(name + ".expand", {shape.hidden, shape.width}, bound), expand_offset = declare(name + ".expand_offset", {shape.hidden}, 0);
  const std::size_t contract = declare(name + ".contract", {shape.width, shape.hidden}, bound);
  return {expand, expand_offset, contract, declare(name + ".contract_offset", {shape.width}, 0)};
}

std::vector<WeightSpec> weight_specs(const TranslatorShape& shape) { return Translator::Parts(shape, Products::whole).specs; }

Translator::Translator(const TranslatorShape& shape, std::uint64_t seed, at::ScalarType dtype, Products products)
    : shape_(shape), products_(products), parts_(shape, products), weights_(std::make_unique<const Weights>(parts_.specs, seed, dtype)), positions_(sinusoids(shape.width, dtype)) {}

at::Tensor Translator::normal(const at::Tensor& x, const Norm& norm) const {
  const Weights& w = weights();
  return at::layer_norm(x, {shape_.width}, w[norm.gain], w[norm.offset]);
}

at::Tensor Translator::forward(const at::Tensor& x, const Forward& map) const {
  const Weights& w = weights();
  return feed_forward(x, {w[map.expand], w[map.expand_offset], w[map.contract], w[map.contract_offset]}, products_);
}

at::Tensor Translator::embedded(const at::Tensor& pieces, std::int64_t first) const {
  require(first + pieces.size(1) <= most_positions, Fault::input, "[translation] expected sentences of at most {} pieces, found one of {}: split it",
          grouped_digits(most_positions), grouped_digits(first + pieces.size(1)));
  return at::embedding(embedding(), pieces) * std::sqrt(static_cast<double>(shape_.width)) + positions_.narrow(0, first, pieces.size(1));
}

DecoderCache Translator::encode(const SourceBatch& source, const Draws& draws) const {
  const Weights& w = weights();
  Dropout dropped(shape_.dropout, draws, 0);
  at::Tensor x = dropped(embedded(source.pieces, 0));
  for (const EncoderLayer& layer : parts_.encoder) {
    const TranslatorAttention::Rows rows = layer.attention.rows(w, normal(x, layer.before_attention));
    x = dropped.added(x, layer.attention.attend(w, rows.queries, rows.keys, rows.values, source.valid, false));
    x = dropped.added(x, forward(normal(x, layer.before_forward), layer.forward));
  }
  x = normal(x, parts_.after_encoder);
  DecoderCache cache;
  cache.valid = source.valid;
  for (const DecoderLayer& layer : parts_.decoder) {
    const TranslatorAttention::Rows rows = layer.source.keys_and_values(w, x);
    cache.layers.push_back({{}, {}, rows.keys, rows.values});
  }
  return cache;
}

at::Tensor Translator::decode(DecoderCache& cache, const at::Tensor& pieces, const Draws& draws) const {
  require(cache.length == 0 || pieces.size(1) == 1, Fault::internal, "[translation] expected one more piece, found {} after {}", pieces.size(1), cache.length);
  const Weights& w = weights();
  Dropout dropped(shape_.dropout, draws, decoder_places);
  at::Tensor x = dropped(embedded(pieces, cache.length));
  for (std::size_t l = 0; l < parts_.decoder.size(); ++l) {
    const DecoderLayer& layer = parts_.decoder[l];
    DecoderCache::Layer& kept = cache.layers[l];
    const TranslatorAttention::Rows rows = layer.attention.rows(w, normal(x, layer.before_attention));
    kept.keys = kept.keys.defined() ? at::cat({kept.keys, rows.keys}, 2) : rows.keys;
    kept.values = kept.values.defined() ? at::cat({kept.values, rows.values}, 2) : rows.values;
    x = dropped.added(x, layer.attention.attend(w, rows.queries, kept.keys, kept.values, {}, cache.length == 0));
    x = dropped.added(x, layer.source.attend(w, layer.source.queries(w, normal(x, layer.before_source)), kept.source_keys, kept.source_values, cache.valid, false));
    x = dropped.added(x, forward(normal(x, layer.before_forward), layer.forward));
  }
  cache.length += pieces.size(1);
  return normal(x, parts_.after_decoder);
}

at::Tensor Translator::logits(const at::Tensor& features) const { return linear_maps(features, {embedding()}, products_)[0]; }

at::Tensor loss_sum(const Translator& translator, const PairBatch& batch, double smoothing, const Draws& draws) {
  DecoderCache cache = translator.encode(batch.source, draws);
  const at::Tensor features = translator.decode(cache, batch.input, draws).flatten(0, 1).index_select(0, batch.places);
  return cross_entropy_sum(features, translator.embedding(), batch.wanted, smoothing, translator.products());
}

}  // namespace calor::learn
