// Sentences through a trained translator.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calor/core/progress.h"
#include "calor/learn/translation/model.h"

namespace calor::learn {

struct DecodeOptions {
  std::int64_t beam = 4;        // sentences kept at work; 1: the likeliest piece after piece
  double length_penalty = 0.6;  // log-likelihoods are divided by ((5 + length) / 6)^this (Wu et al. 2016); 0: not at all
  std::int64_t batch = 4000;    // source pieces at a time, of all beams, padding included
};

// Throws Fault::usage: "[translate] expected ..., found ...".
void validate(const DecodeOptions& options);

// The translation of each sentence, in their order; of a blank one "".
// Throws Fault::input for a sentence too long, Fault::interrupted.
std::vector<std::string> translate(const TranslationModel& model, const std::vector<std::string>& sentences, const DecodeOptions& options, const Context& context);

}  // namespace calor::learn
