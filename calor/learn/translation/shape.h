// What a translator is made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace calor::learn {

// What is similar: self: Q x . K y (Vaswani et al. 2017); l2: -|W x - W y|^2 (Kim, Papamakarios & Mnih 2021); metric: -|phi(P x) - phi(P y)|^2 with
// phi(z) = z + W2 tanh(W1 z + b1) + b2 (Ruan & Zhang, arXiv 2412.18288); uniform: 0, the plain mean of what may be seen, the control.  Distances map queries and keys by the same weights, across attention too.
enum class TranslatorScore { self, l2, metric, uniform };
const std::vector<std::string>& translator_scores();            // "self", "l2", "metric", "uniform"
TranslatorScore parse_translator_score(std::string_view name);  // throws Fault::usage with the nearest name

// The place of a name among `names`; throws Fault::usage: "[translation] expected <what> of ..., found ...", with the nearest.
std::size_t place_of(std::string_view name, const std::vector<std::string>& names, std::string_view what);

struct TranslatorShape {
  std::int64_t vocabulary = 0;
  std::int64_t width = 256, layers = 3, heads = 4, hidden = 1024;  // layers of the encoder, and as many of the decoder; hidden units of a feed-forward layer
  std::string score = "metric";
  double dropout = 0.1;  // of embeddings and of what every sublayer adds
};

// Throws Fault::usage: "[translation] expected ..., found ...".
void validate(const TranslatorShape& shape);

inline constexpr std::int64_t most_positions = 2048;  // of a sentence, begin and end included

}  // namespace calor::learn
