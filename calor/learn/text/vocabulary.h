// Words cut into pieces: byte-pair encoding (Sennrich, Haddow & Birch 2016) by SentencePiece (Kudo & Richardson 2018), which normalises text by NFKC
// and runs of blanks to one.  One vocabulary serves both languages.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calor/core/progress.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace calor::learn {

using Pieces = std::vector<std::int64_t>;

class Vocabulary {
 public:
  // Pieces that stand for no text.
  static constexpr std::int64_t padding = 0, unknown = 1, begin = 2, end = 3, reserved = 4;

  // What SentencePiece wrote.  Throws Fault::input for other bytes, or other numbers of the pieces above.
  explicit Vocabulary(std::string model);
  ~Vocabulary();
  Vocabulary(Vocabulary&&) noexcept;
  Vocabulary& operator=(Vocabulary&&) noexcept;

  // Of at most `size` pieces, fewer where the text has no more; the same for the same text.  Lines beyond 4192 bytes are left out, as SentencePiece does.
  // In a process of its own, since SentencePiece cannot be stopped: asks context.stop several times a second.
  // Throws Fault::usage for a size below the text's characters and the reserved pieces, Fault::interrupted.
  static Vocabulary learned(const std::vector<std::string>& source, const std::vector<std::string>& target, std::int64_t size, const Context& context = {});

  Pieces encode(std::string_view sentence) const;  // without begin and end
  std::string decode(std::span<const std::int64_t> pieces) const;

  std::int64_t size() const;
  const std::string& model() const { return model_; }

 private:
  std::string model_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

}  // namespace calor::learn
