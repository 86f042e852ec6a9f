// Language models of llama2.c (A. Karpathy), the legacy float32 layout: seven int32 (dim, hidden, layers, heads, kv heads, vocabulary,
// longest sequence; a negative vocabulary has its own classifier), then the weights in the order of run.c.
// Blocks: h += attention(rms(h)); h += W2 (silu(W1 rms(h)) o W3 rms(h)).  Rotary positions on neighbouring pairs, base 10,000.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/inspect/model.h"
#include "calor/inspect/tokenizers.h"

namespace calor::inspect {

class Llama2c : public Model {
 public:
  // Throws Fault::input for a header of impossible sizes, and for any other length than the header asks for.
  Llama2c(const std::string& path, const std::string& tokeniser);

  std::string kind() const override { return "llama2.c"; }
  std::int64_t layers() const override { return layers_; }
  std::int64_t heads() const override { return heads_; }
  // Text, token numbers (one column) or embeddings (dim columns).  With nothing given the model speaks for itself: 128 tokens,
  // greedily, from the token that begins every text.
  Activations run(const Tokens& tokens, const Context& context) const override;

  // The most probable continuation, token by token, until `steps` tokens or a token that ends the text; without the prompt's
  // first token.
  TokenIds continue_greedily(const TokenIds& prompt, std::int64_t steps) const;
  std::string decode(const TokenIds& ids) const;
  Vector logits(const TokenIds& ids) const;  // of what follows the last one
  bool has_tokeniser() const { return tokeniser_.has_value(); }
  const BytePairs& tokeniser() const { return *tokeniser_; }

 private:
  struct Block {
    Vector attention_gain, feed_gain;
    Matrix query, key, value, output, gate, down, up;  // [out, in]
  };
  // Keys and values of one block so far, and the states that entered it.
  struct Trace;
  Vector extend(std::vector<Trace>& traces, const Vector& embedding) const;  // the final state, normalised
  Head head_of(const Block& block, std::int64_t head) const;
  TokenIds ids_of(const Tokens& tokens, std::string& source) const;

  std::int64_t dim_, hidden_, layers_, heads_, key_heads_, vocabulary_, longest_;
  Matrix embedding_, classifier_;
  std::vector<Block> blocks_;
  Vector final_gain_;
  std::optional<BytePairs> tokeniser_;
};

}  // namespace calor::inspect
