// From a trained translator to sentences: the likeliest piece after piece, or beam search.
#pragma once

#include <cstdint>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/translation/network.h"

namespace calor::learn {

struct DecodeOptions {
  std::int64_t beam = 4;        // sentences kept at work; 1: the likeliest piece after piece
  double length_penalty = 0.6;  // log-likelihoods are divided by ((5 + length) / 6)^this (Wu et al. 2016); 0: not at all
  std::int64_t batch = 4000;    // source pieces at a time, of all beams, padding included
};

// Throws Fault::usage: "[translate] expected ..., found ...".
void validate(const DecodeOptions& options);

// The translation of each source, in their order; of one without pieces nothing.  At most 2 n + 10 pieces for n of a source.
// Throws Fault::input for a sentence too long, Fault::interrupted.
std::vector<Pieces> translate(const Translator& translator, const std::vector<Pieces>& sources, const DecodeOptions& options, const Context& context);

// Of sentences side by side.
std::vector<Pieces> greedy_search(const Translator& translator, const SourceBatch& sources);

// Each step extends the `beam` best of a sentence by every piece and keeps the `beam` best that have not ended; a sentence is done once as many have ended.
std::vector<Pieces> beam_search(const Translator& translator, const SourceBatch& sources, std::int64_t beam, double length_penalty);

}  // namespace calor::learn
