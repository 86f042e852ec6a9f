// Pairs of sentences in batches of about equal length, so that little of a batch is padding.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "calor/learn/text/vocabulary.h"

namespace calor::learn {

struct Pair {
  Pieces source, target;  // without begin and end
};

// Rows of `pairs`, each once: sorted by length, equal lengths in random order, cut where (rows x the longest sentence of either side, end included)
// would pass `budget`, and the batches in random order.  A pair longer than that is a batch of its own.  Decided by (seed, epoch).
std::vector<std::vector<std::int64_t>> length_batches(const std::vector<Pair>& pairs, std::int64_t budget, std::uint64_t seed, std::uint64_t epoch);

// Sentences side by side, padded.
struct SourceBatch {
  at::Tensor pieces;  // [B, S] int64, each sentence with its end
  at::Tensor valid;   // [B, S] bool: false where padded
};
SourceBatch source_batch(const std::vector<const Pieces*>& sentences);

struct PairBatch {
  SourceBatch source;
  at::Tensor input;   // [B, T] int64: begin, then the sentence
  at::Tensor places;  // [n] int64: where in B x T the targets stand
  at::Tensor wanted;  // [n] int64: the sentences, each with its end
  std::int64_t source_pieces = 0, target_pieces = 0;  // without padding
};
PairBatch pair_batch(const std::vector<Pair>& pairs, const std::vector<std::int64_t>& rows);

}  // namespace calor::learn
