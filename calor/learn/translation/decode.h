// From a trained translator to sentences: the likeliest piece after piece, or beam search.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/translation/network.h"
#include "calor/learn/translation/translate.h"

namespace calor::learn {

// The translation of each source, in their order; of one without pieces nothing.  At most 2 n + 10 pieces for n of a source.
// Throws Fault::input for a sentence too long, Fault::interrupted.
std::vector<Pieces> translate(const Translator& translator, const std::vector<Pieces>& sources, const DecodeOptions& options, const Context& context);

// Of sentences side by side.
std::vector<Pieces> greedy_search(const Translator& translator, const SourceBatch& sources);

// Each step extends the `beam` best of a sentence by every piece and keeps the `beam` best that have not ended; a sentence is done once as many have ended.
std::vector<Pieces> beam_search(const Translator& translator, const SourceBatch& sources, std::int64_t beam, double length_penalty);

}  // namespace calor::learn
