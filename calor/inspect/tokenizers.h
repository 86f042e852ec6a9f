// Text to token numbers, as the two kinds of models that take text were trained with.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace calor::inspect {

using TokenIds = std::vector<std::int64_t>;

// llama2.c's tokeniser: byte-pair merges in order of the pieces' scores, bytes as they are where no piece is known.
// File: int32 longest piece, then for each token float32 score, int32 length and its bytes.
class BytePairs {
 public:
  static constexpr std::int64_t begin = 1;  // opens every sequence
  // Throws Fault::input for a file that is truncated or holds other than `size` pieces.
  BytePairs(const std::string& path, std::int64_t size);
  TokenIds encode(std::string_view text) const;  // beginning with `begin`
  std::string decode(std::int64_t previous, std::int64_t id) const;
  const std::string& piece(std::int64_t id) const { return pieces_[static_cast<std::size_t>(id)]; }

 private:
  std::vector<std::string> pieces_;
  std::vector<float> scores_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
};

// SentencePiece's unigram model from a JSON list of [piece, logarithm of its probability]: the most probable cutting of the
// text.  Characters that no piece has become the unknown token 0; the first six pieces are controls and match no text.
class Unigram {
 public:
  explicit Unigram(const std::string& path);
  TokenIds encode(std::string_view text) const;
  const std::string& piece(std::int64_t id) const { return pieces_[static_cast<std::size_t>(id)]; }
  std::int64_t size() const { return static_cast<std::int64_t>(pieces_.size()); }

 private:
  std::vector<std::string> pieces_;
  std::vector<double> scores_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
  std::size_t longest_ = 0;
};

}  // namespace calor::inspect
