// Corpus BLEU (Papineni, Roukos, Ward & Zhu 2002) as sacrebleu computes it by default (Post 2018): words of mteval-v13a, case kept, n-grams up to 4,
// one reference a sentence, and orders without a match smoothed by "exp" (Chen & Cherry 2014, method 3).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace calor::analyse {

struct Bleu {
  double score = 0;                     // 0 to 100
  std::array<double, 4> precisions{};   // of n-grams of 1 to 4 words, in percent
  double brevity = 1;                   // the penalty of a translation that is shorter than its reference
  std::int64_t hypothesis_words = 0, reference_words = 0;
};

// Sentence k of both belong together; UTF-8.  Linear in the text.  Throws Fault::input for unequal numbers, or none.
Bleu corpus_bleu(const std::vector<std::string>& hypotheses, const std::vector<std::string>& references);

// As sacrebleu prints it: "BLEU = 34.12 66.1/41.2/27.8/19.0 (BP = 0.987 ratio = 0.987 hyp_len = 1234 ref_len = 1250)".
std::string bleu_line(const Bleu& bleu);

// The words of a sentence.
std::vector<std::string> words_13a(std::string_view sentence);

}  // namespace calor::analyse
