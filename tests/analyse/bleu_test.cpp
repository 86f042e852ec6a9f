// Corpus BLEU against what sacrebleu 2.6.0 prints (sacrebleu.corpus_bleu with its defaults) for a handful of sentences: signs, entities, blanks of Unicode,
// repeated words, orders without a match, empty sentences.  The printed line is equal; the score to what adding four logarithms can lose.
#include "calor/analyse/bleu.h"

#include <gtest/gtest.h>

#include "calor/core/error.h"

namespace calor::analyse {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> hypotheses, references;
  std::string line;
  double score;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"equal",
       {"The cat sat on the mat."},
       {"The cat sat on the mat."},
       "BLEU = 100.00 100.0/100.0/100.0/100.0 (BP = 1.000 ratio = 1.000 hyp_len = 7 ref_len = 7)", 100.00000000000004},
      {"no_match",
       {"a b c"},
       {"x y z"},
       "BLEU = 0.00 0.0/0.0/0.0/0.0 (BP = 1.000 ratio = 1.000 hyp_len = 3 ref_len = 3)", 0.0},
      {"smoothed",
       {"the cat sat quietly"},
       {"a cat quietly sat down"},
       "BLEU = 16.37 75.0/16.7/12.5/12.5 (BP = 0.779 ratio = 0.800 hyp_len = 4 ref_len = 5)", 16.37226966703825},
      {"short",
       {"Ein Hund", "Zwei"},
       {"Ein Hund läuft über die Wiese.", "Zwei Männer"},
       "BLEU = 0.00 100.0/100.0/0.0/0.0 (BP = 0.135 ratio = 0.333 hyp_len = 3 ref_len = 9)", 0.0},
      {"signs",
       {"It costs $3,000.50, e.g. 5-7 items -- \"quoted\" &quot;x&quot; &amp; (a/b)..", "state-of-the-art: don't; 1990-2000, 3.14, .5 5."},
       {"It costs $3,000.50 (e.g. 5-7 items) - \"quoted\" \"x\" & a/b.", "State-of-the-art: don't! 1990 - 2000, 3.14, 0.5"},
       "BLEU = 53.29 78.6/60.0/47.4/36.1 (BP = 1.000 ratio = 1.135 hyp_len = 42 ref_len = 37)", 53.28885821149864},
      {"unicode",
       {"Ein\u00a0Mann\u3000mit Bärten, „schön“ … 5,5 €.", "Straße—Fußgänger. Ärger,Öl"},
       {"Ein Mann mit Bart, „schön“ … 5,5 €.", "Straße — Fußgänger. Ärger, Öl"},
       "BLEU = 57.67 86.7/76.9/63.6/44.4 (BP = 0.875 ratio = 0.882 hyp_len = 15 ref_len = 17)", 57.67026718633731},
      {"repeats",
       {"the the the the the the the", "a a b"},
       {"the cat is on the mat", "a b a"},
       "BLEU = 13.43 50.0/12.5/8.3/6.2 (BP = 1.000 ratio = 1.111 hyp_len = 10 ref_len = 9)", 13.432124147794278},
      {"one_empty",
       {"", "A man rides a bicycle down the street."},
       {"Nothing.", "A man is riding a bicycle down the street."},
       "BLEU = 47.34 88.9/75.0/57.1/50.0 (BP = 0.717 ratio = 0.750 hyp_len = 9 ref_len = 12)", 47.33641315654019},
      {"all_empty",
       {""},
       {"Something here."},
       "BLEU = 0.00 0.0/0.0/0.0/0.0 (BP = 0.000 ratio = 0.000 hyp_len = 0 ref_len = 3)", 0.0},
      {"german",
       {"Ein Mann in einem orangefarbenen Hut starrt auf etwas.", "Ein Boston Terrier läuft über saftig-grünes Gras vor einem weißen Zaun.", "Ein Mädchen in einem Karateanzug bricht ein Brett mit einem Tritt."},
       {"Ein Mann mit einem orangefarbenen Hut, der etwas anstarrt.", "Ein Boston Terrier läuft über saftig-grünes Gras vor einem weißen Zaun.", "Ein Mädchen in einem Karateanzug bricht einen Stock mit einem Tritt."},
       "BLEU = 64.20 85.3/71.0/60.7/52.0 (BP = 0.971 ratio = 0.971 hyp_len = 34 ref_len = 35)", 64.20150491479934},
  };
  return all;
}

TEST(BleuScore, IsSacrebleus) {
  for (const Case& one : cases()) {
    SCOPED_TRACE(one.name);
    const Bleu found = corpus_bleu(one.hypotheses, one.references);
    EXPECT_EQ(bleu_line(found), one.line);
    EXPECT_NEAR(found.score, one.score, 1e-12 * (1 + one.score));
  }
}

TEST(BleuScore, WordsAreThoseOfMteval) {
  const std::vector<std::string> expected{"Don't", "pay", "$", "3,000.50", ",", "or", "5", "-", "7", "(", "e", ".", "g", ".", ")", "."};
  EXPECT_EQ(words_13a("Don't pay $3,000.50, or 5-7 (e.g.)."), expected);
  EXPECT_TRUE(words_13a(" \u00a0\t").empty());
}

TEST(BleuScore, UnequalNumbersAreRefused) {
  EXPECT_THROW(corpus_bleu({"a"}, {"a", "b"}), Error);
  EXPECT_THROW(corpus_bleu({}, {}), Error);
}

}  // namespace
}  // namespace calor::analyse
