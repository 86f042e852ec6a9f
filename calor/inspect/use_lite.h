// The Universal Sentence Encoder Lite (Google), two transformer layers on pieces of a sentence, at most 128.
//   e = embed[ids];  x = 2 e + [sin(p f), cos(p f)];  h = res(x) + MHA0(LN(x));  h += FFN0(LN(h));  h += MHA1(LN(h));
//   h += FFN1(LN(h));  sentence = unit vector of tanh(head(mean h)).   FFN with ReLU, 4 heads, epsilon of LN 1e-6.
// Matrices of the file are [in, out].
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "calor/inspect/model.h"
#include "calor/inspect/tokenizers.h"
#include "calor/inspect/weights.h"

namespace calor::inspect {

class UseLite : public Model {
 public:
  UseLite(const std::string& path, const std::string& vocabulary);
  std::string kind() const override { return "Universal Sentence Encoder Lite"; }
  std::int64_t layers() const override { return 2; }
  std::int64_t heads() const override { return head_count; }
  // A text, token numbers (one column) or embeddings of pieces (256 columns).
  Activations run(const Tokens& tokens, const Context& context) const override;

  Activations run(const Matrix& embeddings) const;
  Vector sentence(const TokenIds& ids) const;  // the model's answer, 512 numbers
  Matrix embeddings(const TokenIds& ids) const;
  const Unigram& vocabulary() const { return *vocabulary_; }

 private:
  static constexpr std::int64_t head_count = 4, most_pieces = 128;
  struct Normalisation {
    Vector gain, offset;
  };
  struct Block {
    Normalisation before_attention, before_feed;
    AffineMap query, key, value, output, up, down;
  };
  AffineMap affine(const Weights& weights, const std::string& name) const;
  Head head_of(const Block& block, std::int64_t head) const;

  Matrix embedding_;
  Vector frequency_;
  AffineMap residual_, sentence_head_;
  std::vector<Block> blocks_;
  std::optional<Unigram> vocabulary_;
};

}  // namespace calor::inspect
