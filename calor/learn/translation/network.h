// An encoder-decoder Transformer (Vaswani et al. 2017) whose attentions take any score.  Normalised before each sublayer and once after the last (pre-norm:
// Xiong et al. 2020), sinusoidal positions, one matrix of embeddings for both languages and the output, dropout on embeddings and sublayers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "calor/learn/network/flow.h"
#include "calor/learn/text/batches.h"
#include "calor/learn/translation/attention.h"

namespace calor::learn {

// What a decoder keeps of the sentences that it works on: of each layer the keys and values of pieces so far and of the source; for distances the keys are phi's.
struct DecoderCache {
  struct Layer {
    at::Tensor keys, values;                // [B, heads, length, width / heads]; undefined at the beginning
    at::Tensor source_keys, source_values;  // [B, heads, S, width / heads]
  };
  std::vector<Layer> layers;
  at::Tensor valid;  // [B, S]
  std::int64_t length = 0;

  // Only these rows, in this order, also several times: [n] int64.
  void select(const at::Tensor& rows);
};

class Translator {
 public:
  // Weights are drawn by the seed; Weights::values() holds them in the order of weight_specs().  dtype: at::kFloat, or at::kDouble, which has no dropout.
  // products: of all linear maps; not whole: with dtype float.  Throws as validate() does.
  Translator(const TranslatorShape& shape, std::uint64_t seed, at::ScalarType dtype = at::kFloat, Products products = Products::whole);

  // The source, ready for a decoder.
  DecoderCache encode(const SourceBatch& source, const Draws& draws) const;

  // Features [B, T, width] of pieces [B, T] that come after those of the cache, which grows by them; several at once only into an empty one.
  // O(T (length + S) width) beside the linear maps.
  at::Tensor decode(DecoderCache& cache, const at::Tensor& pieces, const Draws& draws) const;

  // [n, vocabulary] of features [n, width].
  at::Tensor logits(const at::Tensor& features) const;

  const at::Tensor& embedding() const { return weights()[parts_.embedding]; }  // [vocabulary, width]
  Products products() const { return products_; }
  const TranslatorShape& shape() const { return shape_; }
  const Weights& weights() const { return *weights_; }

 private:
  friend std::vector<WeightSpec> weight_specs(const TranslatorShape& shape);

  struct Norm {
    std::size_t gain, offset;
  };
  struct Forward {
    std::size_t expand, expand_offset, contract, contract_offset;
  };
  struct EncoderLayer {
    Norm before_attention;
    TranslatorAttention attention;
    Norm before_forward;
    Forward forward;
  };
  struct DecoderLayer {
    Norm before_attention;
    TranslatorAttention attention;
    Norm before_source;
    TranslatorAttention source;
    Norm before_forward;
    Forward forward;
  };

  at::Tensor normal(const at::Tensor& x, const Norm& norm) const;
  at::Tensor forward(const at::Tensor& x, const Forward& map) const;
  at::Tensor embedded(const at::Tensor& pieces, std::int64_t first) const;

  // Where each weight stands.
  struct Parts {
    Parts(const TranslatorShape& shape, Products products);
    std::vector<WeightSpec> specs;
    std::size_t embedding;
    std::vector<EncoderLayer> encoder;
    Norm after_encoder;
    std::vector<DecoderLayer> decoder;
    Norm after_decoder;

   private:
    std::size_t declare(const std::string& name, std::vector<std::int64_t> extents, double bound, double start = 0);
    Norm norm(const std::string& name, std::int64_t width);
    Forward forward(const std::string& name, const TranslatorShape& shape);
  };

  TranslatorShape shape_;
  Products products_;
  Parts parts_;
  std::unique_ptr<const Weights> weights_;
  at::Tensor positions_;  // [most_positions, width]
};

// Its weights, in order.
std::vector<WeightSpec> weight_specs(const TranslatorShape& shape);

// The sum over the targets of their cross-entropy in nats, where `smoothing` of each target's probability is spread over the vocabulary (Szegedy et al. 2016).
at::Tensor loss_sum(const Translator& translator, const PairBatch& batch, double smoothing, const Draws& draws);

}  // namespace calor::learn
